//go:build pact

package usage

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/results"
)

const (
	pact  = root + "/contracts/pacts/pool-managerd-orchestratord.json"
	token = "LLORCH_API_TOKEN=the-token-of-this-orchestratord-0123456789"
)

// serveMock starts the mock, and returns its URL.
func serveMock(t *testing.T, args ...string) string {
	t.Helper()
	mock := exec.CommandContext(t.Context(), filepath.Join(bin, "mock-orchestratord"),
		append(args, "--addr", "127.0.0.1:0")...)
	mock.Env = append(bareEnvironment(), token)
	stdout, err := mock.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := mock.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = mock.Process.Kill()
		_ = mock.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	_, url, found := strings.Cut(line, " listens on ")
	url, _, _ = strings.Cut(url, " ")
	if err != nil || !found {
		t.Fatalf("the mock says %q: %v", line, err)
	}
	return url
}

// pact-verify needs no more than the URL of an orchestratord, and its token.
func TestPactOfTheMock(t *testing.T) {
	file, err := filepath.Abs(pact)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	junit, verified := filepath.Join(dir, "junit.xml"), filepath.Join(dir, "verified.json")
	got := start(t, []string{token}, "pact-verify", "--provider-url", serveMock(t), "--pact", file,
		"--report", "human", "--report", "github", "--report", "junit="+junit, "--results", verified)
	for _, want := range []string{
		"passed   a heartbeat with one pool\n",
		"skipped  a list while the cloud profile is off\n",
		"20 of 29 interactions passed, 0 failed, 9 skipped\n",
		"::notice title=What pool-managerd needs of orchestratord%2C at http%3A//127.0.0.1%3A",
	} {
		if got.status != 0 || !strings.Contains(got.stdout, want) {
			t.Errorf("exit status %d, no %q in:\n%s%s", got.status, want, got.stdout, got.stderr)
		}
	}
	written, err := os.ReadFile(junit)
	if err != nil || !strings.Contains(string(written), `tests="29" failures="0" errors="0" skipped="9"`) {
		t.Errorf("the error is %v, the JUnit report:\n%s", err, written)
	}
	outcome, err := results.Read(verified)
	if err != nil || len(outcome.Interactions) != 29 {
		t.Errorf("the error is %v, the results are %v", err, outcome)
	}
}

// A proxy that nobody reaches stands between neither pact-verify and orchestratord nor
// pact-verify and the Pact library, which is not heard.
func TestPactOfTheOneInService(t *testing.T) {
	file, err := filepath.Abs(pact)
	if err != nil {
		t.Fatal(err)
	}
	env := []string{token, "NO_PROXY=elsewhere.test", "no_proxy=elsewhere.test"}
	for _, proxy := range []string{"http_proxy", "HTTP_PROXY", "ALL_PROXY"} {
		env = append(env, proxy+"=http://127.0.0.1:1")
	}
	got := start(t, env, "pact-verify", "--provider-url", serveMock(t, "--dialect", "in-service"), "--pact", file)
	out := got.stdout + got.stderr
	if got.status != 0 || !strings.HasSuffix(out, "\n20 of 29 interactions passed, 0 failed, 9 skipped\n") {
		t.Errorf("exit status %d:\n%s", got.status, out)
	}
	if strings.Contains(out, "Verifying a pact") {
		t.Errorf("the Pact library is heard:\n%s", out)
	}
}
