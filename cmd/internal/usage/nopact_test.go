//go:build !pact

package usage

var pactFlags []string
