// Package target checks that an orchestratord can be asked: its URL, the token, its first answer.
package target

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/llama-orch/node-registration/internal/bearer"
	"github.com/llama-orch/node-registration/internal/weburl"
)

// Parse reads the base URL of an orchestratord. It fails for one that no node could use, and for a
// token that no header can carry.
func Parse(base, token string) (*url.URL, error) {
	u, err := weburl.ParseBase(base)
	if err != nil {
		return nil, fmt.Errorf("the URL of orchestratord %w", err)
	}
	return u, bearer.Check(token)
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
