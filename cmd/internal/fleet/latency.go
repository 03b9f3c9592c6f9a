package fleet

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// longestLatency is the most that the histogram distinguishes.
	longestLatency = 10 * time.Minute
	// latencyDigits is how many digits of a latency are kept.
	latencyDigits = 3
)

// latency is how long heartbeats took. Its JSON has milliseconds, and the histogram in
// HdrHistogram's own encoding, by which latencies can be added.
type latency struct {
	histogram *hdrhistogram.Histogram // of microseconds
	max       time.Duration
}

func newLatency() latency {
	return latency{histogram: hdrhistogram.New(1, longestLatency.Microseconds(), latencyDigits)}
}

func (l *latency) record(took time.Duration) {
	l.max = max(l.max, took)
	_ = l.histogram.RecordValue(min(max(took, time.Microsecond), longestLatency).Microseconds()) // within its bounds
}

// add adds the latencies of another fleet.
func (l *latency) add(other latency) {
	l.max = max(l.max, other.max)
	l.histogram.Merge(other.histogram) // drops nothing: newLatency and UnmarshalJSON see to the bounds
}

// copy returns the latencies so far.
func (l *latency) copy() latency {
	return latency{histogram: hdrhistogram.Import(l.histogram.Export()), max: l.max}
}

// at returns what a share of the heartbeats, in percent, did not exceed.
func (l latency) at(percent float64) time.Duration {
	return min(time.Duration(l.histogram.ValueAtQuantile(percent))*time.Microsecond, l.max)
}

// latencyJSON is how a latency is written.
type latencyJSON struct {
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	P999      float64 `json:"p99_9_ms"`
	Max       float64 `json:"max_ms"`
	Histogram string  `json:"hdrhistogram_us"`
}

func (l latency) MarshalJSON() ([]byte, error) {
	encoded, err := l.histogram.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil, err
	}
	return json.Marshal(latencyJSON{
		P50: milliseconds(l.at(50)), P99: milliseconds(l.at(99)), P999: milliseconds(l.at(99.9)),
		Max:       milliseconds(l.max),
		Histogram: string(encoded),
	})
}

func (l *latency) UnmarshalJSON(text []byte) error {
	var written latencyJSON
	if err := json.Unmarshal(text, &written); err != nil {
		return err
	}
	histogram, err := hdrhistogram.Decode([]byte(written.Histogram))
	if err != nil {
		return fmt.Errorf("latency histogram: %w", err)
	}
	*l = newLatency()
	l.max = time.Duration(written.Max * float64(time.Millisecond))
	if dropped := l.histogram.Merge(histogram); dropped > 0 {
		return fmt.Errorf("latency histogram: %d values are above %v", dropped, longestLatency)
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
