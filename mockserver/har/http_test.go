package har_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// TestHeaders leaves out what was between two programs, and how a body was sent that is recorded decoded.
func TestHeaders(t *testing.T) {
	recorded := []har.Pair{
		{Name: ":status", Value: "200"},
		{Name: "connection", Value: "keep-alive"},
		{Name: "transfer-encoding", Value: "chunked"},
		{Name: "content-length", Value: "20"},
		{Name: "content-encoding", Value: "gzip"},
		{Name: "x-one", Value: "a"},
		{Name: "x-one", Value: "b"},
	}
	for encoded, want := range map[bool]http.Header{
		false: {"X-One": {"a", "b"}},
		true:  {"X-One": {"a", "b"}, "Content-Encoding": {"gzip"}},
	} {
		entry := har.Entry{
			Request:  har.Request{Method: "GET", URL: "http://h/a", Headers: recorded},
			Response: har.Response{Status: 200, Headers: recorded},
			Encoded:  encoded,
		}
		request, err := entry.HTTPRequest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, request.Header); diff != "" {
			t.Errorf("of the request, encoded %t (-want +got):\n%s", encoded, diff)
		}
		if diff := cmp.Diff(want, entry.HTTPResponse().Header); diff != "" {
			t.Errorf("of the answer, encoded %t (-want +got):\n%s", encoded, diff)
		}
	}
}
