package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// figures is how many allocations each benchmark makes per operation.
type figures map[string]int

// add keeps the lowest count of several runs: what chance adds, it adds to some of them.
func (f figures) add(name string, count int) {
	if lowest, known := f[name]; !known || count < lowest {
		f[name] = count
	}
}

const heading = `# What each benchmark may allocate per operation. Compared by: make bench-allocs.
# Written by: make bench-allocs-update.
`

// writeFigures writes a benchmark a line, sorted.
func writeFigures(f figures) []byte {
	text := []byte(heading)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		text = fmt.Appendf(text, "%s %d\n", name, f[name])
	}
	return text
}

// readFigures reads what writeFigures has written.
func readFigures(r io.Reader) (figures, error) {
	f := figures{}
	for lines := bufio.NewScanner(r); lines.Scan(); {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		name, number, _ := strings.Cut(line, " ")
		count, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("%q is not a benchmark and its allocations", line)
		}
		f.add(name, count)
	}
	return f, nil
}

// readOutput reads what go test prints: a line with the package, then lines such as
//
//	BenchmarkBeat 	     100	     10360 ns/op	    6508 B/op	      89 allocs/op
//
// Benchmarks are named by their package within the module.
func readOutput(r io.Reader, module string) (figures, error) {
	f := figures{}
	place := ""
	for lines := bufio.NewScanner(r); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 2 && fields[0] == "pkg:":
			place = strings.TrimPrefix(fields[1], module+"/")
		case len(fields) > 2 && strings.HasPrefix(fields[0], "Benchmark") && fields[len(fields)-1] == "allocs/op":
			count, err := strconv.Atoi(fields[len(fields)-2])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", fields[0], err)
			}
			f.add(place+"."+fields[0], count)
		}
	}
	if len(f) == 0 {
		return nil, errors.New("no benchmark has run")
	}
	return f, nil
}
