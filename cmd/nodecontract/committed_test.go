package main

import (
	"strings"
	"testing"
)

// What the repository promises: the pact and the document agree, and together they
// leave nothing out.
func TestCommittedPactAgreesWithTheDocument(t *testing.T) {
	stdout, _ := nodecontract(t, 0, "check",
		"--pact", "../../contracts/pacts/pool-managerd-orchestratord.json",
		"--document", nodes,
		"--exempt", "../../contracts/exempt.yaml")
	if !strings.Contains(stdout, " 0 left out\n") {
		t.Errorf("stdout:\n%s", stdout)
	}
}
