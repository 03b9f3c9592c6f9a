// Package api is the server of the node API, generated from its document. It reads parameters, calls the
// handler of the operation and writes its answer.
package api

import (
	"fmt"
	"net/http"
)

// ValueWriter is the http.ResponseWriter that the answers here are for. It encodes values.
type ValueWriter interface {
	WriteValue(status int, contentType string, value any) error
}

func write(w http.ResponseWriter, status int, contentType string, value any) error {
	to, ok := w.(ValueWriter)
	if !ok {
		return fmt.Errorf("a value cannot be written to %T", w)
	}
	return to.WriteValue(status, contentType, value)
}
