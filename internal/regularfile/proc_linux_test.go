package regularfile_test

import (
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/regularfile"
)

// The limit holds for files of the kernel, which have no size, too.
func TestFilesWithoutASize(t *testing.T) {
	const file = "/proc/self/status"
	if _, err := regularfile.Read(t.Context(), file, 5); err == nil ||
		!strings.Contains(err.Error(), file+" is larger than 5 bytes") {
		t.Errorf("error is %v", err)
	}
}
