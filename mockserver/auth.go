package mockserver

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// digest stands for a token, so that the server does not keep tokens that it could
// give away.
type digest [sha256.Size]byte

func digestOf(token string) digest {
	return sha256.Sum256([]byte(token))
}

// authenticate turns away requests without a valid token (CLOUD-4005), if the server
// has tokens.
func (s *Server) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := s.admit(r.Header.Get("Authorization")); p != nil {
			s.writeProblem(w, r, p)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// admit returns what is wrong with the Authorization header of a request, if anything.
func (s *Server) admit(authorization string) *problem {
	scheme, token, _ := strings.Cut(authorization, " ")
	token = strings.TrimLeft(token, " ")
	switch {
	case len(s.tokens) == 0:
		return nil
	case !strings.EqualFold(scheme, "Bearer") || token == "":
		return newProblem(nodeapi.ProblemCodeUnauthorized,
			"this orchestratord wants a token: send it as 'Authorization: Bearer <token>'").
			with("WWW-Authenticate", `Bearer realm="orchestratord"`)
	case !s.knows(token):
		return newProblem(nodeapi.ProblemCodeUnauthorized, "the token is not valid").
			with("WWW-Authenticate", `Bearer realm="orchestratord", error="invalid_token"`)
	}
	return nil
}

// knows reports whether a token is valid. How long it takes tells nothing about the
// tokens that are.
func (s *Server) knows(token string) bool {
	given, matches := digestOf(token), 0
	for _, valid := range s.tokens {
		matches |= subtle.ConstantTimeCompare(given[:], valid[:])
	}
	return matches == 1
}
