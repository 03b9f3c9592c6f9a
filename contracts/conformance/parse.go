package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// parse decodes a body that holds exactly one JSON value.
func parse(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("text that is not UTF-8")
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return nil, err
	}
	if halved(body, value) {
		return nil, errors.New("half of a surrogate pair, which some parsers refuse")
	}
	if colons(body) == entries(value) {
		return value, nil
	}
	return value, duplicates(body)
}

// colons counts the colons of a body that are in no text: one for each field of an object.
func colons(body []byte) (count int) {
	text := false
	for i := 0; i < len(body); i++ {
		switch {
		case body[i] == '"':
			text = !text
		case text && body[i] == '\\':
			i++
		case !text && body[i] == ':':
			count++
		}
	}
	return count
}

// entries counts the fields of all objects in a value.
func entries(value any) (count int) {
	switch value := value.(type) {
	case map[string]any:
		count = len(value)
		for _, member := range value {
			count += entries(member)
		}
	case []any:
		for _, item := range value {
			count += entries(item)
		}
	}
	return count
}

// halved reports whether a body has an escape for half of a character. Our parser reads U+FFFD for it.
func halved(body []byte, value any) bool {
	if !bytes.Contains(body, []byte(`\u`)) {
		return false
	}
	body = bytes.ToLower(body)
	sent := bytes.Count(body, []byte("\ufffd")) + bytes.Count(body, []byte(`\ufffd`))
	return bytes.Count(encode(value), []byte("\ufffd")) > sent
}

// duplicates returns an error that names a field that an object has twice. Parsers differ in which of
// the two values they use.
func duplicates(body []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	var seen []map[string]bool // by depth; nil for an array
	key := false
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil
		}
		switch token := token.(type) {
		case json.Delim:
			switch token {
			case '{':
				seen = append(seen, map[string]bool{})
			case '[':
				seen = append(seen, nil)
			default:
				seen = seen[:len(seen)-1]
			}
			key = len(seen) > 0 && seen[len(seen)-1] != nil
			continue
		case string:
			if key {
				if names := seen[len(seen)-1]; names[token] {
					return fmt.Errorf("the field %q twice in one object", short(token))
				} else {
					names[token] = true
				}
				key = false
				continue
			}
		}
		key = len(seen) > 0 && seen[len(seen)-1] != nil
	}
}
