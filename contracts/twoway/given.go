package twoway

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/llama-orch/node-registration/contracts/pactfile"
)

// mentions returns the texts in the requests and the states of a pact.
func mentions(pact *pactfile.File) map[string]bool {
	found := map[string]bool{}
	for i := range pact.Interactions {
		mention(found, given(&pact.Interactions[i])...)
	}
	return found
}

// given returns what a provider knows from an interaction: its request, its states and the
// status that it is to answer with.
func given(interaction *pactfile.Interaction) []any {
	values := append(requestValues(&interaction.Request), float64(interaction.Response.Status))
	for _, state := range interaction.States {
		values = append(values, map[string]any(state.Params))
	}
	return values
}

func requestValues(request *pactfile.Request) []any {
	var values []any
	for _, segment := range strings.Split(request.Path, "/") {
		if text, err := url.PathUnescape(segment); err == nil && text != "" {
			values = append(values, text)
		}
	}
	for _, texts := range []map[string][]string{request.Query, request.Headers} {
		for _, each := range texts {
			for _, text := range each {
				_, credentials, _ := strings.Cut(text, " ") // after the scheme, as in Authorization
				values = append(values, text, credentials)
			}
		}
	}
	if !request.Body.Empty() {
		values = append(values, request.Body.AsJSON())
	}
	return values
}

// isGiven reports whether a number is among what the provider knows, as a number or as a
// text.
func isGiven(number float64, values ...any) bool {
	return slices.ContainsFunc(values, func(value any) bool {
		switch value := value.(type) {
		case float64:
			return value == number
		case string:
			return value == strconv.FormatFloat(number, 'f', -1, 64)
		case []any:
			return isGiven(number, value...)
		case map[string]any:
			return isGiven(number, slices.Collect(maps.Values(value))...)
		}
		return false
	})
}

func mention(found map[string]bool, values ...any) {
	for _, value := range values {
		switch value := value.(type) {
		case string:
			found[value] = true
		case []any:
			mention(found, value...)
		case map[string]any:
			mention(found, slices.Collect(maps.Values(value))...)
		}
	}
}
