// Package contracts holds the list of exemptions of this repository. Its folders hold the
// checks.
package contracts

import _ "embed"

// Exempt lists the statuses of the OpenAPI document that no interaction has to exercise,
// and why, for twoway.ReadExemptions.
//
//go:embed exempt.yaml
var Exempt []byte
