// Package apitext says what is wrong with the text of an OpenAPI document, and in which line.
package apitext

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/internal/utf8text"
	"github.com/llama-orch/node-registration/internal/yamlwords"
)

// Explain returns what is wrong with a text, given the error of the library that reads documents. That may
// be nil: the library takes some that nobody has meant.
func Explain(text []byte, err error) error {
	text = utf8text.Of(text)
	if wrong := checkText(text); wrong != nil {
		return wrong
	}
	root, parsed := parse(text)
	if parsed {
		wrong := checkHead(root)
		if wrong == nil {
			wrong = checkNames(root)
		}
		if wrong != nil {
			return wrong
		}
	}
	if err == nil {
		return nil
	}
	return yamlwords.Plain(aboutReference(root, err))
}

// checkText returns an error for what is no text, or not in UTF-8.
func checkText(text []byte) error {
	line := 1
	for rest := text; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			return fmt.Errorf("line %d: byte 0x%02X is not UTF-8: save the text as UTF-8", line, rest[0])
		case unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' && r != '\u0085':
			return fmt.Errorf("line %d: U+%04X is a control character: must be a text in YAML or JSON", line, r)
		case r == '\n':
			line++
		}
		rest = rest[size:]
	}
	return nil
}

// parse returns the value that a text is, nil for none, and whether it could be read.
func parse(text []byte) (root *yaml.Node, ok bool) {
	if json.Valid(text) { // YAML takes no tabs
		text = bytes.ReplaceAll(text, []byte("\t"), []byte(" "))
	}
	var document yaml.Node
	if yaml.Unmarshal(text, &document) != nil {
		return nil, false
	}
	if len(document.Content) == 0 {
		return nil, true
	}
	return document.Content[0], true
}
