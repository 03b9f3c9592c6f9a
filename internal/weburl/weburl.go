// Package weburl reads the URLs of servers that settings state. What is wrong with one is said in
// the words that follow its name, without the parts of the URL that may hold a secret.
package weburl

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// Parse reads an http or https URL with a host and without credentials.
func Parse(text string) (*url.URL, error) {
	where, err := url.Parse(text)
	switch {
	case text == "":
		return nil, errors.New("is empty")
	case strings.ContainsFunc(text, unicode.IsSpace):
		return nil, errors.New("holds a blank or a line break: must be without")
	case !strings.Contains(text, "://"):
		return nil, errors.New("lacks its scheme, " + schemeFor(text))
	case err != nil, where.Scheme != "http" && where.Scheme != "https", where.Hostname() == "":
		return nil, errors.New("must be an http or https URL with a host, such as http://127.0.0.1:8080")
	case !isPort(where.Port()):
		return nil, errors.New("has a port that is not within 1 to 65535")
	case where.User != nil:
		return nil, errors.New("holds credentials: must be without, they have settings of their own")
	}
	return where, nil
}

// ParseBase is Parse for a URL that paths are added to.
func ParseBase(text string) (*url.URL, error) {
	where, err := Parse(text)
	if err == nil && strings.ContainsAny(text, "?#") {
		return nil, errors.New("has a query or a fragment: must end before it")
	}
	return where, err
}

// schemeFor shows a text that lacks its scheme with one, if nothing else is wrong with it.
func schemeFor(text string) string {
	const room = 80
	whole := "http://" + strings.TrimLeft(text, "/")
	_, err := Parse(whole)
	if err != nil || len(text) > room || strings.HasPrefix(text, "http") || strings.ContainsAny(text, "@?#") {
		return "http:// or https://"
	}
	return "as in " + whole
}

// isPort reports whether the port of a URL is valid. An empty one means the scheme's default.
func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && port > 0
}
