package fleet

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	// lookPace is how often the bar on a terminal is drawn, and the machine looked at.
	lookPace = 500 * time.Millisecond
	// linePace is how often there is a line where there is no terminal, beside one for
	// each phase.
	linePace = 10 * time.Second
	barWidth = 20
)

// progress shows how a fleet is doing: a bar on a terminal, a line now and then
// elsewhere.
type progress struct {
	out io.Writer

	mu    sync.Mutex
	phase string
	begin time.Time     // of the phase
	takes time.Duration // 0 for a phase that takes no set time
	said  time.Time     // when the last line was written, zero in a new phase
	sent  int64         // heartbeats at the last line, for their rate
	at    time.Time
}

func newProgress(out io.Writer) *progress { return &progress{out: out} }

// enter says what the fleet does from now on, and how long it takes.
func (p *progress) enter(phase string, takes time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase, p.begin, p.takes, p.said = phase, time.Now(), takes, time.Time{}
}

// follow shows the progress of a fleet until the function that it returns is called.
func (p *progress) follow(f *fleet) (stop func()) {
	width := terminalWidth(p.out)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(lookPace)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				f.memory.look()
				p.show(f, width)
			case <-end:
				if width > 0 {
					fmt.Fprint(p.out, clearLine)
				}
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}

// clearLine takes back what stands on a terminal's line.
const clearLine = "\r\x1b[K"

func (p *progress) show(f *fleet, width int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	switch {
	case width > 0:
		line := []rune(p.bar(now) + p.line(f, now))
		fmt.Fprint(p.out, clearLine+string(line[:min(len(line), width-1)]))
	case now.Sub(p.said) >= linePace:
		fmt.Fprintln(p.out, p.line(f, now))
		p.said = now
	}
}

func (p *progress) line(f *fleet, now time.Time) string {
	b := f.ledger.beats()
	rate := float64(b.Sent-p.sent) / max(now.Sub(p.at).Seconds(), lookPace.Seconds())
	p.sent, p.at = b.Sent, now
	return fmt.Sprintf("%s %v: %s nodes up, %s heartbeats, %s/s; %s retried, %s missed, %s late", p.phase,
		now.Sub(p.begin).Round(time.Second), grouped(f.up.Load()), grouped(b.Sent), grouped(int64(rate)),
		grouped(b.Retried), grouped(b.Missed), grouped(b.Late))
}

// bar draws how much of the phase is over.
func (p *progress) bar(now time.Time) string {
	if p.takes == 0 {
		return ""
	}
	done := min(int(barWidth*now.Sub(p.begin)/p.takes), barWidth)
	return "[" + strings.Repeat("█", done) + strings.Repeat("·", barWidth-done) + "] "
}

// terminalWidth returns how many columns out has, 0 where it is no terminal or one without
// a cursor that can be moved.
func terminalWidth(out io.Writer) int {
	file, ok := out.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}
