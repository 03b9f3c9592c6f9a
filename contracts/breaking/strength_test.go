package breaking_test

import (
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/llama-orch/node-registration/contracts/breaking"
	"github.com/llama-orch/node-registration/internal/strength"
)

// parties are all whom a sabotage may hurt.
var parties = []breaking.Party{breaking.OldNodes, breaking.NewNodes, breaking.Users}

// harmless are the sabotages that need not be found, by what their names match, and why.
var harmless = map[string]string{
	`minLength (one less|one more|gone)$`:      "the pattern asks for as much, or for more",
	`format (gone|int64|int32)$`:               "minimum and maximum say as much",
	`^(NodeStatus|ProblemCode) nullable true$`: "an enum that lacks null does not allow it",
}

// TestStrength changes one thing about the document at a time. Nearly every change has to
// be found, and what is said of it names the culprit.
func TestStrength(t *testing.T) {
	text := committedDocument(t)
	tally := strength.Of("the document, by `nodecontract diff`")
	eachCompared(t, text, newSaboteur(t, text).all(), func(s sabotage, report *breaking.Report, err error) {
		switch reason := s.harmless(); {
		case err != nil:
			tally.Found()
		case report.Breaks(parties...):
			tally.Found()
			s.isNamed(t, report)
		case reason != "":
			tally.Tolerated(reason)
		default:
			tally.Missed(s.name)
		}
	})
	tally.Require(t, slices.Collect(maps.Values(harmless))...)
}

// TestControls changes what nobody minds.
func TestControls(t *testing.T) {
	text := committedDocument(t)
	eachCompared(t, text, newSaboteur(t, text).controls(), func(s sabotage, report *breaking.Report, err error) {
		if err != nil || report.Breaks(parties...) {
			t.Errorf("%s: error %v, %+v", s.name, err, report)
		}
	})
}

func committedDocument(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../openapi/nodes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// eachCompared compares the document with each sabotage of it. What it calls is called once at a time.
func eachCompared(t *testing.T, text []byte, all []sabotage, then func(sabotage, *breaking.Report, error)) {
	t.Helper()
	var mu sync.Mutex
	var wait sync.WaitGroup
	room := make(chan struct{}, 4)
	base := breaking.Source{Name: "base", Data: text}
	for _, s := range all {
		room <- struct{}{}
		wait.Go(func() {
			defer func() { <-room }()
			report, err := breaking.Compare(t.Context(), base, breaking.Source{Name: "sabotaged", Data: s.text})
			mu.Lock()
			defer mu.Unlock()
			then(s, report, err)
		})
	}
	wait.Wait()
}

// harmless returns why a sabotage need not be found, empty if it must.
func (s sabotage) harmless() string {
	for pattern, reason := range harmless {
		if regexp.MustCompile(pattern).MatchString(s.name) {
			return reason
		}
	}
	return ""
}

// isNamed fails unless what is said of a sabotage names the culprit.
func (s sabotage) isNamed(t *testing.T, report *breaking.Report) {
	t.Helper()
	said := ""
	for _, change := range report.Changes {
		if len(change.Breaks) > 0 {
			said += change.What + " " + strings.Join(change.Where, " ") + "\n"
		}
	}
	if !strings.Contains(said, s.culprit) && !strings.Contains(said, http.CanonicalHeaderKey(s.culprit)) {
		t.Errorf("%s: %q is not named by:\n%s", s.name, s.culprit, said)
	}
}
