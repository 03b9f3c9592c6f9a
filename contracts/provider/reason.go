//go:build pact

package provider

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// maxReason bounds what is shown of an answer, in characters.
const maxReason = 500

// reason returns why an answer refuses a request, as far as it can be understood. It is the
// detail of problem+json, else a message, an error or the text itself.
func reason(body []byte) string {
	text := strings.TrimSpace(string(body))
	var fields map[string]any
	if json.Unmarshal(body, &fields) == nil {
		if inner, ok := fields["error"].(map[string]any); ok {
			fields = inner
		}
		field := func(name string) string {
			value, _ := fields[name].(string)
			return value
		}
		text = cmp.Or(field("detail"), field("message"), field("error"), field("reason"), field("title"), text)
	}
	return foreign.Cut(text, maxReason)
}

// because returns the reason of an answer to append to what is said of it.
func because(body []byte) string {
	if why := reason(body); why != "" {
		return "; its reason: " + why
	}
	return "; it gives no reason"
}
