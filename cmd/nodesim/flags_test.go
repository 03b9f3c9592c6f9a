package main

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/fleet"
	"github.com/llama-orch/node-registration/contracts/report"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// setting is a flag's value and what it changes.
type setting[T any] struct {
	value string
	set   func(*T)
}

// linkSettings are those that run and fleet have in common.
func linkSettings() map[string]setting[registration.Config] {
	type config = registration.Config
	return map[string]setting[config]{
		"orchestratord-url": {"https://h:1", func(c *config) { c.OrchestratordURL = "https://h:1" }},
		"token":             {"secret", func(c *config) { c.APIToken = registration.StaticToken("secret") }},
		"token-file":        {"/no/token", func(c *config) { c.APIToken = registration.TokenFile("/no/token") }},
		"tls-ca":            {"ca.pem", func(c *config) { c.TLS.CAFile = "ca.pem" }},
		"tls-cert":          {"cert.pem", func(c *config) { c.TLS.CertFile = "cert.pem" }},
		"tls-key":           {"key.pem", func(c *config) { c.TLS.KeyFile = "key.pem" }},
		"interval":          {"2s", func(c *config) { c.HeartbeatInterval = 2 * time.Second }},
		"node-timeout":      {"1m", func(c *config) { c.NodeTimeout = time.Minute }},
		"request-timeout":   {"3s", func(c *config) { c.RequestTimeout = 3 * time.Second }},
		"max-backoff":       {"4s", func(c *config) { c.MaxBackoff = 4 * time.Second }},
		"register-every":    {"-1s", func(c *config) { c.RegisterEvery = -time.Second }},
	}
}

func runSettingsOfFlags() map[string]setting[runSettings] {
	type s = runSettings
	all := map[string]setting[s]{
		"node-id":          {"n", func(s *s) { s.config.NodeID = "n" }},
		"machine-id":       {"m", func(s *s) { s.config.MachineID = "m" }},
		"address":          {"http://h:2", func(s *s) { s.config.Address = "http://h:2" }},
		"pool":             {"p", func(s *s) { s.config.Pools = []string{"p"} }},
		"detect":           {"true", func(s *s) { s.detect = true }},
		"for":              {"5s", func(s *s) { s.lifetime = 5 * time.Second }},
		"shutdown-timeout": {"6s", func(s *s) { s.config.ShutdownTimeout = 6 * time.Second }},
	}
	for name, link := range linkSettings() {
		all[name] = setting[s]{link.value, func(s *s) { link.set(&s.config) }}
	}
	return all
}

func fleetSettingsOfFlags(want *string) map[string]setting[fleet.Settings] {
	type s = fleet.Settings
	all := map[string]setting[s]{
		"nodes":       {"7", func(s *s) { s.Nodes = 7 }},
		"node-prefix": {"p", func(s *s) { s.Prefix = "p" }},
		"ramp":        {"8s", func(s *s) { s.Ramp = 8 * time.Second }},
		"for":         {"5s", func(s *s) { s.Lifetime = 5 * time.Second }},
		"connections": {"9", func(s *s) { s.Connections = 9 }},
		"kill-rate":   {"10", func(s *s) { s.KillRate = 10 }},
		"kill-share":  {"0.5", func(s *s) { s.KillShare = 0.5 }},
		"down":        {"11s", func(s *s) { s.Down = 11 * time.Second }},
		"change-rate": {"12", func(s *s) { s.ChangeRate = 12 }},
		"report":      {"json=a.json", func(*s) { *want = "json=a.json" }},
	}
	for name, link := range linkSettings() {
		all[name] = setting[s]{link.value, func(s *s) { link.set(&s.Node) }}
	}
	return all
}

// environments are what a node may be started in.
var environments = map[string]map[string]string{
	"empty": {},
	"full": {
		registration.EnvNodeID: "of-env", registration.EnvMachineID: "machine-of-env",
		registration.EnvAddress: "http://env:1", registration.EnvPools: "x,y", registration.EnvAPIToken: "of-env",
		registration.EnvOrchestratordURL: "http://env:2", registration.EnvHeartbeatInterval: "20",
		registration.EnvNodeTimeout: "50000",
	},
}

// TestEachFlagSetsItsField has every flag change what it is for, and nothing else, whatever the environment
// says.
func TestEachFlagSetsItsField(t *testing.T) {
	for name, environment := range environments {
		t.Run(name, func(t *testing.T) {
			emptyEnvironment(t)
			for variable, value := range environment {
				t.Setenv(variable, value)
			}
			fromEnv, err := registration.ConfigFromEnv()
			if err != nil {
				t.Fatal(err)
			}
			each(t, runSettingsOfFlags(), func() (*runSettings, *pflag.FlagSet) {
				s, flags := &runSettings{config: withDemoDefaults(fromEnv)}, new(pflag.FlagSet)
				s.flags(flags)
				return s, flags
			})
			var (
				reports report.Flag
				want    string
			)
			byDefault := reports.String()
			each(t, fleetSettingsOfFlags(&want), func() (*fleet.Settings, *pflag.FlagSet) {
				s, flags := &fleet.Settings{Node: withDemoDefaults(fromEnv)}, new(pflag.FlagSet)
				fleetFlags(flags, s, &reports)
				return s, flags
			})
			if got := reports.String(); byDefault != "text" || got != want {
				t.Errorf("the reports are %s by default, and %s where they were to be %s", byDefault, got, want)
			}
		})
	}
}

func each[T any](t *testing.T, settings map[string]setting[T], define func() (*T, *pflag.FlagSet)) {
	t.Helper()
	_, all := define()
	all.VisitAll(func(flag *pflag.Flag) {
		if _, known := settings[flag.Name]; !known {
			t.Errorf("no test says what --%s changes", flag.Name)
		}
	})
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		got, flags := define()
		want, _ := define()
		settings[name].set(want)
		if err := flags.Parse([]string{"--" + name + "=" + settings[name].value}); err != nil {
			t.Fatal(err)
		}
		if diff := diffOf(want, got); diff != "" {
			t.Errorf("--%s (-want +got):\n%s", name, diff)
		}
	}
}

// diffOf compares settings, and tokens by what they are.
func diffOf(want, got any) string {
	return cmp.Diff(want, got, cmp.AllowUnexported(runSettings{}),
		cmp.Transformer("token", func(source registration.TokenSource) string {
			if source == nil {
				return ""
			}
			token, err := source(context.Background())
			if err != nil {
				return err.Error()
			}
			return token
		}))
}

// What neither a flag nor a variable states is that of the documentation.
func TestDefaults(t *testing.T) {
	emptyEnvironment(t)
	node := registration.Config{
		NodeID: "gpu-node-1", MachineID: "machine-alpha", Address: "http://127.0.0.1:9200", Pools: []string{"pool-0"},
		OrchestratordURL: "http://127.0.0.1:8080", Version: "0.1.0",
		NodeTimeout: 30 * time.Second, RegisterEvery: 5 * time.Minute,
	}
	one := node
	one.ShutdownTimeout = 5 * time.Second
	fromEnv, err := registration.ConfigFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	s := runSettings{config: withDemoDefaults(fromEnv)}
	s.flags(new(pflag.FlagSet))
	if diff := diffOf(runSettings{config: one}, s); diff != "" {
		t.Errorf("nodesim run (-want +got):\n%s", diff)
	}
	f := fleet.Settings{Node: withDemoDefaults(fromEnv)}
	fleetFlags(new(pflag.FlagSet), &f, new(report.Flag))
	if diff := diffOf(fleet.Settings{
		Node: node, Prefix: "fleet", Nodes: 100, Connections: 256, KillShare: 0.1, Down: 45 * time.Second,
	}, f); diff != "" {
		t.Errorf("nodesim fleet (-want +got):\n%s", diff)
	}
}

// A machine has the id that the environment gives it, or else that of its node.
func TestTheIDsOfTheEnvironment(t *testing.T) {
	for _, test := range []struct{ node, machine, wantNode, wantMachine string }{
		{"", "", "gpu-node-1", "machine-alpha"},
		{"n", "", "n", "n"},
		{"", "m", "gpu-node-1", "m"},
		{"n", "m", "n", "m"},
	} {
		emptyEnvironment(t)
		t.Setenv(registration.EnvNodeID, test.node)
		t.Setenv(registration.EnvMachineID, test.machine)
		fromEnv, err := registration.ConfigFromEnv()
		c := withDemoDefaults(fromEnv)
		if err != nil || c.NodeID != test.wantNode || c.MachineID != test.wantMachine {
			t.Errorf("%+v: node %q of machine %q, %v", test, c.NodeID, c.MachineID, err)
		}
	}
}
