//go:build !pact

// Command pact-verify verifies that an orchestratord keeps the pact of its nodes. This build
// lacks the Pact library, so it only prints how to build with it.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr,
		"pact-verify: this build is without the Pact library: build it with -tags pact and CGO_ENABLED=1")
	os.Exit(2)
}
