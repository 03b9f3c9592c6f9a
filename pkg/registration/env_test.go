package registration_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// setEnv sets the whole environment that concerns a node.
func setEnv(t *testing.T, variables map[string]string) {
	t.Helper()
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		for _, prefix := range []string{"POOL_MANAGERD_", "ORCHESTRATORD_", "LLORCH_"} {
			if strings.HasPrefix(name, prefix) {
				t.Setenv(name, "")
			}
		}
	}
	for name, value := range variables {
		t.Setenv(name, value)
	}
}

// Both families of names are read: those in service, and those of the specification.
func TestConfigFromEnv(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		variables map[string]string
		want      registration.Config
	}{
		"nothing": {nil, registration.Config{NodeID: host, MachineID: host}},
		"in service": {
			map[string]string{
				"POOL_MANAGERD_NODE_ID": "gpu-node-1", "POOL_MANAGERD_MACHINE_ID": "machine-alpha",
				"POOL_MANAGERD_ADDRESS": "http://10.0.0.7:9200",
				"POOL_MANAGERD_POOLS":   "pool-0, pool-1,", "POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS": "5",
				"POOL_MANAGERD_CLOUD_PROFILE": "true",
				"ORCHESTRATORD_URL":           "http://orchestratord:8080", "ORCHESTRATORD_NODE_TIMEOUT_MS": "20500",
				"ORCHESTRATORD_REGISTER_ON_STARTUP": "true",
			},
			registration.Config{
				NodeID: "gpu-node-1", MachineID: "machine-alpha", Address: "http://10.0.0.7:9200",
				Pools:             []string{"pool-0", "pool-1"},
				HeartbeatInterval: 5 * time.Second, OrchestratordURL: "http://orchestratord:8080",
				NodeTimeout: 20500 * time.Millisecond,
			},
		},
		"of the specification": {
			map[string]string{
				"POOL_MANAGERD_NODE_ID": "n", "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS": "20",
				"ORCHESTRATORD_NODE_TIMEOUT_SECS": "60",
			},
			registration.Config{
				NodeID: "n", MachineID: "n", HeartbeatInterval: 20 * time.Second,
				NodeTimeout: time.Minute,
			},
		},
		"both alike": {
			map[string]string{
				"POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS": "20", "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS": "20",
				"ORCHESTRATORD_NODE_TIMEOUT_SECS": "90", "ORCHESTRATORD_NODE_TIMEOUT_MS": "90000",
			},
			registration.Config{
				NodeID: host, MachineID: host, HeartbeatInterval: 20 * time.Second,
				NodeTimeout: 90 * time.Second,
			},
		},
		"not registering": {
			map[string]string{"ORCHESTRATORD_REGISTER_ON_STARTUP": "false"},
			registration.Config{NodeID: host, MachineID: host, Standalone: true},
		},
		"not in the cloud": {
			map[string]string{"POOL_MANAGERD_CLOUD_PROFILE": "false"},
			registration.Config{NodeID: host, MachineID: host, Standalone: true},
		},
		"many pools": {
			map[string]string{"POOL_MANAGERD_POOLS": strings.Join(many("pool"), ",")},
			registration.Config{NodeID: host, MachineID: host, Pools: many("pool")},
		},
		"a list of nothing": {
			map[string]string{"POOL_MANAGERD_POOLS": " , "}, registration.Config{NodeID: host, MachineID: host},
		},
	} {
		t.Run(name, func(t *testing.T) {
			setEnv(t, test.variables)
			got, err := registration.ConfigFromEnv()
			if diff := cmp.Diff(test.want, got,
				cmpopts.IgnoreFields(registration.Config{}, "APIToken")); diff != "" || err != nil {
				t.Errorf("error %v, (-want +got):\n%s", err, diff)
			}
		})
	}
}

// A secret that was written to a file often has a line break at its end.
func TestTheTokenOfTheEnvironment(t *testing.T) {
	setEnv(t, map[string]string{"LLORCH_API_TOKEN": token + "\n"})
	c, err := registration.ConfigFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.APIToken(t.Context()); got != token || err != nil {
		t.Errorf("APIToken is %q, %v", got, err)
	}
	setEnv(t, map[string]string{"LLORCH_API_TOKEN": " \n"}) // which was lost
	if c, err = registration.ConfigFromEnv(); err != nil || c.APIToken == nil {
		t.Fatalf("a blank token is none: %v", err)
	}
	if got, err := c.APIToken(t.Context()); err == nil {
		t.Errorf("a blank APIToken is %q, and no error", got)
	}
}

// What is wrong is one error that names every variable, those that disagree in pairs.
func TestABadEnvironment(t *testing.T) {
	setEnv(t, map[string]string{
		"ORCHESTRATORD_REGISTER_ON_STARTUP": "maybe", "POOL_MANAGERD_CLOUD_PROFILE": "cirrus",
		"POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS": "ten", "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS": "0",
		"ORCHESTRATORD_NODE_TIMEOUT_MS": "30000", "ORCHESTRATORD_NODE_TIMEOUT_SECS": "31",
	})
	c, err := registration.ConfigFromEnv()
	if !errors.Is(err, registration.ErrConfig) || c.Standalone {
		t.Fatalf("error is %v, standalone %t, want ErrConfig, and a node that registers", err, c.Standalone)
	}
	for _, want := range []string{
		`ORCHESTRATORD_REGISTER_ON_STARTUP is "maybe"`, `POOL_MANAGERD_CLOUD_PROFILE is "cirrus"`,
		`POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS is "ten"`, `ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS is "0"`,
		"ORCHESTRATORD_NODE_TIMEOUT_MS is 30s, but ORCHESTRATORD_NODE_TIMEOUT_SECS is 31s",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines: %v", err)
	}
}

// A number that no duration holds is refused, and does not come out as another one.
func TestDurationsOfTheEnvironmentAreWholeAndInRange(t *testing.T) {
	for _, number := range []string{"-10", "9.5", "10s", " 10", "2147483648", "18446744083", "18446744073709551616"} {
		for variable, unit := range map[string]string{
			"POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS": "seconds", "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS": "seconds",
			"ORCHESTRATORD_NODE_TIMEOUT_SECS": "seconds", "ORCHESTRATORD_NODE_TIMEOUT_MS": "milliseconds",
		} {
			setEnv(t, map[string]string{variable: number})
			c, err := registration.ConfigFromEnv()
			want := fmt.Sprintf("%s is %q, which is not a number of whole %s", variable, number, unit)
			if !errors.Is(err, registration.ErrConfig) || c.HeartbeatInterval != 0 || c.NodeTimeout != 0 ||
				!strings.Contains(err.Error(), want) {
				t.Errorf("%s is %s: %v, %v, error %v", variable, number, c.HeartbeatInterval, c.NodeTimeout, err)
			}
			t.Setenv(variable, "")
		}
	}
}

// New names the variable of what it refuses, by whichever of its names it is set, unless the program has
// replaced the value.
func TestNewNamesVariables(t *testing.T) {
	for name, test := range map[string]struct {
		variables map[string]string
		replace   func(*registration.Config)
		want      string
	}{
		"of the registration": {
			map[string]string{"POOL_MANAGERD_NODE_ID": "?", "POOL_MANAGERD_MACHINE_ID": "m"},
			nil,
			`node_id [POOL_MANAGERD_NODE_ID] is "?"`,
		},
		"of another field, which was replaced": {
			map[string]string{"POOL_MANAGERD_NODE_ID": "?"},
			func(c *registration.Config) { c.NodeID = "n" },
			`machine_id [POOL_MANAGERD_NODE_ID] is "?"`,
		},
		"of one field alone": {
			map[string]string{"POOL_MANAGERD_MACHINE_ID": "?"}, nil, `machine_id [POOL_MANAGERD_MACHINE_ID] is "?"`,
		},
		"of an item": {
			map[string]string{"POOL_MANAGERD_POOLS": "pool-0,?"}, nil, `pools/1 [POOL_MANAGERD_POOLS] is "?"`,
		},
		"of orchestratord": {
			map[string]string{"ORCHESTRATORD_URL": "h:1"},
			nil,
			"orchestratord URL [ORCHESTRATORD_URL] lacks its scheme, as in http://h:1",
		},
		"that is not set": {
			map[string]string{"ORCHESTRATORD_URL": "", "POOL_MANAGERD_ADDRESS": ""},
			nil,
			"address [POOL_MANAGERD_ADDRESS] is empty; orchestratord URL [ORCHESTRATORD_URL] is empty",
		},
		"of durations that do not fit": {
			map[string]string{
				"POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS": "20", "ORCHESTRATORD_NODE_TIMEOUT_SECS": "40",
			},
			nil,
			"node timeout [ORCHESTRATORD_NODE_TIMEOUT_SECS] is 40s, which is not longer than two heartbeat " +
				"intervals [POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS] of 20s",
		},
		"beside a default": {
			map[string]string{"ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS": "15"},
			nil,
			"node timeout is 30s, which is not longer than two heartbeat intervals " +
				"[ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS] of 15s",
		},
		"beside the default for one that cannot be": {
			map[string]string{
				"POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS": "301", "ORCHESTRATORD_NODE_TIMEOUT_MS": "2000",
			},
			nil,
			"heartbeat interval [POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS] is 5m1s, which is not within 1s to 5m0s; " +
				"node timeout [ORCHESTRATORD_NODE_TIMEOUT_MS] is 2s, which is not longer than two heartbeat " +
				"intervals of 1s",
		},
		"that was replaced": {
			map[string]string{"POOL_MANAGERD_ADDRESS": "h:1", "ORCHESTRATORD_NODE_TIMEOUT_MS": "1000"},
			func(c *registration.Config) { c.Address, c.NodeTimeout = "h:2", 2*time.Second },
			`node timeout is 2s, which is not longer than two heartbeat intervals of 1s; address is "h:2"`,
		},
		"that does not exist": {
			nil,
			func(c *registration.Config) { c.Capabilities.GPUCount = -1 },
			"capabilities/gpu_count is -1",
		},
		"that was replaced in place": {
			map[string]string{"POOL_MANAGERD_POOLS": "pool-0"},
			func(c *registration.Config) { c.Pools[0] = "?" },
			`pools/0 is "?"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			variables := map[string]string{
				"POOL_MANAGERD_NODE_ID": "n", "POOL_MANAGERD_ADDRESS": "http://n:1", "ORCHESTRATORD_URL": "http://h:1",
			}
			maps.Copy(variables, test.variables)
			setEnv(t, variables)
			c, err := registration.ConfigFromEnv()
			if err != nil {
				t.Fatal(err)
			}
			if test.replace != nil {
				test.replace(&c)
			}
			if _, err := registration.New(c); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q", err, test.want)
			}
		})
	}
}

// A program that reads its settings elsewhere is not led to variables.
func TestNewNamesNoVariableThatIsNotRead(t *testing.T) {
	setEnv(t, nil)
	_, err := registration.New(registration.Config{NodeID: "n", HeartbeatInterval: time.Hour, NodeTimeout: -1})
	if err == nil || strings.Contains(err.Error(), "[") || !strings.Contains(err.Error(), "address is empty") {
		t.Errorf("error is %v, want one that says that the address is empty, and no variable", err)
	}
}

// A timeout shorter than a request usually has leaves requests half of it.
func TestAShortNodeTimeout(t *testing.T) {
	c := config(t, &wire{})
	c.HeartbeatInterval, c.NodeTimeout = time.Second, 3*time.Second
	if _, err := registration.New(c); err != nil {
		t.Error(err)
	}
}
