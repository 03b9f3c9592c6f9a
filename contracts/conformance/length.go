package conformance

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strconv"
)

// Headers that say how long a body is.
const (
	contentLength    = "Content-Length"
	transferEncoding = "Transfer-Encoding"
)

// judgeLength reports a length that contradicts what follows the header. Clients and proxies differ in
// what they make of it: some refuse the answer, and some take its rest for the next one.
func (s *session) judgeLength(a *answer) {
	length, place := a.header.Get(contentLength), at(a, "header "+contentLength)
	switch {
	case length == "":
	case a.header.Get(transferEncoding) != "":
		s.find(Nodes, a.op, place, "none beside "+transferEncoding, strconv.Quote(short(length)))
	case a.status == http.StatusNoContent && length != "0":
		s.find(Nodes, a.op, place, "none, as there is no body", strconv.Quote(short(length)))
	}
}

// readResponse reads an answer. If it has chunks and a length, its header shows both, which net/http
// hides.
func readResponse(from *bufio.Reader, r *http.Request) (*http.Response, error) {
	head := readHead(from)
	response, err := http.ReadResponse(bufio.NewReader(io.MultiReader(bytes.NewReader(head), from)), r)
	if err != nil || len(response.TransferEncoding) == 0 {
		return response, err
	}
	for line := range bytes.Lines(head) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if http.CanonicalHeaderKey(string(name)) == contentLength {
			response.Header[transferEncoding] = response.TransferEncoding
			response.Header.Add(contentLength, string(bytes.TrimSpace(value)))
		}
	}
	return response, nil
}

// readHead reads up to the first blank line, or to the end.
func readHead(from *bufio.Reader) (head []byte) {
	for {
		line, err := from.ReadBytes('\n')
		head = append(head, line...)
		if err != nil || len(bytes.TrimSpace(line)) == 0 {
			return head
		}
	}
}
