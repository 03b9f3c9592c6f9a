// Package controlapi is the server of the control API, generated from its document. It reads parameters
// and bodies, calls the handler of the operation and writes its answer.
package controlapi

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// write writes an answer unless its value has no JSON.
func write(w http.ResponseWriter, status int, contentType string, value any) error {
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(value); err != nil {
		return err
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, err := body.WriteTo(w)
	return err
}
