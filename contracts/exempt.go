// Package contracts holds the list of statuses that the pact of this repository need not exercise. The
// checks of the contract are the packages in its folders.
package contracts

import _ "embed"

// Exempt lists the statuses of the OpenAPI document that no interaction has to exercise,
// and why, for twoway.ReadExemptions.
//
//go:embed exempt.yaml
var Exempt []byte
