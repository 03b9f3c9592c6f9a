//go:build !pact

// Command pact-verify verifies that an orchestratord keeps what nodes need of it.
// Without the Pact library it can only say so.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "pact-verify: this build is without the Pact library: build it with -tags pact and CGO_ENABLED=1")
	os.Exit(2)
}
