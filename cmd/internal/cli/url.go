package cli

import (
	"net/url"

	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/internal/weburl"
)

// BaseURL returns the value of a flag that is a URL which paths are added to.
func BaseURL(text *string) pflag.Value { return &urlValue{text, weburl.ParseBase} }

// URL returns the value of a flag that is the URL of a page.
func URL(text *string) pflag.Value { return &urlValue{text, weburl.Parse} }

type urlValue struct {
	text  *string
	parse func(string) (*url.URL, error)
}

// Set sets the URL. One that is empty counts as not set.
func (u *urlValue) Set(text string) error {
	if text != "" {
		if _, err := u.parse(text); err != nil {
			return err
		}
	}
	*u.text = text
	return nil
}

// String returns the URL.
func (u *urlValue) String() string { return *u.text }

// Type names the value in the help text.
func (*urlValue) Type() string { return "URL" }
