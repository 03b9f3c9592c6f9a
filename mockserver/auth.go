package mockserver

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// digest stands for a token, so that the server does not keep tokens that it could
// give away.
type digest [sha256.Size]byte

func digestOf(token string) digest {
	return sha256.Sum256([]byte(token))
}

// authenticate refuses requests without a valid token (CLOUD-4005), if the server has tokens.
func authenticate(x *exchange) error {
	door := door{"orchestratord", "this orchestratord wants a token", x.settings.tokens}
	return door.admit(x.request.Header.Get("Authorization"))
}

// authenticateControl does the same for the control API, which has a token of its own. Guesses
// have to wait.
func (s *Server) authenticateControl(x *exchange) error {
	door := door{"mock-control", "this mock wants its control token", s.controlToken}
	authorization := x.request.Header.Get("Authorization")
	if _, guess := bearer(authorization); !guess || len(door.valid) == 0 {
		return door.admit(authorization)
	}
	right, err := s.guesses.turn(x.request.Context(), addressOf(x.request))
	if err != nil {
		return err
	}
	if err := door.admit(authorization); err != nil {
		return err
	}
	right()
	return nil
}

// door is what one must have a token for.
type door struct {
	realm string
	wants string // in words
	valid []digest
}

// admit returns what is wrong with the Authorization header of a request, if anything.
func (d door) admit(authorization string) error {
	if len(d.valid) == 0 {
		return nil
	}
	token, ok := bearer(authorization)
	switch {
	case !ok:
		return newProblem(nodeapi.ProblemCodeUnauthorized, "%s: send it as 'Authorization: Bearer <token>'", d.wants).
			with("WWW-Authenticate", fmt.Sprintf("Bearer realm=%q", d.realm))
	case !d.knows(token):
		return newProblem(nodeapi.ProblemCodeUnauthorized, "the token is not valid").
			with("WWW-Authenticate", fmt.Sprintf("Bearer realm=%q, error=%q", d.realm, "invalid_token"))
	}
	return nil
}

// bearer returns the token of an Authorization header, if that is how it carries one.
func bearer(authorization string) (token string, ok bool) {
	scheme, token, _ := strings.Cut(authorization, " ")
	token = strings.TrimLeft(token, " ")
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

// knows reports whether a token is valid. Its duration reveals nothing about the valid tokens.
func (d door) knows(token string) bool {
	given, matches := digestOf(token), 0
	for _, valid := range d.valid {
		matches |= subtle.ConstantTimeCompare(given[:], valid[:])
	}
	return matches == 1
}
