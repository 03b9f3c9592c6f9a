package cli_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
)

// TestByFlags has errors within others, one of them in words of its own.
func TestByFlags(t *testing.T) {
	head, cause := errors.New("invalid"), errors.New("it lacks parts")
	flags := map[string]string{"document": "--document d.yaml", "pools": "--pool", "invalid": ""}
	err := cli.ByFlags(fmt.Errorf("%w: %w", head, errors.Join(
		errors.New("first"), fmt.Errorf("document: %w", cause), errors.New("pools/12 is empty"),
	)), flags)
	if want := "first\n--document d.yaml: it lacks parts\n--pool is empty"; err.Error() != want {
		t.Errorf("error is %q, want %q", err, want)
	}
	if !errors.Is(err, cause) || errors.Is(err, head) {
		t.Errorf("error %q is another than it was", err)
	}
	if err := cli.ByFlags(nil, flags); err != nil {
		t.Errorf("no error has become %v", err)
	}
}
