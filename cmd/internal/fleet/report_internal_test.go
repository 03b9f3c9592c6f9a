package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// filled returns the report of a fleet whose figures all differ: they count up from first.
func filled(prefix string, first int64) *Report {
	r := &Report{tally: newTally(), Fleets: make([]member, 1), Interrupted: true}
	figure := first
	fill(reflect.ValueOf(r).Elem(), &figure)
	r.Fleets[0].Prefix = prefix
	r.Failures["heartbeat: answered 500"], r.Failures["register: of "+prefix] = first, 1
	for i := range 100 {
		r.Latency.record(time.Duration(first)*time.Second + time.Duration(i)*time.Millisecond)
	}
	return r
}

func fill(v reflect.Value, figure *int64) {
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, figure)
		}
	case reflect.Slice:
		for i := range v.Len() {
			fill(v.Index(i), figure)
		}
	case reflect.Int, reflect.Int64:
		if v.CanSet() {
			v.SetInt(*figure)
			*figure++
		}
	case reflect.Float64:
		v.SetFloat(float64(*figure))
		*figure++
	}
}

// figures returns the figures of a report by their paths in its JSON.
func figures(t *testing.T, r *Report) map[string]float64 {
	t.Helper()
	var text bytes.Buffer
	var tree any
	if err := r.writeJSON(&text); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text.Bytes(), &tree); err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	var walk func(path string, tree any)
	walk = func(path string, tree any) {
		switch tree := tree.(type) {
		case map[string]any:
			for name, below := range tree {
				walk(path+"/"+name, below)
			}
		case []any:
			for i, below := range tree {
				walk(fmt.Sprintf("%s/%d", path, i), below)
			}
		case float64:
			all[path] = tree
		}
	}
	walk("", tree)
	return all
}

// Each figure of a sum is the sum of the figures, or the largest of those that cannot be added.
func TestEveryFigureAddsUp(t *testing.T) {
	a, b := filled("a", 100), filled("b", 2000)
	one, other := figures(t, a), figures(t, b)
	sum, err := Merge(t.Context(), []string{written(t, b), written(t, a)}) // the larger one is not the last
	if err != nil {
		t.Fatal(err)
	}
	got := figures(t, sum)
	want := map[string]float64{}
	for path := range one {
		want[path] = one[path] + other[path]
	}
	for path := range other {
		switch {
		case strings.HasPrefix(path, "/fleets/0/"):
			want[path] = other[path]
			want[strings.Replace(path, "/0/", "/1/", 1)] = one[path]
		case path == "/sent_late_ns", path == "/latency/max_ms":
			want[path] = max(one[path], other[path])
		case strings.HasPrefix(path, "/latency/"):
			delete(want, path)
			delete(got, path)
		case strings.HasPrefix(path, "/failures/"):
			want[path] = one[path] + other[path]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || !sum.Interrupted {
		t.Errorf("interrupted %t, figures (-want +got):\n%s", sum.Interrupted, diff)
	}
	low, high := sum.Latency.at(49), sum.Latency.at(52)
	if low < 100*time.Second || low > 101*time.Second || high < 600*time.Second {
		t.Errorf("half of the latencies do not exceed %v, and half are from %v", low, high)
	}
	calm := &Report{Fleets: []member{{Prefix: "c"}}, tally: newTally()}
	calm.Orchestratord.Error = "it is away"
	if sum, err := Merge(t.Context(), []string{written(t, calm), written(t, a)}); err != nil || !sum.Interrupted ||
		sum.Orchestratord.Error != "it is away" {
		t.Errorf("sum is %+v, %v", sum, err)
	}
	if sum, err := Merge(t.Context(), []string{written(t, a), written(t, calm)}); err != nil || !sum.Interrupted ||
		sum.Orchestratord.Error != "it is away" {
		t.Errorf("the other way round the sum is %+v, %v", sum, err)
	}
}

// A sum that cannot be made names every file that is in its way.
func TestEveryFileInTheWayIsNamed(t *testing.T) {
	good := written(t, filled("a", 1))
	none := filepath.Join(t.TempDir(), "none")
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, maxReport+1); err != nil {
		t.Fatal(err)
	}
	_, err := Merge(t.Context(), []string{good, none, good, large})
	want := "stat " + none + ": no such file or directory\n" + good + `: fleet "a" is in two reports` + "\n" +
		large + " is larger than 67108864 bytes"
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

// text returns a report as people read it.
func text(t *testing.T, r *Report) string {
	t.Helper()
	var text strings.Builder
	if err := r.writeText(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestTheTable(t *testing.T) {
	r := filled("a", 1234567)
	r.Registered, r.Machine.Base, r.Machine.Memory, r.Machine.Goroutines = 2000, 9_400_000, 14_800_000, 30
	r.Fleets[0].Interval, r.Fleets[0].Ran = 1.5, 65.04
	r.SentLate = 1234567 * time.Microsecond
	r.Latency = newLatency()
	for i := range 1000 { // the longest is not the last
		r.Latency.record(time.Duration(1000-i) * time.Millisecond)
	}
	const want = `a: 1,234,567 nodes, a heartbeat every 1.5s, for 1m5s

nodes          registered             2,000  of 1,234,570
               again              1,234,574  registrations of nodes that orchestratord had lost
               crashed            1,234,581
               revived            1,234,582
               changed            1,234,583  pools
               left               1,234,599  on record: they could not be deregistered
heartbeats     sent               1,234,575
               answered           1,234,576
               retried            1,234,577
               missed             1,234,578
               late               1,234,579
latency        p50                 500.2 ms
               p99                 990.2 ms
               p99.9               999.4 ms
               max                1000.0 ms
per node       memory                7.4 KB  beyond 9 MB without nodes
               goroutines              0.01
orchestratord  Online             1,234,584
               Draining           1,234,585
               Registering        1,234,586  their first heartbeat is to come
               Offline            1,234,587
               Failed             1,234,588
               absent             1,234,589
failures       1,234,567 × heartbeat: answered 500
               1 × register: of a
` + "limits met     1,234,595 requests waited for one of 1,234,593 connections, up to 1,234,596 at once: " +
		`--connections sets how many
               1,234,597 connections found no file descriptor: raise ulimit -n, or lower --connections
               1,234,598 connections found no local port: lower --connections, or use more machines
               a heartbeat was sent 1.235s after it was due: this machine is too busy for so many nodes
BROKEN         nodes not registered when the fleet was interrupted: 1,234,572
               heartbeats missed: 1,234,578
               heartbeats late: 1,234,579
               nodes up, but Offline to orchestratord: 1,234,587
               nodes up, but Failed to orchestratord: 1,234,588
               nodes up, but unknown to orchestratord: 1,234,589
               nodes left on record: 1,234,599
`
	if diff := cmp.Diff(want, text(t, r)); diff != "" {
		t.Errorf("the table (-want +got):\n%s", diff)
	}
	all := figures(t, r)
	for path, want := range map[string]float64{"p50_ms": 500.2, "p99_ms": 990.2, "p99_9_ms": 999.4, "max_ms": 1000} {
		if got := all["/latency/"+path]; math.Abs(got-want) > 0.1 {
			t.Errorf("the JSON has %s of %v, want %v", path, got, want)
		}
	}
}

// What is wrong with a fleet is said, each by itself, and what is not is left out.
func TestEachPromiseAndEachLimit(t *testing.T) {
	const well = `a: 1 nodes, a heartbeat every 10s, for 1s

nodes          registered                 1  of 1
heartbeats     sent                       0
               answered                   0
               retried                    0
               missed                     0
               late                       0
latency        p50                   0.0 ms
               p99                   0.0 ms
               p99.9                 0.0 ms
               max                   0.0 ms
per node       memory                0.0 KB  beyond 0 MB without nodes
               goroutines              0.00
orchestratord  Online                     1
every promise was kept
`
	for name, test := range map[string]struct {
		change func(*Report)
		said   string // "" for what is not worth a word
		kept   bool
	}{
		"all is well":             {func(*Report) {}, "", true},
		"a retry":                 {func(r *Report) { r.Beats.Retried = 1 }, "", true},
		"nodes that drain":        {func(r *Report) { r.Orchestratord.Draining = 1 }, "", true},
		"nodes that begin":        {func(r *Report) { r.Orchestratord.Registering = 1 }, "", true},
		"no node":                 {func(r *Report) { r.Registered = 0 }, "", true},
		"fewer goroutines":        {func(r *Report) { r.Machine.Goroutines = -1 }, "", true},
		"an interruption":         {func(r *Report) { r.Interrupted = true }, "", true},
		"a node not registered":   {func(r *Report) { r.Unregistered = 1 }, "nodes not registered: 1", false},
		"a missed heartbeat":      {func(r *Report) { r.Beats.Missed = 1 }, "heartbeats missed: 1", false},
		"a late heartbeat":        {func(r *Report) { r.Beats.Late = 1 }, "heartbeats late: 1", false},
		"a node that is Offline":  {func(r *Report) { r.Orchestratord.Offline = 1 }, "Offline to orchestra", false},
		"a node that has Failed":  {func(r *Report) { r.Orchestratord.Failed = 1 }, "Failed to orchestra", false},
		"a node that is unknown":  {func(r *Report) { r.Orchestratord.Absent = 1 }, "unknown to orchestra", false},
		"a node on record":        {func(r *Report) { r.Left = 1 }, "nodes left on record: 1", false},
		"no list":                 {func(r *Report) { r.Orchestratord.Error = "away" }, "for its nodes: away", false},
		"a connection waited for": {func(r *Report) { r.Machine.Waited = 1 }, "limits met     1 requests waited", true},
		"no file descriptor":      {func(r *Report) { r.Machine.NoFile = 1 }, "1 connections found no file", true},
		"no local port":           {func(r *Report) { r.Machine.NoPort = 1 }, "1 connections found no local", true},
		"a busy machine":          {func(r *Report) { r.SentLate = sluggish + 1 }, "sent 500ms after it was", true},
		"a machine that keeps up": {func(r *Report) { r.SentLate = sluggish }, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Report{
				Fleets: []member{{Prefix: "a", Nodes: 1, Interval: 10, Ran: 1}}, Nodes: 1, Registered: 1,
				tally: newTally(),
			}
			r.Orchestratord.Online = 1
			test.change(r)
			said := text(t, r)
			if kept := r.Broken() == nil; kept != test.kept ||
				kept != strings.HasSuffix(said, "\nevery promise was kept\n") ||
				kept == strings.Contains(said, "\nBROKEN ") {
				t.Errorf("kept is %t, want %t, in\n%s", kept, test.kept, said)
			}
			if !strings.Contains(said, test.said) || !strings.Contains(said, "0.0 KB") ||
				strings.Contains(said, "limits met") != (test.kept && test.said != "") {
				t.Errorf("%q is not said in\n%s", test.said, said)
			}
			if name == "all is well" && said != well || name == "fewer goroutines" && said != well {
				t.Errorf("the table is\n%s", said)
			}
			if strings.Contains(said, "orchestratord  Online") != (r.Orchestratord.Error == "") {
				t.Errorf("what an orchestratord said that did not answer is\n%s", said)
			}
		})
	}
}

func TestGroupedNumbers(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1,000", 100_000: "100,000", 1_000_000: "1,000,000", -999: "-999", -1000: "-1,000",
		-100_000: "-100,000",
	} {
		if got := grouped(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
}

// A report that cannot be written is an error.
func TestAReportToNowhere(t *testing.T) {
	reader, nowhere := io.Pipe()
	reader.Close()
	for name, write := range map[string]func(*Report, io.Writer) error{
		"text": (*Report).writeText, "json": (*Report).writeJSON,
	} {
		if err := write(filled("a", 1), nowhere); err == nil {
			t.Errorf("%s: written to nowhere", name)
		}
	}
}
