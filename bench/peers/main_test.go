package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const asProgram = "PEERS_TEST_AS_PROGRAM"

// TestMain lets the tests run this program, as it is called.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	m.Run()
}

// TestRefused makes sure that what cannot be measured is refused before anything is.
func TestRefused(t *testing.T) {
	for arguments, says := range map[string]string{
		"register beat":                  `peers: there is no scenario "beat", only heartbeat, register and scale`,
		"-only Prism heartbeat register": `peers: nobody in the scenario register fits "Prism"`,
		"-only (":                        `invalid value "(" for flag -only: error parsing regexp: missing closing )`,
		"-duration 400ms":                "peers: -duration 400ms: wrk takes whole seconds, at least 1s",
		"-duration 1500ms":               "peers: -duration 1.5s: wrk takes whole seconds, at least 1s",
		"-duration 0":                    "peers: -duration 0s: wrk takes whole seconds, at least 1s",
		"-warm-up 500ms":                 "peers: -warm-up 500ms: wrk takes whole seconds, at least 0s",
		"-warm-up -1s":                   "peers: -warm-up -1s: wrk takes whole seconds, at least 0s",
		"-rounds 0":                      "peers: -rounds 0: it is at least 1",
		"-starts -1":                     "peers: -starts -1: it is at least 0",
		"-connections 0":                 "peers: -connections 0: it is at least 1",
		"-nodes 0":                       "peers: -nodes 0: it is at least 1",
		"-rounds 0 -nodes 0":             "peers: -rounds 0: it is at least 1\n-nodes 0: it is at least 1\n",
		"-json nowhere/peers.json":       "peers: -json nowhere/peers.json: stat nowhere: ",
	} {
		t.Run(arguments, func(t *testing.T) {
			words := append([]string{"-home", "..", "-bin", t.TempDir()}, strings.Fields(arguments)...)
			cmd := exec.CommandContext(t.Context(), os.Args[0], words...)
			cmd.Env = append(os.Environ(), asProgram+"=1")
			said, err := cmd.CombinedOutput()
			if err == nil || !strings.HasPrefix(string(said), says) {
				t.Errorf("error %v, and it says:\n%s", err, said)
			}
		})
	}
}

// TestInterrupted makes sure that the scenarios before an interruption are reported.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	scenarios := []scenario{
		{Name: "complete", Title: "Complete", Request: &request{}, contestants: []contestant{
			{name: "lacking", missing: errors.New("it is not installed")},
		}},
		{Name: "cut", Title: "Cut short", Request: &request{}, contestants: []contestant{
			{name: "interrupted", command: func(string) []string {
				cancel(interrupted)
				return []string{filepath.Join(t.TempDir(), "nothing")}
			}},
		}},
	}
	s := settings{json: filepath.Join(t.TempDir(), "peers.json"), starts: 1}
	var printed strings.Builder
	if err := measureAll(ctx, s, scenarios, &printed); !errors.Is(err, interrupted) ||
		!strings.HasPrefix(err.Error(), "cut ") {
		t.Errorf("error %v", err)
	}
	saved, err := os.ReadFile(s.json)
	if err != nil {
		t.Error(err)
	}
	for _, report := range []string{printed.String(), string(saved)} {
		if !strings.Contains(report, "Complete") || strings.Contains(report, "Cut short") {
			t.Errorf("the report is:\n%s", report)
		}
	}
}

// TestInterruptedAtOnce makes sure that figures of an earlier run are kept when there are
// none to take their place.
func TestInterruptedAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := settings{json: filepath.Join(t.TempDir(), "peers.json"), starts: 1}
	if err := os.WriteFile(s.json, []byte("earlier"), 0o600); err != nil {
		t.Fatal(err)
	}
	var printed strings.Builder
	scenarios := []scenario{{Name: "cut", contestants: []contestant{{missing: errors.New("it is not installed")}}}}
	if err := measureAll(ctx, s, scenarios, &printed); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	saved, err := os.ReadFile(s.json)
	if string(saved) != "earlier" || err != nil || printed.Len() > 0 {
		t.Errorf("printed %q and saved %q (%v)", &printed, saved, err)
	}
}
