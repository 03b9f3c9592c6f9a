// Package optional reads and writes the optional fields of generated types.
package optional

// Or returns what a field holds, or a value for when it is missing.
func Or[T any](field *T, missing T) T {
	if field == nil {
		return missing
	}
	return *field
}

// Stated returns a field that holds a value, or nil for a zero one, which states nothing.
func Stated[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}
