package registration

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/llama-orch/node-registration/internal/bearer"
	"github.com/llama-orch/node-registration/internal/regularfile"
)

// TokenSource returns the bearer token to send (CLOUD-4001), empty for none. It is called
// before every request, and once more when orchestratord does not accept what it returned. So
// a token can be replaced while the node runs (CLOUD-4011). While heartbeats run and their
// token is refused, it is called every second. A new token is then tried at once, but several
// in a row less and less often. The source should keep a token that is costly to get. It
// should return when its ctx ends: the request that waits for it has failed by then, and no
// other is sent before it returns.
//
// A source is a function so that whoever prints a Config sees no token.
type TokenSource func(ctx context.Context) (string, error)

// StaticToken returns the source of one token, with white space around it ignored. It is nil for
// an empty token. White space alone is a token that cannot be sent: a secret that was lost on its
// way must not pass for none.
func StaticToken(token string) TokenSource {
	if token == "" {
		return nil
	}
	if token = strings.TrimSpace(token); token == "" {
		return func(context.Context) (string, error) { return "", bearer.ErrUnsendable }
	}
	return func(context.Context) (string, error) { return token, nil }
}

// maxTokenFile is how large a token file may be.
const maxTokenFile = 64 << 10

// TokenFile returns the source of the token that a file holds at the time, with
// white space around it ignored. It must be a regular file of 64 KiB at the most, and may
// be rewritten or replaced while the node runs. While it is missing, empty or not such a
// file, requests fail and are retried.
func TokenFile(path string) TokenSource {
	return regularfile.NewPatient(maxTokenFile, func(texts [][]byte) (string, error) {
		token := strings.TrimSpace(string(texts[0]))
		if token == "" {
			return "", fmt.Errorf("%s is empty", path)
		}
		return token, nil
	}, path).Read
}

// strongToken is the length from which a token is hard to guess (CLOUD-4010).
const strongToken = 32

// read returns the current token. It turns a panic of the source into an error. Its own
// errors never show a token or the value of a panic.
func (s TokenSource) read(ctx context.Context) (token string, err error) {
	if s == nil {
		return "", nil
	}
	defer func() {
		if recover() != nil {
			token, err = "", errors.New("no token: its source panicked")
		}
	}()
	token, err = s(ctx)
	if err != nil {
		return "", fmt.Errorf("no token: %w", err)
	}
	if err := bearer.Check(token); err != nil {
		return "", err
	}
	return token, nil
}
