// Package plural writes a number with its noun.
package plural

import "fmt"

// Count returns a number and its noun, which has an s unless there is one: "1 node", "2 nodes".
func Count[N ~int | ~int32 | ~int64 | ~uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprint(n, " ", noun, "s")
}
