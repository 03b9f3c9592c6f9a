package house

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// cli.Main silences the standard logger, through which net/http shows bytes that may be credentials.
func TestProgramsBeginInMain(t *testing.T) {
	programs, err := filepath.Glob(filepath.Join(root, "cmd", "*", "main.go"))
	if err != nil || len(programs) == 0 {
		t.Fatalf("programs %s: %v", programs, err)
	}
	for _, program := range programs {
		if text, err := os.ReadFile(program); err != nil || !bytes.Contains(text, []byte("cli.Main(")) {
			t.Errorf("%s does not begin in cli.Main: %v", program, err)
		}
	}
}
