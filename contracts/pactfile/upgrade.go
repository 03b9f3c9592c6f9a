package pactfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

type object = map[string]any

// upgrade returns an interaction of specification 2 or 3 as specification 4 writes it.
func upgrade(data []byte) ([]byte, error) {
	var interaction object
	if err := json.Unmarshal(data, &interaction); err != nil {
		return nil, err
	}
	if interaction == nil {
		return nil, errors.New("it is null, not an object")
	}
	if _, stated := interaction["type"]; !stated {
		interaction["type"] = "Synchronous/HTTP"
	}
	for _, name := range []string{"providerState", "provider_state"} {
		if state, stated := interaction[name].(string); stated && state != "" {
			interaction["providerStates"] = []object{{"name": state}}
		}
	}
	for _, name := range []string{"request", "response"} {
		if message, stated := interaction[name].(object); stated {
			if err := upgradeMessage(message); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return json.Marshal(interaction)
}

func upgradeMessage(message object) error {
	contentType := ""
	headers, _ := message["headers"].(object)
	for name, value := range headers {
		headers[name] = asList(value)
		if http.CanonicalHeaderKey(name) == "Content-Type" {
			contentType = fmt.Sprint(asList(value)[0])
		}
	}
	switch query := message["query"].(type) {
	case string:
		values, err := url.ParseQuery(query)
		if err != nil {
			return err
		}
		message["query"] = values
	case object:
		for name, value := range query {
			query[name] = asList(value)
		}
	}
	if body, stated := message["body"]; stated {
		message["body"] = object{"content": body, "contentType": contentType}
	}
	if rules, stated := message["matchingRules"].(object); stated {
		return upgradeRules(rules)
	}
	return nil
}

// asList returns the one value that older specifications have where there may be more.
func asList(value any) []any {
	if list, isList := value.([]any); isList && len(list) > 0 {
		return list
	}
	return []any{value}
}

// upgradeRules moves rules of specification 2, such as $.headers.Accept, into their categories.
// It leaves those of specification 3 as they are.
func upgradeRules(rules object) error {
	for _, path := range slices.Sorted(maps.Keys(rules)) {
		rest, flat := strings.CutPrefix(path, "$.")
		if !flat {
			continue
		}
		set := object{"matchers": []any{named(rules[path])}}
		delete(rules, path)
		category, inside := rest, ""
		if end := strings.IndexAny(rest, ".["); end >= 0 {
			category, inside = rest[:end], rest[end:]
		}
		var err error
		switch category {
		case "path":
			rules["path"] = set
		case "body":
			err = addTo(rules, "body", "$"+inside, set)
		default: // header, headers, query
			err = addTo(rules, strings.TrimSuffix(category, "s"), ruleName("$"+inside), set)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// named returns a rule with its name, which specification 2 lets be left out.
func named(rule any) any {
	fields, ok := rule.(object)
	if !ok || fields["match"] != nil {
		return rule
	}
	fields["match"] = "type"
	if fields["regex"] != nil {
		fields["match"] = "regex"
	}
	return fields
}

func addTo(rules object, category, name string, set object) error {
	if rules[category] == nil {
		rules[category] = object{}
	}
	sets, ok := rules[category].(object)
	if !ok {
		return fmt.Errorf("the matching rules for %s are not an object", category)
	}
	sets[name] = set
	return nil
}
