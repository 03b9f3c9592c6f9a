package har_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/llama-orch/node-registration/mockserver/har"
)

// TestRead reads archives as programs write them, and what is none.
func TestRead(t *testing.T) {
	const none = "not an HTTP archive: "
	for text, want := range map[string]string{
		``:                           none,
		`[`:                          none,
		`{}`:                         none + "there is no log in it",
		`{"log": {}}`:                none + "there is no log in it",
		`{"log": {"version": "1"}}`:  "",
		`{"log": {"entries": []}}`:   "",
		`{"log": {"entries": "no"}}`: none,
		`{"log": {"version": 1, "entries": [{"time": "no", "request": {"method": "GET", "cookies": 1}}]}}`: "",
		`{"log": {"entries": [{"request": {"method": 1}}]}}`:                                               none,
	} {
		archive, err := har.Read(strings.NewReader(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		for _, entry := range archive.Log.Entries {
			if entry.Request.Method != "GET" {
				t.Errorf("%s: of an entry the method is %q", text, entry.Request.Method)
			}
		}
	}
	torn := errors.New("the disk is torn")
	if _, err := har.Read(iotest.ErrReader(torn)); !errors.Is(err, torn) {
		t.Errorf("of a torn disk: %v", err)
	}
}

// TestStarted reads times as programs write them. One that cannot be read is none.
func TestStarted(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 500_000_000, time.UTC)
	for text, want := range map[string]time.Time{
		`"2026-01-02T12:00:00.5Z"`:      noon,
		`"2026-01-02T13:00:00.5+01:00"`: noon,
		`"2026-01-02T13:00:00.5+0100"`:  noon,
		`"2026-01-02T12:00:00.5"`:       {},
		`"noon"`:                        {},
		`7`:                             {},
		`null`:                          {},
	} {
		archive, err := har.Read(strings.NewReader(`{"log": {"entries": [{"startedDateTime": ` + text + `}]}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := archive.Log.Entries[0].Started; !got.Equal(want) {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}
