package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// slack is how far a count may be off by chance, when goroutines come and go and pools are
// emptied. It is one in 200, so nothing of a count below 200. In a benchmark that counts for a
// thousand nodes, an allocation more for each of them is seen up to a count of 200,000.
func slack(count int) int { return count / 200 }

// compare says what is not as the figures say. More allocations are an error, and so is
// a benchmark that has no figure or a figure that has no benchmark; fewer are good news.
func compare(allowed, measured figures, out io.Writer) error {
	wrong := 0
	complain := func(format string, arguments ...any) {
		wrong++
		fmt.Fprintf(out, format+"\n", arguments...)
	}
	for _, name := range slices.Sorted(maps.Keys(measured)) {
		is := measured[name]
		limit, known := allowed[name]
		switch {
		case !known:
			complain("NEW   %s: %d allocs/op, and no figure to compare with", name, is)
		case is > limit+slack(limit):
			complain("MORE  %s: %d allocs/op, %d are allowed", name, is, limit)
		case is < limit-slack(limit):
			fmt.Fprintf(out, "less  %s: %d allocs/op, and the figure %d could be lowered\n", name, is, limit)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(allowed)) {
		if _, there := measured[name]; !there {
			complain("GONE  %s: there is no such benchmark", name)
		}
	}
	if wrong > 0 {
		return errors.New("allocations are not as committed; when that is meant, run: make bench-allocs-update")
	}
	fmt.Fprintf(out, "%d benchmarks allocate no more than is allowed\n", len(measured))
	return nil
}
