// Package wrongtype says where a value of a JSON or YAML text has a type that does not belong there. The
// decoders name types of Go, which the author of a file does not know.
package wrongtype

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/internal/yamlwords"
)

// The errors of YAML's decoder that name a type of Go.
var (
	mistyped = regexp.MustCompile(`(?s)cannot unmarshal !!(\w+).* into .*`)
	unknown  = regexp.MustCompile(`(?s)(field .+ not found) in type .*`)
)

// Explain returns an error of a decoder without the types of Go.
func Explain(err error) error {
	var (
		inJSON *json.UnmarshalTypeError
		inYAML *yaml.TypeError
	)
	switch {
	case errors.As(err, &inJSON):
		at := cmp.Or(strings.Trim(inJSON.Field, "."), "the whole")
		return fmt.Errorf("%s is of type %s, which does not belong there", at, inJSON.Value)
	case errors.As(err, &inYAML):
		var texts []string
		for _, text := range inYAML.Errors {
			text = mistyped.ReplaceAllString(text, "a value of type $1 does not belong there")
			texts = append(texts, unknown.ReplaceAllString(text, "$1"))
		}
		return errors.New(strings.Join(texts, "; "))
	}
	return yamlwords.Plain(err)
}
