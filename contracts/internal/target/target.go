// Package target checks that an orchestratord can be asked: its URL, the token, its first answer.
package target

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/llama-orch/node-registration/internal/weburl"
)

// Parse reads the base URL of an orchestratord. It fails for one that no node could use, and for a
// token that no header can carry.
func Parse(base, token string) (*url.URL, error) {
	u, err := weburl.ParseBase(base)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the URL of orchestratord %w", err)
	case strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c >= 0x7f }):
		return nil, errors.New(
			"the token holds a character that a header cannot carry, perhaps a line break at its end")
	}
	return u, nil
}

// Refusal returns why an orchestratord that answers a list of its nodes with a status, given a token or
// none, cannot be asked anything. It is empty for one that can.
func Refusal(status int, token string) string {
	switch {
	case status/100 == 3:
		return "it redirects, and no node follows"
	case status == http.StatusUnauthorized && token == "":
		return "it requires a token"
	case status == http.StatusUnauthorized:
		return "it does not accept the token"
	case status == http.StatusServiceUnavailable:
		return "it is not ready, or its cloud profile is switched off"
	case status == http.StatusNotFound:
		return "is this the base URL of an orchestratord?"
	}
	return ""
}
