// Package wrongtype says where a value of a JSON text has a type that does not belong there. The decoder
// names types of Go, which the author of a file does not know.
package wrongtype

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/llama-orch/node-registration/internal/yamlwords"
)

// Explain returns an error of a decoder without the types of Go. Package yamlwords words those of YAML.
func Explain(err error) error {
	if inJSON, is := errors.AsType[*json.UnmarshalTypeError](err); is {
		at := cmp.Or(strings.Trim(inJSON.Field, "."), "the whole")
		return fmt.Errorf("%s is of type %s, which does not belong there", at, inJSON.Value)
	}
	return yamlwords.Plain(err)
}
