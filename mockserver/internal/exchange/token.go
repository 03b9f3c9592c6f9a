package exchange

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"

	"github.com/llama-orch/node-registration/mockserver/internal/masking"
	"github.com/llama-orch/node-registration/mockserver/internal/settings"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TokenCheck checks the token of requests.
type TokenCheck struct {
	Realm    string
	Required string            // what to say, in words, when there is no token
	Valid    []settings.Digest // without any, no token is required
}

// Check returns what is wrong with the token of a request, if it has one, or with its lack of one.
func (c TokenCheck) Check(token string, has bool) error {
	switch {
	case len(c.Valid) == 0:
		return nil
	case !has:
		return NewProblem(nodeapi.ProblemCodeUnauthorized, "").
			Add(c.Required+": send it as 'Authorization: Bearer <token>'").
			With("WWW-Authenticate", fmt.Sprintf("Bearer realm=%q", c.Realm))
	case !c.knows(token):
		return NewProblem(nodeapi.ProblemCodeUnauthorized, "the token is not valid").
			With("WWW-Authenticate", fmt.Sprintf("Bearer realm=%q, error=%q", c.Realm, "invalid_token"))
	}
	return nil
}

// Bearer returns the token of the first Authorization header, if that is how it carries one.
func Bearer(header http.Header) (token string, ok bool) {
	scheme, token, _ := strings.Cut(header.Get("Authorization"), " ")
	token = strings.TrimLeft(token, " ")
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

// knows reports whether a token is valid. Its duration reveals nothing about the valid tokens.
func (c TokenCheck) knows(token string) bool {
	given, matches := settings.DigestOf(token), 0
	for _, valid := range c.Valid {
		matches |= subtle.ConstantTimeCompare(given[:], valid[:])
	}
	return matches == 1
}

// Scheme returns how credentials are sent, as far as that may be said; "" if it may not.
func Scheme(authorization string) string {
	return strings.TrimSuffix(masking.AuthorizationScheme(authorization), " ")
}
