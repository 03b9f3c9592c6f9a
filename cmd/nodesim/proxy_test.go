package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// A proxy that the environment names stands between every command and an orchestratord elsewhere.
func TestProxies(t *testing.T) {
	emptyEnvironment(t)
	for _, command := range []string{"run", "fleet"} {
		t.Run(command, func(t *testing.T) {
			orchestratord := mocktest.InMemory(t, mockserver.WithTokens("secret"))
			asked := make(chan string, 100)
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked <- r.URL.Host
				orchestratord.ServeHTTP(w, r) // which answers 401
			}))
			defer proxy.Close()
			program := exec.CommandContext(t.Context(), os.Args[0], command, "--orchestratord-url",
				"http://orchestratord.invalid")
			program.Env = append(os.Environ(), asProgram+"=yes", "HTTP_PROXY="+proxy.URL, "NO_PROXY=", "no_proxy=")
			if said, err := program.CombinedOutput(); !strings.Contains(string(said), "answered 401") {
				t.Errorf("it ended with %v, and said %s", err, said)
			}
			select {
			case host := <-asked:
				if host != "orchestratord.invalid" {
					t.Errorf("the proxy was asked for %s", host)
				}
			default:
				t.Error("the proxy was not asked")
			}
		})
	}
}
