package conformance

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCredentialsInAShell shows that a command that repeats a call sends what the call has sent.
func TestCredentialsInAShell(t *testing.T) {
	const token = "an-example-of-a-token"
	for _, c := range wrongCredentials(token) {
		if len(c.header) == 0 || !strings.HasPrefix(c.shell, "-H") || strings.HasSuffix(c.shell, `;"`) {
			continue // curl itself makes the header
		}
		command := exec.CommandContext(t.Context(), "bash", "-c", `printf '%s\n' `+c.shell)
		command.Env = append(os.Environ(), "LLORCH_API_TOKEN="+token)
		sent, err := command.Output()
		got := http.Header{}
		for line := range strings.Lines(strings.ReplaceAll(string(sent), "-H\n", "")) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			got[name] = append(got[name], value)
		}
		if diff := cmp.Diff(c.header, got); err != nil || diff != "" {
			t.Errorf("%s: %v, -sent +got:\n%s", c.what, err, diff)
		}
	}
}
