package fleet

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

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

// A histogram rounds up, and no percentile is beyond the longest latency.
func TestNoPercentileIsBeyondTheLongestLatency(t *testing.T) {
	l := newLatency()
	if l.record(10_005 * time.Microsecond); l.at(99.9) > l.max {
		t.Errorf("the longest is %v, and the percentile 99.9 is %v", l.max, l.at(99.9))
	}
}

// The latencies of two fleets are those of all their heartbeats.
func TestLatenciesAddUp(t *testing.T) {
	var reports []*Report
	synctest.Test(t, func(t *testing.T) {
		for _, prefix := range []string{"a", "b"} {
			r, _ := simulate(t, t.Context(), nil, func(s *Settings) { s.Prefix = prefix })
			reports = append(reports, r)
		}
	})
	var files []string
	for _, r := range reports {
		files = append(files, written(t, r))
	}
	sum, err := Merge(t.Context(), files)
	if err != nil || sum.Beats.Answered < 2*20*11 || sum.Latency.histogram.TotalCount() != sum.Beats.Answered {
		t.Errorf("sum is %+v, %v", sum, err)
	}
}
