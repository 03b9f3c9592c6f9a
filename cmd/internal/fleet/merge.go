package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/llama-orch/node-registration/internal/regularfile"
	"github.com/llama-orch/node-registration/internal/wrongtype"
)

// Merge returns the sum of the reports in files, which are JSON. The error names every file that
// cannot be added.
func Merge(ctx context.Context, files []string) (*Report, error) {
	sum := &Report{tally: newTally()}
	var wrong []error
	for _, file := range files {
		r, err := readReport(ctx, file)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		if err := sum.Add(r); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", file, err))
		}
	}
	return sum, errors.Join(wrong...)
}

// maxReport is far more than any report is long.
const maxReport = 64 << 20

func readReport(ctx context.Context, file string) (*Report, error) {
	content, err := regularfile.Read(ctx, file, maxReport)
	if err != nil {
		return nil, err
	}
	r := &Report{tally: newTally()}
	if err := json.Unmarshal(content, r); err != nil {
		return nil, fmt.Errorf("%s: not a report of nodesim fleet --report json: %w", file, wrongtype.Explain(err))
	}
	if len(r.Fleets) == 0 {
		return nil, fmt.Errorf("%s: not a report of nodesim fleet --report json", file)
	}
	return r, nil
}
