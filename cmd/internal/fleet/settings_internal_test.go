package fleet

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// Each setting has bounds, and what lies on them is valid.
func TestBounds(t *testing.T) {
	long := "x" // with a digit behind it, the longest id that there is
	for nodeapi.ValidNodeID(long + "x-0") {
		long += "x"
	}
	for name, test := range map[string]struct {
		change func(*Settings)
		want   string // "" for valid
	}{
		"one node":             {func(s *Settings) { s.Nodes = 1 }, ""},
		"no node":              {func(s *Settings) { s.Nodes = 0 }, "--nodes is 0: must be 1 to 10000000"},
		"the most nodes":       {func(s *Settings) { s.Nodes = 10_000_000 }, ""},
		"more":                 {func(s *Settings) { s.Nodes = 10_000_001 }, "--nodes is 10000001: must be"},
		"no ramp":              {func(s *Settings) { s.Ramp = 0 }, ""},
		"a ramp back":          {func(s *Settings) { s.Ramp = -1 }, "--ramp is -1ns: must be 0 to 24h0m0s"},
		"the longest ramp":     {func(s *Settings) { s.Ramp = 24 * time.Hour }, ""},
		"a longer one":         {func(s *Settings) { s.Ramp = 24*time.Hour + 1 }, "--ramp is 24h0m0.000000001s"},
		"no end":               {func(s *Settings) { s.Lifetime = 0 }, ""},
		"an end before":        {func(s *Settings) { s.Lifetime = -1 }, "--for is -1ns, which is negative"},
		"one connection":       {func(s *Settings) { s.Connections = 1 }, ""},
		"no connection":        {func(s *Settings) { s.Connections = 0 }, "--connections is 0: must be above 0"},
		"the most crashes":     {func(s *Settings) { s.KillRate = 10_000 }, ""},
		"more crashes":         {func(s *Settings) { s.KillRate = 10_001 }, "--kill-rate is 10001: must be 0 to 10000"},
		"fewer than none":      {func(s *Settings) { s.KillRate = -1 }, "--kill-rate is -1: must be 0 to 10000"},
		"crashes of no number": {func(s *Settings) { s.KillRate = math.NaN() }, "--kill-rate is NaN: must be"},
		"none down":            {func(s *Settings) { s.KillShare = 0 }, ""},
		"all down":             {func(s *Settings) { s.KillShare = 1 }, ""},
		"more than all":        {func(s *Settings) { s.KillShare = 1.01 }, "--kill-share is 1.01: must be 0 to 1"},
		"less than none":       {func(s *Settings) { s.KillShare = -0.01 }, "--kill-share is -0.01: must be 0 to 1"},
		"down for no time":     {func(s *Settings) { s.Down = 0 }, ""},
		"down for less":        {func(s *Settings) { s.Down = -1 }, "--down is -1ns, which is negative"},
		"the most changes":     {func(s *Settings) { s.ChangeRate = 10_000 }, ""},
		"more changes":         {func(s *Settings) { s.ChangeRate = 10_001 }, "--change-rate is 10001: must be"},
		"changes undone":       {func(s *Settings) { s.ChangeRate = -1 }, "--change-rate is -1: must be 0 to 10000"},
		"a long prefix":        {func(s *Settings) { s.Prefix, s.Nodes = long, 10 }, ""},
		"a longer id": {
			func(s *Settings) { s.Prefix, s.Nodes = long, 11 },
			`--node-prefix is "` + long + `": no id of a node can begin with it`,
		},
		"a node": {func(s *Settings) { s.Node.Address = "h" }, "address "},
	} {
		t.Run(name, func(t *testing.T) {
			s := Settings{
				Node: registration.Config{
					OrchestratordURL: "http://h", Address: "http://h", Pools: []string{"p"}, Capabilities: MadeUp(),
				},
				Prefix: "sim", Nodes: 1, Connections: 1,
			}
			test.change(&s)
			err := s.Validate()
			if (err == nil) != (test.want == "") ||
				err != nil && (!strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("error is %v, want %q", err, test.want)
			}
		})
	}
}

func TestTheGentleRamp(t *testing.T) {
	for _, test := range []struct {
		nodes          int
		interval, want time.Duration
	}{
		{100, 0, 10 * time.Second},
		{100, time.Second, time.Second},
		{20_000, 0, 10 * time.Second},
		{100_000, 0, 50 * time.Second},
		{4000, time.Second, 2 * time.Second},
	} {
		s := Settings{Nodes: test.nodes, Node: registration.Config{HeartbeatInterval: test.interval}}
		if got := s.GentleRamp(); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

func TestAFleetKnowsItsOwnNodes(t *testing.T) {
	s := Settings{Prefix: "sim-1", Nodes: 20}
	for id, ours := range map[string]bool{
		"sim-1-0": true, "sim-1-19": true,
		"sim-1-20": false, "sim-1-007": false, "sim-1-+3": false, "sim-1--1": false, "sim-1-": false, "sim-1": false,
		"sim-11-3": false, "sim-1-3-4": false,
	} {
		if index, is := s.index(id); is != ours || is && s.id(index) != id {
			t.Errorf("%s is node %d of the fleet: %v", id, index, is)
		}
	}
}
