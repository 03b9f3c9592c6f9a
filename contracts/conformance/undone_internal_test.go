package conformance

import "testing"

// TestNothingFoundByNothing has runs that found nothing, since they did nothing.
func TestNothingFoundByNothing(t *testing.T) {
	skipped := Check{Name: "silence", Unfinished: "it needs more", skipped: true}
	for name, test := range map[string]struct {
		checks []Check
		want   string
	}{
		"all was skipped": {[]Check{skipped}, "no check was made: silence was skipped, as it needs more"},
		"no call":         {[]Check{skipped, {Name: "pace"}}, "no call was made, so nothing is decided"},
		"late calls":      {[]Check{{Name: "node"}, {Name: "pace", Calls: 1}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := (&run{report: &Report{Checks: test.checks}}).undone(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
