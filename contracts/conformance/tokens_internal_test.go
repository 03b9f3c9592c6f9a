package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestCredentialsInAShell shows that a command that repeats a call sends what the call has sent.
func TestCredentialsInAShell(t *testing.T) {
	const token = "an-example-of-a-token"
	for _, c := range wrongCredentials(token) {
		if len(c.values) == 0 || !strings.HasPrefix(c.shell, "-H") || c.values[0] == "" {
			continue // curl itself makes the header
		}
		command := exec.CommandContext(t.Context(), "bash", "-c", `printf '%s\n' `+c.shell)
		command.Env = append(os.Environ(), "LLORCH_API_TOKEN="+token)
		sent, err := command.Output()
		want := ""
		for _, value := range c.values {
			want += fmt.Sprintf("-H\nAuthorization: %s\n", value)
		}
		if err != nil || string(sent) != want {
			t.Errorf("%s: %v, got %q, want %q", c.what, err, sent, want)
		}
	}
}
