// Package bearer has what is true of every bearer token, whoever sends it.
package bearer

import "errors"

// ErrUnsendable is what is wrong with a token that no header can carry.
var ErrUnsendable = errors.New(
	"the token holds a character that a header cannot carry, perhaps a line break at its end")

// Check returns ErrUnsendable for a token with other characters than the visible ones of ASCII. It
// accepts an empty token, which no header has to carry.
func Check(token string) error {
	for _, c := range []byte(token) {
		if c < '!' || c > '~' {
			return ErrUnsendable
		}
	}
	return nil
}
