// Package jsonpointer writes JSON pointers (RFC 6901).
package jsonpointer

import "strings"

var escapes = strings.NewReplacer("~", "~0", "/", "~1")

// Token returns a name as a token of a pointer, without the slash before it.
func Token(name string) string { return escapes.Replace(name) }

// Join appends names to a pointer.
func Join(pointer string, names ...string) string {
	for _, name := range names {
		pointer += "/" + Token(name)
	}
	return pointer
}
