package har

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
)

// HTTPRequest returns a recorded request. Reading a body that was not recorded whole ends with
// io.ErrUnexpectedEOF.
func (e Entry) HTTPRequest(ctx context.Context) (*http.Request, error) {
	text := ""
	if e.Request.PostData != nil {
		text = e.Request.PostData.Text
	}
	body := body([]byte(text), e.Request.BodySize)
	r, err := http.NewRequestWithContext(ctx, e.Request.Method, e.Request.URL, body)
	if err != nil {
		return nil, err
	}
	if e.Request.BodySize > 0 {
		r.ContentLength = e.Request.BodySize
	}
	r.Header = e.header(e.Request.Headers)
	if len(e.Request.Headers) == 0 && text != "" && e.Request.PostData.MimeType != "" {
		r.Header.Set("Content-Type", e.Request.PostData.MimeType) // as programs export that leave out headers
	}
	r.RequestURI = r.URL.RequestURI()
	return r, nil
}

// HTTPResponse returns a recorded answer. Reading a body that was not recorded whole ends with
// io.ErrUnexpectedEOF.
func (e Entry) HTTPResponse() *http.Response {
	content := e.Response.Content
	text := []byte(content.Text)
	if content.Encoding == "base64" {
		text, _ = base64.StdEncoding.DecodeString(content.Text) // what can be read of it
	}
	headers, size := e.header(e.Response.Headers), content.Size
	if len(e.Response.Headers) == 0 && content.MimeType != "" {
		headers.Set("Content-Type", content.MimeType)
	}
	if size < 0 && e.Response.BodySize != 0 && e.Response.Status != http.StatusNoContent {
		size = 1 // there may be a body, although none was recorded
	}
	return &http.Response{
		StatusCode: e.Response.Status, ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(text)),
		Header: headers, Body: io.NopCloser(body(text, size)),
	}
}

// header leaves out what is between two programs, and how a body was encoded on the wire, if it is
// decoded in the archive.
func (e Entry) header(pairs []Pair) http.Header {
	header := http.Header{}
	for _, pair := range pairs {
		switch name := http.CanonicalHeaderKey(pair.Name); {
		case strings.HasPrefix(name, ":"), name == "Connection", name == "Transfer-Encoding", name == "Content-Length":
		case name == "Content-Encoding" && !e.Encoded:
		default:
			header.Add(name, pair.Value)
		}
	}
	return header
}

// body returns the text of a body that has so many bytes, if that is known.
func body(text []byte, size int64) io.Reader {
	whole := strings.NewReader(string(text))
	if size <= int64(len(text)) {
		return whole
	}
	return io.MultiReader(whole, cut{})
}

// cut is the end of a body that was not recorded.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
