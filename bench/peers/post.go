package main

import (
	"context"
	"io"
	"net/http"
	"strings"
)

// post sends a body over a connection that it closes, and returns the answer.
func (p *process) post(ctx context.Context, path, body string) (status int, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Close = true
	return send(http.DefaultClient, r)
}

func send(client *http.Client, r *http.Request) (status int, answer []byte, err error) {
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}
