// Command allocs holds benchmarks to the allocations that they were allowed: it reads
// what `go test -bench . -benchmem -cpu 1` prints, several runs of it, and compares.
// Times are not looked at: they are the machine's, allocations are the code's.
//
//	allocs -module path [-update] allocations.txt <output
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	module := flag.String("module", "", "`path` of the benchmarks' module")
	update := flag.Bool("update", false, "write the file anew instead of comparing with it")
	flag.Parse()
	if err := run(flag.Arg(0), *module, *update, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "allocs:", err)
		os.Exit(1)
	}
}

func run(file, module string, update bool, in io.Reader, out io.Writer) error {
	measured, err := readOutput(in, module)
	if err != nil {
		return err
	}
	if update {
		return os.WriteFile(file, writeFigures(measured), 0o644)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	allowed, err := readFigures(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return compare(allowed, measured, out)
}
