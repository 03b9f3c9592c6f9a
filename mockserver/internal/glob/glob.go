// Package glob matches node ids with patterns such as gpu-*, by which the control API and faults choose
// nodes.
package glob

import (
	"fmt"
	"path"
)

// Check returns what is wrong with a pattern, if anything, as what follows its name.
func Check(pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf(
			"%q is no pattern of node ids: a [ needs its ] and something in between, and a \\ something after it",
			pattern)
	}
	return nil
}

// Fits reports whether a node fits a pattern. Nothing fits a broken one.
func Fits(pattern, node string) bool {
	fits, err := path.Match(pattern, node)
	return err == nil && fits
}
