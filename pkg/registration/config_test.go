package registration_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
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
		TLS:               registration.TLS{CAFile: "missing.pem"},
	})
	if !errors.Is(err, registration.ErrConfig) {
		t.Fatalf("error is %v, want ErrConfig", err)
	}
	for _, want := range []string{
		`node_id is "no slashes/please"`, "machine_id is empty", `address is "ftp://somewhere"`,
		"orchestratord URL holds credentials", `pools has "pool-0" twice`,
		"capabilities/gpu_count is -1", `capabilities/cuda_version is "twelve"`, `version is "a b"`,
		"node timeout is 30s", "request timeout is -1s", "max backoff is 1h0m0s", "shutdown timeout is -1ns",
		"missing.pem",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q", want)
		}
	}
	if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), token) {
		t.Errorf("error has a line break or the token in it: %v", err)
	}
}

// A duration is good up to its limit. A timeout alone is enough: the defaults follow it.
func TestTheLimitsOfDurations(t *testing.T) {
	type durations struct{ interval, node, request, backoff, shutdown time.Duration }
	const node = registration.DefaultNodeTimeout
	for _, test := range []struct{ good, bad durations }{
		{durations{interval: time.Second}, durations{interval: time.Second - 1}},
		{
			durations{interval: 5 * time.Minute, node: time.Hour},
			durations{interval: 5*time.Minute + 1, node: time.Hour},
		},
		{durations{interval: node/2 - 1}, durations{interval: node / 2}},
		{
			durations{interval: 10 * time.Second, node: 20*time.Second + 1},
			durations{interval: 10 * time.Second, node: 20 * time.Second},
		},
		{durations{node: 2*time.Second + 1}, durations{node: 2 * time.Second}},
		{durations{interval: time.Second, node: 3 * time.Second}, durations{node: -1}},
		{durations{request: node - 1}, durations{request: node}},
		{durations{request: 1}, durations{request: -1}},
		{durations{backoff: node - 1}, durations{backoff: node}},
		{durations{backoff: 1}, durations{backoff: -1}},
		{durations{shutdown: 1}, durations{shutdown: -1}},
	} {
		for d, want := range map[durations]error{test.good: nil, test.bad: registration.ErrConfig} {
			c := config(t, &wire{})
			c.HeartbeatInterval, c.NodeTimeout, c.RequestTimeout = d.interval, d.node, d.request
			c.MaxBackoff, c.ShutdownTimeout = d.backoff, d.shutdown
			if _, err := registration.New(c); !errors.Is(err, want) {
				t.Errorf("%+v: error is %v, want %v", d, err, want)
			}
		}
	}
}

// What is not set follows from the node timeout.
func TestTheDefaultsOfDurations(t *testing.T) {
	for _, test := range []struct{ node, interval, request time.Duration }{
		{0, 10 * time.Second, 5 * time.Second},
		{2500 * time.Millisecond, time.Second, 1250 * time.Millisecond},
		{9 * time.Second, 3 * time.Second, 4500 * time.Millisecond},
		{time.Hour, 10 * time.Second, 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{answer: func(int, request) answer { return answer{delay: time.Hour} }}
			var seen recorder
			c := config(t, w)
			c.NodeTimeout, c.OnEvent = test.node, seen.add
			node := newNode(t, c)
			if got := node.Status().Interval; got != test.interval {
				t.Errorf("node timeout %v: the interval is %v, want %v", test.node, got, test.interval)
			}
			go node.Register(t.Context())
			time.Sleep(time.Minute)
			node.Stop(t.Context())
			if got := seen.events[0].Took; got != test.request {
				t.Errorf("node timeout %v: a request took %v, want %v", test.node, got, test.request)
			}
		})
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
	synctest.Test(t, func(t *testing.T) {
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
		synctest.Wait()
		if state := node.Status().State; state != registration.StateStandalone {
			t.Errorf("state is %s", state)
		}
		c.OrchestratordURL = "orchestratord"
		if _, err := registration.New(c); !errors.Is(err, registration.ErrConfig) {
			t.Errorf("with a URL that is none: %v, want ErrConfig", err)
		}
	})
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
