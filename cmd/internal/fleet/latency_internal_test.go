package fleet

import (
	"strings"
	"testing"
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
	few := newLatency()
	if few.record(10_005 * time.Microsecond); few.at(99.9) > few.max {
		t.Errorf("the longest is %v, and a part of them longer than %v", few.max, few.at(99.9))
	}
	l := newLatency()
	for _, took := range []time.Duration{time.Hour, time.Second, -time.Second} {
		l.record(took)
	}
	if l.max != time.Hour || l.at(100) < longestLatency || l.at(100) > longestLatency+time.Second {
		t.Errorf("the longest is %v, %v by the histogram", l.max, l.at(100))
	}
}
