// Package optional reads the optional fields of generated types.
package optional

// Or returns what a field holds, or a value for when it is missing.
func Or[T any](field *T, missing T) T {
	if field == nil {
		return missing
	}
	return *field
}
