//go:build pact

package usage

// pactFlags build all of pact-verify.
var pactFlags = []string{"-tags", "pact"}
