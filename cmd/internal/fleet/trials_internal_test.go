package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"

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

func TestASimulatedMachine(t *testing.T) {
	want := registration.Capabilities{
		GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1", CPUCores: int32(runtime.NumCPU()),
		RAMTotalBytes: 128 << 30,
	}
	for id := range int32(2) {
		want.GPUs = append(want.GPUs, registration.GPU{
			DeviceID: id, Name: "NVIDIA GeForce RTX 3090", VRAMTotalBytes: 24e9, ComputeCapability: "8.6",
		})
	}
	if diff := cmp.Diff(want, MadeUp()); diff != "" {
		t.Errorf("a simulated machine (-want +got):\n%s", diff)
	}
}

// The pools of a node share its memory; their load wanders by a slot, between none and all.
func TestALoad(t *testing.T) {
	load := NewLoad([]string{"a", "b"}, MadeUp())
	seen, last := map[int32]bool{}, int32(4)
	for range 1000 {
		status, err := load.Status(t.Context())
		if err != nil || len(status) != 2 || status[1].PoolID != "b" {
			t.Fatalf("status is %+v, %v", status, err)
		}
		free := status[0].SlotsFree
		want := registration.PoolStatus{
			PoolID: "a", Ready: true, SlotsFree: free, SlotsTotal: 4, VRAMFreeBytes: 24e9 - int64(4-free)*4e9,
			Engine: "llamacpp", ModelsAvailable: []string{"llama-3-8b"},
		}
		if diff := cmp.Diff(want, status[0]); diff != "" || free < 0 || free > 4 || free > last+1 || free < last-1 {
			t.Errorf("after %d slots free (-want +got):\n%s", last, diff)
		}
		last, seen[free] = free, true
	}
	if len(seen) != 5 {
		t.Errorf("slots free were %v, want 0 to 4", seen)
	}
	if status, err := NewLoad(nil, MadeUp()).Status(t.Context()); len(status) != 0 || err != nil {
		t.Errorf("without pools the status is %v, %v", status, err)
	}
}

// lists returns a fault that has orchestratord answer calls for the list with a text, but for the first.
func lists(status int, text string) fault {
	var asked atomic.Bool
	return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		if r.Method != http.MethodGet || !asked.Swap(true) {
			return nil, nil
		}
		return answered(r, status, text)
	}
}

// Each node that is up counts as what the list says of it.
func TestTheCensus(t *testing.T) {
	var list []string
	for i, status := range []nodeapi.NodeStatus{
		nodeapi.NodeStatusOnline, nodeapi.NodeStatusDraining, nodeapi.NodeStatusRegistering, nodeapi.NodeStatusOffline,
		nodeapi.NodeStatusFailed, "of another version",
	} {
		list = append(list, fmt.Sprintf(`{"node_id":"sim-%d","status":%q}`, i, status))
	}
	list = append(list, `{"node_id":"other-6","status":"Failed"}`, `{"node_id":"sim-8","status":"Failed"}`)
	for name, test := range map[string]struct {
		status int
		text   string
		want   census
	}{
		"each status": {
			200, `{"nodes":[` + strings.Join(list, ",") + `]}`,
			census{Online: 1, Draining: 1, Registering: 2, Offline: 1, Failed: 2, Absent: 1},
		},
		"no list":    {200, `{}`, census{Error: "the list in the answer cannot be read: it has no nodes"}},
		"no answer":  {503, ``, census{Error: "answered 503 (correlation id "}},
		"an old one": {200, `{"nodes":[]}`, census{Absent: 7, Registering: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				list := lists(test.status, test.text)
				r, _ := simulate(t, t.Context(), func(r *http.Request, to http.RoundTripper) (*http.Response, error) {
					if isHeartbeat(r) && strings.Contains(r.URL.Path, "/sim-7/") { // whose first one is to come
						return answered(r, http.StatusInternalServerError, "")
					}
					return list(r, to)
				}, func(s *Settings) { s.Nodes, s.Ramp, s.Lifetime = 8, 0, 20*time.Second })
				got := r.Orchestratord
				if test.want.Error != "" && strings.HasPrefix(got.Error, test.want.Error) {
					got.Error = test.want.Error
				}
				if got != test.want {
					t.Errorf("the census is %+v, want %+v", got, test.want)
				}
			})
		})
	}
}

// Failures are counted by what they have in common.
func TestKindsOfFailures(t *testing.T) {
	network := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no route")}
	for kind, test := range map[string]struct {
		status int
		text   string
		err    error
	}{
		"answered 500":                    {500, "", nil},
		"answered 503 POOL_UNAVAILABLE":   {503, `{"code":"POOL_UNAVAILABLE"}`, nil},
		"answered 418":                    {418, "", nil},
		"answered 200, but no success":    {200, "<html>", nil},
		"no answer in time":               {0, "", context.DeadlineExceeded},
		"no route":                        {0, "", network},
		"the connection broke":            {0, "", io.ErrUnexpectedEOF},
		syscall.EMFILE.Error():            {0, "", &net.OpError{Op: "dial", Err: syscall.EMFILE}},
		syscall.ENFILE.Error():            {0, "", &net.OpError{Op: "dial", Err: syscall.ENFILE}},
		syscall.EADDRNOTAVAIL.Error():     {0, "", &net.OpError{Op: "dial", Err: syscall.EADDRNOTAVAIL}},
		"dial: " + syscall.EMFILE.Error(): {0, "", &net.OpError{Err: os.NewSyscallError("dial", syscall.EMFILE)}},
	} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const often = 3
				failed := 0
				r, _ := simulate(t, t.Context(), func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
					if !isHeartbeat(r) || failed == often {
						return nil, nil
					}
					if failed++; test.err != nil {
						return nil, test.err
					}
					return answered(r, test.status, test.text)
				}, func(s *Settings) {
					s.Nodes, s.Lifetime, s.Node.MaxBackoff = 1, 20*time.Second, 100*time.Millisecond
				})
				want := map[string]int64{"heartbeat: " + kind: often}
				if diff := cmp.Diff(want, r.Failures); diff != "" || r.Beats.Retried != often ||
					r.Beats.Sent != r.Beats.Answered+often {
					t.Errorf("heartbeats are %+v, failures (-want +got):\n%s", r.Beats, diff)
				}
				files, ports := int64(0), int64(0)
				if errors.Is(test.err, syscall.EMFILE) || errors.Is(test.err, syscall.ENFILE) {
					files = often
				}
				if errors.Is(test.err, syscall.EADDRNOTAVAIL) {
					ports = often
				}
				if r.Machine.NoFile != files || r.Machine.NoPort != ports {
					t.Errorf("the machine is %+v", r.Machine)
				}
			})
		})
	}
}

// Of more than twenty kinds of failures the rest is counted as one.
func TestManyKindsOfFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kinds := 0
		r, _ := simulate(t, t.Context(), func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			if !isHeartbeat(r) || kinds == 60 {
				return nil, nil
			}
			kinds++
			return answered(r, 505+kinds%30, "") // each twice
		}, func(s *Settings) { s.Nodes, s.Lifetime, s.Node.MaxBackoff = 1, 20*time.Second, time.Millisecond })
		if others := r.Failures["others"]; kinds != 60 || others != 20 || len(r.Failures) != 21 {
			t.Errorf("%d others of %d failures: %v", others, kinds, r.Failures)
		}
	})
}

// Registrations are spread over the ramp, and tried for a minute more.
func TestTheRamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		begin := time.Now()
		simulate(t, t.Context(), func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/register") {
				at = append(at, time.Since(begin))
			}
			return nil, nil
		}, func(s *Settings) { s.Nodes, s.Lifetime = 4, time.Second })
		want := []time.Duration{0, 2500 * time.Millisecond, 5 * time.Second, 7500 * time.Millisecond}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("registrations (-want +got):\n%s", diff)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r, left := simulate(t, t.Context(), func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/register") {
				return answered(r, http.StatusServiceUnavailable, "")
			}
			return nil, nil
		}, nil)
		if r.Failures["register: answered 503"] < 20 {
			t.Errorf("failures are %v", r.Failures)
		}
		if r.Unregistered != 20 || r.Interrupted || r.Fleets[0].Ran != 10+60+120 || len(left) != 0 || r.Left != 0 {
			t.Errorf("%d not registered, left are %d, %v, the fleet is %+v", r.Unregistered, r.Left, left, r.Fleets)
		}
	})
}

// A node that never can be registered ends the fleet at once; the others leave.
func TestALostCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		_, left, err := tried(t, t.Context(), func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/register") && time.Since(begin) >= 5*time.Second {
				return answered(r, http.StatusUnauthorized, "")
			}
			return nil, nil
		}, nil)
		if !errors.Is(err, registration.ErrUnauthorized) || len(left) != 0 || time.Since(begin) > 6*time.Second {
			t.Errorf("after %v the error is %v, and left are %v", time.Since(begin), err, left)
		}
	})
}

// A fleet asks for the list with the token of its nodes, or says why there is none.
func TestTheTokenOfTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		note := func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			if r.Method == http.MethodGet {
				asked = append(asked, r.Header.Get("Authorization"))
			}
			return nil, nil
		}
		short := func(s *Settings) { s.Nodes, s.Lifetime = 1, time.Second }
		simulate(t, t.Context(), note, short)
		simulate(t, t.Context(), note, func(s *Settings) {
			short(s)
			s.Node.APIToken = registration.StaticToken("secret")
		})
		if diff := cmp.Diff([]string{"", "", "Bearer secret", "Bearer secret"}, asked); diff != "" {
			t.Errorf("the list was asked for with (-want +got):\n%s", diff)
		}
		why := errors.New("there is no token today")
		_, _, err := tried(t, t.Context(), note, func(s *Settings) {
			s.Node.APIToken = func(context.Context) (string, error) { return "half", why }
		})
		if !errors.Is(err, why) || len(asked) != 4 {
			t.Errorf("error is %v, and the list was asked for with %q", err, asked)
		}
	})
}

// What is done to a fleet on purpose keeps to its rate, its share and its time.
func TestTroubleIsMeasured(t *testing.T) {
	for name, test := range map[string]struct {
		change   func(*Settings)
		want     troubleMade
		up       int
		draining int
	}{
		"no more than a share": {
			func(s *Settings) { s.KillRate, s.Down = 1, time.Hour }, troubleMade{Killed: 2}, 18, 0,
		},
		"none": {func(s *Settings) { s.KillRate, s.KillShare = 1, 0 }, troubleMade{}, 20, 0},
		"one after the other": {
			func(s *Settings) { s.KillRate, s.KillShare, s.Down = 0.1, 1, 5*time.Second },
			troubleMade{Killed: 6, Revived: 5},
			19, 0,
		},
		"changes": {func(s *Settings) { s.ChangeRate = 0.5 }, troubleMade{Changed: 30}, 20, -1},
		"free, busy and draining": {
			func(s *Settings) { s.Nodes, s.ChangeRate = 1, 1./25 }, troubleMade{Changed: 2}, 1, 1,
		},
		"and free again": {func(s *Settings) { s.Nodes, s.ChangeRate = 1, 1./17 }, troubleMade{Changed: 3}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				r, left := simulate(t, t.Context(), nil, func(s *Settings) {
					s.Ramp, s.Lifetime = 0, 61*time.Second
					test.change(s)
				}, &out)
				last := out.String()[strings.LastIndex(out.String(), "running "):]
				if !strings.Contains(last, fmt.Sprintf("s: %d nodes up, ", test.up)) {
					t.Errorf("want %d nodes up at the end of\n%s", test.up, out.String())
				}
				o := r.Orchestratord
				if r.Trouble != test.want || o.Online+o.Draining+o.Registering != test.up ||
					test.draining >= 0 && o.Draining != test.draining {
					t.Errorf("trouble is %+v, orchestratord sees %+v", r.Trouble, o)
				}
				if r.Broken() != nil || len(left) != 0 || r.Again != 0 {
					t.Errorf("broken is %q, left are %v, %d registered again", r.Broken(), left, r.Again)
				}
			})
		})
	}
}

// The pools of all nodes go through the same phases.
func TestThePhases(t *testing.T) {
	pool := registration.PoolStatus{
		PoolID: "a", Ready: true, SlotsFree: 4, SlotsTotal: 4, VRAMFreeBytes: 24e9, Engine: "llamacpp",
		ModelsAvailable: []string{"llama-3-8b"},
	}
	busy := pool
	busy.SlotsFree, busy.VRAMFreeBytes = 0, 8e9
	draining := busy
	draining.Ready, draining.Draining = false, true
	if diff := cmp.Diff([][]registration.PoolStatus{{pool}, {busy}, {draining}}, phases([]string{"a"})); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
}

// On a terminal the progress is a bar and as much of the line as there is room for.
func TestTheBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		p, f := newProgress(&out), &fleet{ledger: newLedger()}
		for _, test := range []struct {
			takes, at time.Duration
			width     int
			want      string
		}{
			{0, time.Second, 200, "running 1s: 0 nodes up, 0 heartbeats, 0/s; 0 retried, 0 missed, 0 late"},
			{0, time.Second, 12, "running 1s:"},
			{10 * time.Second, 0, 33, "[····················] running 0"},
			{10 * time.Second, 5 * time.Second, 33, "[██████████··········] running 5"},
			{10 * time.Second, 10 * time.Second, 33, "[████████████████████] running 1"},
			{10 * time.Second, 20 * time.Second, 33, "[████████████████████] running 2"},
		} {
			out.Reset()
			p.enter("running", test.takes)
			time.Sleep(test.at)
			if p.show(f, test.width); out.String() != "\r\x1b[K"+test.want {
				t.Errorf("%v of %v is shown as %q, want %q", test.at, test.takes, out.String(), test.want)
			}
		}
	})
}

// A latency beyond what a histogram holds is no latency of a fleet.
func TestLatenciesThatAreNone(t *testing.T) {
	histogram := hdrhistogram.New(1, (2 * time.Hour).Microseconds(), latencyDigits)
	if err := histogram.RecordValue(time.Hour.Microseconds()); err != nil {
		t.Fatal(err)
	}
	encoded, err := histogram.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`{"hdrhistogram_us":"` + string(encoded) + `"}`: "latency histogram: 1 values are above 10m0s",
		`{"hdrhistogram_us":"AAAA"}`:                    "latency histogram: ",
		`{"max_ms":"long"}`:                             "max_ms",
	} {
		var l latency
		if err := l.UnmarshalJSON([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	l := newLatency()
	for _, took := range []time.Duration{time.Hour, time.Second, -time.Second} {
		l.record(took)
	}
	if l.max != time.Hour || l.at(100) < longestLatency || l.at(100) > longestLatency+time.Second {
		t.Errorf("the longest is %v, %v by the histogram", l.max, l.at(100))
	}
}

// Each phase of a fleet that takes a while has a line of its own.
func TestEachPhaseIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		simulate(t, t.Context(), func(*http.Request, http.RoundTripper) (*http.Response, error) {
			time.Sleep(900 * time.Millisecond)
			return nil, nil
		}, func(s *Settings) { s.Nodes, s.Ramp, s.Lifetime = 1, 0, time.Second }, &out)
		var phases []string
		for line := range strings.Lines(out.String()) {
			phase, _, _ := strings.Cut(line, ":")
			phases = append(phases, phase)
		}
		want := []string{
			"asking orchestratord 1s", "registering 0s", "running 0s", "asking orchestratord 0s", "deregistering 0s",
		}
		if diff := cmp.Diff(want, phases); diff != "" {
			t.Errorf("the phases (-want +got):\n%s\nin\n%s", diff, out.String())
		}
	})
}

// A heartbeat counts for the last tick before the next one is due, and one that reports a change for none.
func TestTicks(t *testing.T) {
	const interval = 10 * time.Second
	tick := time.Unix(1_000_000_000, 0)
	for name, test := range map[string]struct {
		due, at, next time.Duration // from the first tick that is not answered
		missed, late  int64
		latency       time.Duration
	}{
		"at once":            {0, time.Millisecond, interval, 0, 0, time.Millisecond},
		"just in time":       {0, lateAfter, interval, 0, 0, lateAfter},
		"late":               {0, lateAfter + 1, interval, 0, 1, lateAfter},
		"a good retry":       {lateAfter / 2, lateAfter, interval, 0, 0, lateAfter},
		"a late retry":       {lateAfter, 2 * lateAfter, interval, 0, 1, 2 * lateAfter},
		"a change":           {-5 * time.Second, -2 * time.Second, 0, 0, 0, 3 * time.Second},
		"the tick after":     {interval, interval + lateAfter, 2 * interval, 1, 0, lateAfter},
		"late, and a missed": {interval, interval + lateAfter + 1, 2 * interval, 1, 1, lateAfter},
		"the third":          {2 * interval, 2*interval + lateAfter, 3 * interval, 2, 0, lateAfter},
	} {
		want := beats{Sent: 1, Answered: 1, Missed: test.missed, Late: test.late}
		ledger, a := newLedger(), &account{tick: tick, answered: true}
		ledger.answered(a, registration.Event{
			Due: tick.Add(test.due), Time: tick.Add(test.at), Next: test.next - test.at, Took: test.at - test.due,
		}, interval)
		got := ledger.now()
		if got.Beats != want || got.Latency.max.Truncate(time.Microsecond) != test.latency ||
			got.SentLate != 0 || !a.tick.Equal(tick.Add(test.next)) {
			t.Errorf("%s: %+v, latency %v, sent late %v, next %v", name, got.Beats, got.Latency.max,
				got.SentLate, a.tick)
		}
	}
}

// What a node that ends has not answered counts once, and what comes after does not.
func TestAClosedAccount(t *testing.T) {
	const interval = 10 * time.Second
	s := Settings{Prefix: "sim", Nodes: 1, Node: registration.Config{
		OrchestratordURL: "http://h", Address: "http://h", HeartbeatInterval: interval,
	}}
	node, err := registration.New(s.config(0, nil))
	if err != nil {
		t.Fatal(err)
	}
	tick := time.Unix(1_000_000_000, 0)
	for after, missed := range map[time.Duration]int64{
		-interval: 0, 0: 0, lateAfter: 0, lateAfter + 1: 1, interval + lateAfter - 1: 1, interval + lateAfter: 2,
		interval + lateAfter + 1: 2,
	} {
		ledger, a := newLedger(), &account{node: node, tick: tick}
		ledger.close(a, tick.Add(after))
		ledger.close(a, tick.Add(after+interval))
		ledger.note(a, registration.Event{Type: registration.EventOnline, Due: tick, Time: tick, Next: interval})
		if got := ledger.beats(); got != (beats{Missed: missed}) {
			t.Errorf("closed %v after a tick: %+v, want %d missed", after, got, missed)
		}
	}
	ledger := newLedger()
	if ledger.close(&account{node: node}, tick); ledger.beats() != (beats{}) {
		t.Errorf("a node without a tick has %+v", ledger.beats())
	}
}
