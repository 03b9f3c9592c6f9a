package journal_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// follow notes in the background which batches come when. What it returns ends that and
// returns them.
func follow(t *testing.T, events *journal.Journal, f journal.Filter) (stop func() []string) {
	ctx, cancel := context.WithCancel(t.Context())
	begin, ended := time.Now(), make(chan struct{})
	var batches []string
	following := events.Follow(ctx, f)
	go func() {
		defer close(ended)
		for batch := range following {
			batches = append(batches,
				fmt.Sprint(time.Since(begin), " ", sequences(slices.Collect(batch.Entries)), " ", batch.Dropped))
		}
	}()
	synctest.Wait()
	return func() []string {
		cancel()
		<-ended
		return batches
	}
}

// TestFollow has entries come one by one, at once and when nobody looks.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := journal.New(10)
		write(events, 2)
		all := follow(t, events, journal.Filter{After: new(int64(0))})
		fresh := follow(t, events, journal.Filter{})
		second := follow(t, events, journal.Filter{After: new(int64(2)), Node: "gpu-node-1"})
		nobody := follow(t, events, journal.Filter{Node: "nobody"})
		elsewhere := follow(t, events, journal.Filter{After: new(int64(1000))})

		time.Sleep(time.Second)
		write(events, 1)
		synctest.Wait()
		write(events, 2)
		synctest.Wait()
		time.Sleep(time.Second)
		events.Clear()
		events.Exchange(beat("gpu-node-1"))
		synctest.Wait()
		write(events, 15)
		time.Sleep(time.Second)

		for _, test := range []struct {
			got, want []string
		}{
			{
				all(),
				[]string{
					"0s [1 2] 0", "1s [3] 0", "1.1s [4 5] 0", "2s [6] 0",
					"2.1s [12 13 14 15 16 17 18 19 20 21] 5",
				},
			},
			{fresh(), []string{"1s [3] 0", "1.1s [4 5] 0", "2s [6] 0", "2.1s [12 13 14 15 16 17 18 19 20 21] 5"}},
			{nobody(), []string{"2.1s [] 5"}},
			{second(), []string{"1.1s [5] 0", "2s [6] 0", "2.1s [12 14 16 18 20] 5"}},
			{
				elsewhere(),
				[]string{
					"0s [1 2] 0", "1s [3] 0", "1.1s [4 5] 0", "2s [6] 0",
					"2.1s [12 13 14 15 16 17 18 19 20 21] 5",
				},
			},
		} {
			if diff := cmp.Diff(test.want, test.got); diff != "" {
				t.Errorf("batches (-want +got):\n%s", diff)
			}
		}
	})
}

// TestSlowFollower has one that takes two seconds for a batch, while ten times as much is
// written as is kept. Writers do not wait for it, and it learns what it missed.
func TestSlowFollower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := journal.New(10)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		begin := time.Now()
		go func() {
			for range 100 {
				time.Sleep(100 * time.Millisecond)
				write(events, 1)
			}
			if took := time.Since(begin); took != 10*time.Second {
				t.Errorf("writing took %s", took)
			}
			time.Sleep(time.Minute)
			cancel()
		}()
		var delivered, dropped int64
		for batch := range events.Follow(ctx, journal.Filter{Brief: true}) {
			time.Sleep(2 * time.Second)
			entries := slices.Collect(batch.Entries)
			delivered += int64(len(entries))
			dropped += batch.Dropped
			if last := entries[len(entries)-1].Sequence; last != delivered+dropped {
				t.Errorf("%d delivered and %d dropped make %d", delivered, dropped, last)
			}
		}
		if delivered+dropped != 100 || dropped < 30 {
			t.Errorf("%d delivered, %d dropped", delivered, dropped)
		}
	})
}

// TestFollowBegins has an entry come after Follow and before the first batch is asked for. The batch has it.
func TestFollowBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which notices that no batch comes
		events := journal.New(10)
		write(events, 1)
		following := events.Follow(t.Context(), journal.Filter{})
		write(events, 1)
		for batch := range following {
			if got := sequences(slices.Collect(batch.Entries)); !slices.Equal(got, []int64{2}) {
				t.Errorf("the first batch has %v", got)
			}
			break
		}
	})
}

// TestFollowEnd leaves in the middle, and lets the context end before the first batch.
func TestFollowEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := journal.New(10)
		write(events, 1)
		for range events.Follow(t.Context(), journal.Filter{After: new(int64(0))}) {
			break
		}
		for batch := range events.Follow(ended(), journal.Filter{After: new(int64(0))}) {
			t.Errorf("got %+v", batch)
		}
		write(events, 1)
	})
}

// TestFollowersLeaveNothing_heavy has many followers come and go.
func TestFollowersLeaveNothing_heavy(t *testing.T) {
	race.Skip(t)
	events := journal.New(1)
	write(events, 1)
	before := heap()
	for range 10_000 {
		for range events.Follow(t.Context(), journal.Filter{After: new(int64(0))}) {
			break
		}
		events.Expect(t.Context(), control.Expectation{})
	}
	left := heap() - before
	runtime.KeepAlive(events)
	if left > 500_000 {
		t.Errorf("%d bytes are left", left)
	}
}

// TestBatchSize_heavy has more in the journal than fits into a batch.
func TestBatchSize_heavy(t *testing.T) {
	race.Skip(t)
	events := journal.New(3000)
	write(events, 2500)
	var got []int
	for batch := range events.Follow(t.Context(),
		journal.Filter{After: new(int64(0)), Kind: control.EntryKindExchange, Brief: true}) {
		if got = append(got, len(slices.Collect(batch.Entries))); len(got) == 3 {
			break
		}
	}
	if diff := cmp.Diff([]int{1000, 1000, 500}, got); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

// TestCrowd has so many followers that a request would have to wait if all of them looked
// at the same moment. Every other one leaves after its look, while others are still to be woken.
func TestCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := journal.New(10)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		looks := make(chan time.Time, 3000)
		for i := range cap(looks) {
			following := events.Follow(ctx, journal.Filter{})
			go func() {
				for range following {
					looks <- time.Now()
					if i%2 == 0 {
						return
					}
				}
			}()
		}
		time.Sleep(time.Second)
		written := time.Now()
		write(events, 1)
		at := map[time.Duration]int{}
		for range cap(looks) {
			after := (<-looks).Sub(written)
			at[after]++
			if at[after] > 100 || after > 100*time.Millisecond {
				t.Fatalf("after %s, %d look at once", after, at[after])
			}
		}
	})
}

// ended returns a context that is over.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
