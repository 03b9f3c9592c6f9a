package registration_test

import (
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// blockedLog takes no line before a time.
type blockedLog struct {
	strings.Builder
	until time.Time
}

func (l *blockedLog) Write(line []byte) (int, error) {
	time.Sleep(time.Until(l.until))
	return l.Builder.Write(line)
}

// linesOf returns what a node logs in two hours, if the log is blocked for so long.
func linesOf(t *testing.T, blocked time.Duration) (lines []string) {
	synctest.Test(t, func(t *testing.T) {
		log := &blockedLog{until: time.Now().Add(blocked)}
		c := config(t, &wire{})
		c.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		node := beating(t, c, ready)
		time.Sleep(2 * time.Hour)
		if err := node.Deregister(t.Context()); err != nil {
			t.Error(err)
		}
		lines = strings.Split(strings.TrimSpace(log.String()), "\n")
	})
	return lines
}

// A log that was too slow says so once, and how many lines it lacks.
func TestLostLinesAreCountedOnce(t *testing.T) {
	all, taken := linesOf(t, 0), linesOf(t, time.Hour)
	counts := regexp.MustCompile(`lines_lost=(\d+)`).FindAllStringSubmatch(strings.Join(taken, "\n"), -1)
	if len(counts) != 1 {
		t.Fatalf("%d of %d lines count those that were lost, want one", len(counts), len(taken))
	}
	if lost, _ := strconv.Atoi(counts[0][1]); lost == 0 || lost+len(taken) != len(all) {
		t.Errorf("%d lines are there and %d are said to be lost, of %d", len(taken), lost, len(all))
	}
}
