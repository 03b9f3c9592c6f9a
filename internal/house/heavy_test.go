package house

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/race"
)

// named is a test of some name, which may be refused.
type named struct {
	testing.TB
	name    string
	refused bool
}

func (n *named) Name() string          { return n.name }
func (n *named) Helper()               {}
func (n *named) Fatalf(string, ...any) { n.refused = true }

// TestHeavyTestsAreFound, so that no test is kept from the race detector and then not run at all.
func TestHeavyTestsAreFound(t *testing.T) {
	script := readText(t, filepath.Join(root, "scripts/test.sh"))
	run := regexp.MustCompile(`-run '(\S+)' "\$@" \$heavy`).FindStringSubmatch(script)
	if run == nil {
		t.Fatal("make test no longer runs the heavy tests by their names")
	}
	for name, found := range map[string]bool{
		"TestLight": false, "TestLight/case_heavy": false, "Test_heavyweight": false,
		"TestBig_heavy": true, "TestBig_heavy/case": true,
	} {
		whole, _, _ := strings.Cut(name, "/")
		n := &named{TB: t, name: name}
		race.Share(n, 0, 0)
		if matched := regexp.MustCompile(run[1]).MatchString(whole); matched != found || n.refused == found {
			t.Errorf("%s: found %t, refused %t, want found %t", name, matched, n.refused, found)
		}
	}
}
