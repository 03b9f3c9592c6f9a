package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// answers sends every check to a contestant and returns the statuses of the answers. Who
// does not give the right answer to a good request is not measured.
func (p *process) answers(ctx context.Context, s scenario) ([]int, error) {
	var statuses []int
	for _, check := range s.Request.Checks {
		path, body := check.of(s.Request, s.Node)
		status, answer, err := p.post(ctx, path, body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", check.Name, err)
		}
		good := check.Body == nil && check.Status == http.StatusOK
		if good && (status != http.StatusOK || !sameJSON(answer, s.Request.Answer)) {
			return nil, fmt.Errorf("a good request is answered %d: %s", status, answer)
		}
		statuses = append(statuses, status)
	}
	return statuses, nil
}

// sameJSON reports whether two texts are the same but for space and the order of fields.
func sameJSON(a, b []byte) bool {
	sorted := func(text []byte) []byte {
		var value any
		if json.Unmarshal(text, &value) != nil {
			return nil
		}
		sorted, _ := json.Marshal(value)
		return sorted
	}
	return sorted(a) != nil && bytes.Equal(sorted(a), sorted(b))
}
