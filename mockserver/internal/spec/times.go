package spec

import "strings"

// InCapitals returns a decoded body with its times in capitals, as the types of the node API read them. RFC 3339
// has small letters too.
func InCapitals(schema *Schema, value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if field := schema.field(name); field != nil {
				value[name] = InCapitals(field, member)
			}
		}
	case []any:
		for i, item := range value {
			value[i] = InCapitals(schema.items(), item)
		}
	case string:
		if schema != nil && schema.raw.Format == "date-time" {
			return strings.ToUpper(value)
		}
	}
	return value
}
