package main

import "fmt"

// scenario is a kind of request, and who answers it.
type scenario struct {
	Name        string
	Title       string
	Node        string   `json:"-"`
	Register    *request `json:"-"` // what is sent first, until it is answered
	Request     *request `json:"-"`
	contestants []contestant
}

func newScenario(name string, s settings, t traffic) (scenario, error) {
	scenario := scenario{Name: name, Node: t.Node, Register: t.Register, Request: t.Heartbeat}
	switch name {
	case "heartbeat":
		scenario.Title = "Heartbeats of one node"
		scenario.contestants = []contestant{
			bare(s, string(t.Heartbeat.Answer)),
			mock(s, "mock"),
			mock(s, "mock, `--validation off`", "--validation", "off"),
			ogen(s),
			twin(s),
			wireMock(s, "", "plain"), wireMock(s, ", JSON schema", "schema"),
			prism(s),
			mockoon(s),
		}
	case "register":
		scenario.Title = "Registrations of one node with 8 GPUs"
		scenario.Request = t.Register
		scenario.contestants = []contestant{
			mock(s, "mock, `--validation off`", "--validation", "off"),
			mock(s, "mock"),
			bare(s, string(t.Register.Answer)),
		}
	case "scale":
		// Nodes that expire between two turns would be brought back in the next one,
		// at a cost that no fleet pays.
		scenario.Title = "Heartbeats of few and of many nodes"
		scenario.contestants = []contestant{
			mock(s, "mock, 100 nodes", "--node-timeout", "1h").with(100),
			mock(s, fmt.Sprintf("mock, %d nodes", s.nodes), "--node-timeout", "1h").with(s.nodes),
		}
	default:
		return scenario, fmt.Errorf("there is no scenario %q, only heartbeat, register and scale", name)
	}
	scenario.only(s)
	if len(scenario.contestants) == 0 {
		return scenario, fmt.Errorf("nobody in the scenario %s fits %q", name, s.only)
	}
	return scenario, nil
}

// only keeps those contestants that were asked for.
func (s *scenario) only(settings settings) {
	var kept []contestant
	for _, c := range s.contestants {
		if settings.only.MatchString(c.name) {
			kept = append(kept, c)
		}
	}
	s.contestants = kept
}
