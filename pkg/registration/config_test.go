package registration_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

func TestNewListsEverythingThatIsWrong(t *testing.T) {
	_, err := registration.New(registration.Config{
		NodeID:            "no slashes/please",
		Address:           "ftp://somewhere",
		OrchestratordURL:  "http://user:" + token + "@orchestratord",
		Pools:             []string{"pool-0", "pool-0"},
		Capabilities:      registration.Capabilities{GPUCount: -1, CUDAVersion: "twelve"},
		Version:           "a b",
		HeartbeatInterval: 20 * time.Second,
		RequestTimeout:    -time.Second,
		NodeTimeout:       30 * time.Second,
		MaxBackoff:        time.Hour,
		ShutdownTimeout:   -1,
	})
	if !errors.Is(err, registration.ErrConfig) {
		t.Fatalf("error is %v, want ErrConfig", err)
	}
	for _, want := range []string{
		`node_id is "no slashes/please"`, "machine_id is empty", `address is "ftp://somewhere"`,
		"orchestratord URL holds credentials", `pools has "pool-0" twice`,
		"capabilities/gpu_count is -1", `capabilities/cuda_version is "twelve"`, `version is "a b"`,
		"node timeout is 30s", "request timeout is -1s", "max backoff is 1h0m0s", "shutdown timeout is -1ns",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q", want)
		}
	}
	if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), token) {
		t.Errorf("error has a line break or the token in it: %v", err)
	}
}

// A timeout alone is enough: the defaults follow it.
func TestNewChecksTheNodeTimeoutAgainstTheInterval(t *testing.T) {
	for _, test := range []struct {
		timeout, interval time.Duration
		want              bool
	}{
		{20 * time.Second, 10 * time.Second, false},
		{21 * time.Second, 10 * time.Second, true},
		{3 * time.Second, time.Second, true},
		{3 * time.Second, 0, true},
		{2 * time.Second, 0, false},
	} {
		c := config(t, &wire{})
		c.NodeTimeout, c.HeartbeatInterval = test.timeout, test.interval
		if _, err := registration.New(c); (err == nil) != test.want {
			t.Errorf("node timeout %v, interval %v: error is %v", test.timeout, test.interval, err)
		}
	}
}

// What cannot be is not compared with the rest.
func TestNewStatesAWrongDurationOnce(t *testing.T) {
	for want, change := range map[string]func(*registration.Config){
		"node timeout is -1s, which is not positive": func(c *registration.Config) {
			c.NodeTimeout = -time.Second
		},
		"heartbeat interval is 1h0m0s, which is not within 1s to 5m0s": func(c *registration.Config) {
			c.HeartbeatInterval = time.Hour
		},
		"node timeout is -1s, which is not positive; request timeout is -2s, which is not positive": func(
			c *registration.Config,
		) {
			c.NodeTimeout, c.RequestTimeout = -time.Second, -2*time.Second
		},
	} {
		c := config(t, &wire{})
		change(&c)
		if _, err := registration.New(c); err == nil || err.Error() != registration.ErrConfig.Error()+": "+want {
			t.Errorf("error is %v, want %s alone", err, want)
		}
	}
}

func TestNewChecksTheOrchestratordURL(t *testing.T) {
	for url, want := range map[string]string{
		"":                         "is empty",
		"orchestratord:8080":       "lacks its scheme, as in http://orchestratord:8080",
		"ftp://orchestratord":      "must be an http or https URL",
		"http://":                  "with a host",
		"http://:8080":             "with a host",
		"http://orchestratord:x":   "must be an http or https URL",
		"http://orchestratord:0":   "not within 1 to 65535",
		"http://h:65536":           "not within 1 to 65535",
		"http://h:65535":           "",
		"http://orchestratord?a=b": "has a query",
		"http://orchestratord/a#":  "has a query or a fragment",
		"http://orchestratord":     "",
		"https://[::1]:8080/path/": "",
	} {
		c := config(t, &wire{})
		c.OrchestratordURL = url
		_, err := registration.New(c)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want %q", url, err, want)
		}
	}
}

func TestAStandaloneNodeNeedsNoOrchestratord(t *testing.T) {
	c := config(t, &wire{})
	c.Standalone, c.OrchestratordURL = true, ""
	node := newNode(t, c)
	node.Notify()
	<-node.Done()
	for name, err := range map[string]error{
		"Register":       node.Register(t.Context()),
		"StartHeartbeat": node.StartHeartbeat(t.Context(), ready),
		"Update":         node.Update(registration.Description{}),
		"Ready":          node.Ready(),
		"Healthy":        node.Healthy(time.Second),
		"Deregister":     node.Deregister(t.Context()),
		"Stop":           node.Stop(t.Context()),
	} {
		if err != nil {
			t.Errorf("%s of a standalone node: %v", name, err)
		}
	}
	if state := node.Status().State; state != registration.StateStandalone {
		t.Errorf("state is %s", state)
	}
	c.OrchestratordURL = "orchestratord"
	if _, err := registration.New(c); !errors.Is(err, registration.ErrConfig) {
		t.Errorf("with a URL that is none: %v, want ErrConfig", err)
	}
}

func TestAStatusCallbackIsNeeded(t *testing.T) {
	w := &wire{}
	node := newNode(t, config(t, w))
	for name, err := range map[string]error{
		"Run":            node.Run(t.Context(), nil),
		"StartHeartbeat": node.StartHeartbeat(t.Context(), nil),
	} {
		if !errors.Is(err, registration.ErrConfig) || len(w.sent()) != 0 {
			t.Errorf("%s: %v with %q sent, want ErrConfig and nothing", name, err, w.ops())
		}
	}
}
