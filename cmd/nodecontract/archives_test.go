package main

import (
	"os"
	"strings"
	"testing"
)

// TestDriftOfOtherPrograms reads an archive of two calls as other programs would have exported it.
func TestDriftOfOtherPrograms(t *testing.T) {
	text, err := os.ReadFile("testdata/calls.har")
	if err != nil {
		t.Fatal(err)
	}
	calls := string(text)
	edited := func(old, replacement string) string {
		if !strings.Contains(calls, old) {
			t.Fatalf("the archive has no %s", old)
		}
		return strings.ReplaceAll(calls, old, replacement)
	}
	const header = `{"name": "Content-Type", "value": "application/json"}`
	const other = `{"name": "Content-Type", "value": "text/plain"}`
	utf16 := "\xff\xfe" + strings.Join(strings.Split(calls, ""), "\x00") + "\x00"
	for name, test := range map[string]struct {
		archive string
		status  int
		shown   string
	}{
		"as it is":                   {calls, 0, "2 calls of nodes"},
		"a byte order mark":          {"\ufeff" + calls, 0, "2 calls of nodes"},
		"UTF-16":                     {utf16, 0, "2 calls of nodes"},
		"a zone without a colon":     {edited(`00Z", "request"`, `00+0200", "request"`), 0, "2 calls of nodes"},
		"a number for a time":        {edited(`"2025-10-01T00:00:01Z"`, `1759276801000`), 0, "2 calls of nodes"},
		"no headers":                 {edited(header, ""), 0, "2 calls of nodes"},
		"an answer that is missing":  {edited(`"text": "{\"success`, `"other": "{\"success`), 0, "2 calls of nodes"},
		"no answers":                 {edited(`"status": 200`, `"status": 0`), 0, "2 calls of nodes"},
		"another media type":         {edited(header, other), 1, "must be application/json"},
		"a field that is the mock's": {edited(`"request": {`, `"_encoded": "gzip", "request": {`), 0, "2 calls"},
		"a field of its own":         {edited(`"request": {`, `"_priority": {"a": []}, "request": {`), 0, "2 calls"},
		"other types where nobody reads": {
			edited(`"request": {`, `"time": "9", "cache": [], "timings": {"send": null, "wait": "1"}, "comment": 7,
				"request": {"httpVersion": 1.1, "cookies": "", "queryString": {}, "headersSize": "-1",`),
			0, "2 calls of nodes",
		},
		"other types in the log": {
			edited(`"entries":`, `"version": 1.2, "creator": "me", "entries":`), 0, "2 calls of nodes",
		},
		"another type of a URL": {
			edited(`"request": {`, `"time": "9", "request": {"url": 7,`), 2,
			"not an HTTP archive: log.entries.request.url is of type number, which does not belong there",
		},
		"another type of a text": {
			edited(`"text": "{`, `"encoding": [], "text": "{`), 2, "content.encoding is of type array, which",
		},
		"two archives": {calls + calls, 2, "after top-level value"},
		"a list":       {"[" + calls + "]", 2, "not an HTTP archive: "},
	} {
		t.Run(name, func(t *testing.T) {
			file := written(t, "traffic.har", test.archive)
			if shown, status := runDrift(t, file); status != test.status || !strings.Contains(shown, test.shown) {
				t.Errorf("exit status %d, want %d, and %q:\n%s", status, test.status, test.shown, shown)
			}
		})
	}
}

// TestDriftBelowAPath reads an archive of an orchestratord whose URL has a path.
func TestDriftBelowAPath(t *testing.T) {
	text, err := os.ReadFile("testdata/calls.har")
	if err != nil {
		t.Fatal(err)
	}
	const root = "http://orchestratord:8080"
	archive := strings.ReplaceAll(string(text), root, root+"/cluster%20a")
	for name, test := range map[string]struct {
		archive, base string // base is empty for no flag
		status        int
		shown         string
	}{
		"without the flag":    {archive, "", 2, "is of a node: if the URL of orchestratord has a path, state it"},
		"the path":            {archive, root + "/cluster%20a", 0, "2 calls of nodes"},
		"with a slash behind": {archive, "HTTP://Orchestratord:8080/cluster%20a/", 0, "2 calls of nodes"},
		"another path":        {archive, root + "/cluster", 2, "is of a node: is --provider-url the URL"},
		"another server":      {archive, "http://orchestratord/cluster%20a", 2, "none of its 2 requests"},
		"no path":             {string(text), root, 0, "2 calls of nodes"},
		"the path twice": {
			strings.Replace(archive, "a/v2", "a/v2/v2", 1), root + "/cluster%20a", 0, "1 call of nodes",
		},
		"the usual port": {
			strings.ReplaceAll(archive, ":8080", ""), "http://orchestratord:80/cluster%20a", 0, "2 calls of nodes",
		},
		"a host in capitals": {
			strings.ReplaceAll(archive, "//o", "//O"), root + "/cluster%20a", 0, "2 calls of nodes",
		},
		"no URL": {archive, "orchestratord:8080", 2, "--provider-url is"},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{written(t, "traffic.har", test.archive)}
			if test.base != "" {
				args = append(args, "--provider-url", test.base)
			}
			if shown, status := runDrift(t, args...); status != test.status || !strings.Contains(shown, test.shown) {
				t.Errorf("exit status %d, want %d, and %q:\n%s", status, test.status, test.shown, shown)
			}
		})
	}
}
