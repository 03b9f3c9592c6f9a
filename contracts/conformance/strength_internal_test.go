package conformance

import (
	"context"
	"flag"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/contracts/internal/memnet"
	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/internal/strength"
	"github.com/llama-orch/node-registration/mockserver"
)

// strengthToken is that of the mock.
const strengthToken = "Strength-0123456789abcdefABCDEF"

var showAll = flag.Bool("strength-found", false, "show by what each sabotage was found")

// TestStrength_heavy has a saboteur break one thing at a time, and demands that the checks find
// nearly all of it. What they need not find stands in testdata/tolerated.yaml.
func TestStrength_heavy(t *testing.T) {
	race.Skip(t)
	doc := mustRead(t)
	reasons := tolerated(t)
	all := sabotages(doc)
	tally := strength.Of("an orchestratord, by `nodecontract conform`")
	synctest.Test(t, func(t *testing.T) { sabotageAll(t, doc, all, reasons, tally) })
	checkNames(t, all, reasons)
	tally.Require(t)
}

// sabotageAll tries the sabotages, some at once, and counts which are found.
func sabotageAll(t *testing.T, doc *document, all []sabotage, reasons map[string]string, tally *strength.Tally) {
	var wait sync.WaitGroup
	room := make(chan struct{}, 8)
	for i, s := range all {
		if !strength.Tries(i, 64) {
			continue
		}
		room <- struct{}{}
		wait.Go(func() {
			defer func() { <-room }()
			caught, by := sabotaged(t, doc, s)
			switch reason := reasons[s.name]; {
			case caught && reason != "":
				t.Errorf("%s: is tolerated for nothing, as it is found: %s", s.name, by)
			case reason != "":
				tally.Tolerated(reason)
			case caught:
				tally.Found()
				s.isNamed(t, by)
			default:
				tally.Missed(s.name)
			}
		})
	}
	wait.Wait()
}

// isNamed fails unless what was found names the culprit.
func (s sabotage) isNamed(t *testing.T, found string) {
	t.Helper()
	if *showAll {
		t.Logf("%s: %s", s.name, found)
	}
	if !strings.Contains(strings.ToLower(found), strings.ToLower(s.culprit)) {
		t.Errorf("%s: %q is not named by: %s", s.name, s.culprit, found)
	}
}

// sabotaged runs all checks against a mock with one thing broken.
func sabotaged(t *testing.T, doc *document, s sabotage) (caught bool, by string) {
	options := []mockserver.Option{mockserver.WithTokens(strengthToken), mockserver.WithJournal(0)}
	mock, err := mockserver.New(append(options, s.mock...)...)
	if err != nil {
		t.Error(err)
		return false, ""
	}
	defer mock.Close()
	o := Options{
		URL: memnet.URL, Dial: memnet.Serve(t, saboteur(doc, mock, s)), Token: strengthToken,
		Level: s.level, FirstOnly: true,
	}
	if s.options != nil {
		s.options(&o)
	}
	report, err := Run(context.Background(), o)
	switch {
	case err != nil:
		return true, err.Error()
	case report.Conforms():
		return false, ""
	}
	return true, report.Findings[0].String()
}

// tolerated reads which sabotages need not be found, and why.
func tolerated(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/tolerated.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var groups []struct {
		Reason    string
		Sabotages []string
	}
	if err := yaml.Unmarshal(text, &groups); err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, group := range groups {
		if strings.TrimSpace(group.Reason) == "" {
			t.Errorf("%q are tolerated without a reason", group.Sabotages)
		}
		for _, name := range group.Sabotages {
			reasons[name] = group.Reason
		}
	}
	return reasons
}

// checkNames makes sure that a name stands for one sabotage, and that all are known.
func checkNames(t *testing.T, all []sabotage, reasons map[string]string) {
	t.Helper()
	var names []string
	for _, s := range all {
		if slices.Contains(names, s.name) {
			t.Errorf("two sabotages are named %q", s.name)
		}
		names = append(names, s.name)
	}
	for name := range reasons {
		if !slices.Contains(names, name) {
			t.Errorf("there is no sabotage %q to tolerate", name)
		}
	}
}
