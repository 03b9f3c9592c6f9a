package har_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver/har"
)

// TestMediaTypeThatWasNotRecorded reads an entry without headers, whose bodies have no type either, and one whose
// request has a type and no body.
func TestMediaTypeThatWasNotRecorded(t *testing.T) {
	bodiless := har.Request{Method: "GET", URL: "http://h/a", PostData: &har.PostData{MimeType: "text/plain"}}
	if request, err := (har.Entry{Request: bodiless}).HTTPRequest(t.Context()); err != nil || len(request.Header) > 0 {
		t.Errorf("without a body: %+v, %v", request, err)
	}
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

// TestRecordedTypeCounts has headers with another type than that of the body.
func TestRecordedTypeCounts(t *testing.T) {
	headers := []har.Pair{{Name: "content-type", Value: "text/html"}}
	entry := har.Entry{
		Request: har.Request{
			Method: "POST", URL: "http://h/a", Headers: headers,
			PostData: &har.PostData{MimeType: "text/plain", Text: "x"},
		},
		Response: har.Response{Status: 200, Headers: headers, Content: har.Content{MimeType: "text/plain", Text: "x"}},
	}
	request, err := entry.HTTPRequest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{"Content-Type": {"text/html"}}
	for what, header := range map[string]http.Header{"request": request.Header, "answer": entry.HTTPResponse().Header} {
		if diff := cmp.Diff(want, header); diff != "" {
			t.Errorf("of the %s (-want +got):\n%s", what, diff)
		}
	}
}

// TestRequest has bodies that were recorded whole, in part or not at all.
func TestRequest(t *testing.T) {
	for _, test := range []struct {
		name   string
		body   *har.PostData
		size   int64
		text   string
		length int64
		end    error
	}{
		{"none", nil, 0, "", 0, nil},
		{"none, of an unknown size", nil, -1, "", 0, nil},
		{"whole", &har.PostData{Text: "x"}, 1, "x", 1, nil},
		{"of an unknown size", &har.PostData{Text: "{}"}, -1, "{}", 2, nil},
		{"without its size", &har.PostData{Text: "{}"}, 0, "{}", 2, nil},
		{"in part", &har.PostData{Text: "{}"}, 3, "{}", 3, io.ErrUnexpectedEOF},
		{"not recorded", nil, 1, "", 1, io.ErrUnexpectedEOF},
	} {
		entry := har.Entry{Request: har.Request{
			Method: "POST", URL: "http://h/a%2Fb?c=d", PostData: test.body, BodySize: test.size,
		}}
		request, err := entry.HTTPRequest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(request.Body)
		if string(text) != test.text || request.ContentLength != test.length || !errors.Is(err, test.end) {
			t.Errorf("%s: %q, of %d bytes, %v", test.name, text, request.ContentLength, err)
		}
		if none := test.length == 0; none != (request.Body == http.NoBody) {
			t.Errorf("%s: the body is %v", test.name, request.Body)
		}
		if request.RequestURI != "/a%2Fb?c=d" {
			t.Errorf("the URI is %s", request.RequestURI)
		}
	}
	if _, err := (har.Entry{Request: har.Request{Method: "no method"}}).HTTPRequest(t.Context()); err == nil {
		t.Error("something that is no method is one")
	}
}

// TestResponse has bodies that were recorded whole, in part or not at all.
func TestResponse(t *testing.T) {
	for _, test := range []struct {
		name    string
		status  int
		content har.Content
		sent    int64
		text    string
		end     error
	}{
		{"whole", 200, har.Content{Text: "{}", Size: 2}, 2, "{}", nil},
		{"compressed on the wire", 200, har.Content{Text: "{}", Size: 2}, 40, "{}", nil},
		{"of an unknown size", 200, har.Content{Text: "{}", Size: -1}, -1, "{}", nil},
		{"in part", 503, har.Content{Text: "{}", Size: 3}, -1, "{}", io.ErrUnexpectedEOF},
		{"base64", 200, har.Content{Text: "e30=", Size: 2, Encoding: "base64"}, 2, "{}", nil},
		{"text that is base64, too", 200, har.Content{Text: "e30=", Size: 4}, 4, "e30=", nil},
		{"base64 that breaks off", 200, har.Content{Text: "e303*", Size: -1, Encoding: "base64"}, -1, "{}7", nil},
		{"empty", 200, har.Content{}, -1, "", nil},
		{"not recorded", 200, har.Content{Size: -1}, -1, "", io.ErrUnexpectedEOF},
		{"none was sent", 200, har.Content{Size: -1}, 0, "", nil},
		{"none can be", 204, har.Content{Size: -1}, -1, "", nil},
	} {
		entry := har.Entry{Response: har.Response{Status: test.status, Content: test.content, BodySize: test.sent}}
		response := entry.HTTPResponse()
		text, err := io.ReadAll(response.Body)
		if string(text) != test.text || response.ContentLength != int64(len(text)) || !errors.Is(err, test.end) {
			t.Errorf("%s: %q, of %d bytes, %v", test.name, text, response.ContentLength, err)
		}
		if response.StatusCode != test.status || response.ProtoMajor != 1 || response.ProtoMinor != 1 {
			t.Errorf("%s: %+v", test.name, response)
		}
	}
}
