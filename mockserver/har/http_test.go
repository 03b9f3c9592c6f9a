package har_test

import (
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver/har"
)

// TestMediaTypeThatWasNotRecorded reads an entry without headers, whose bodies have no type either.
func TestMediaTypeThatWasNotRecorded(t *testing.T) {
	for mimeType, want := range map[string]int{"": 0, "application/json": 1} {
		archive, err := har.Read(strings.NewReader(`{"log": {"entries": [{
			"request": {"method": "POST", "url": "http://h/a", "postData": {"mimeType": "` + mimeType + `", "text": "{}"}},
			"response": {"status": 200, "content": {"mimeType": "` + mimeType + `", "text": "{}"}}}]}}`))
		if err != nil {
			t.Fatal(err)
		}
		entry := archive.Log.Entries[0]
		request, err := entry.HTTPRequest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		asked, answered := request.Header["Content-Type"], entry.HTTPResponse().Header["Content-Type"]
		if len(asked) != want || len(answered) != want {
			t.Errorf("the types %q and %q for the recorded type %q", asked, answered, mimeType)
		}
	}
}
