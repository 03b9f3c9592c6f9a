package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
)

// Kept is how many bytes of a body are kept while it passes. Only a body that is kept whole is
// held to the document.
const Kept = exchange.KeptBuffer

// Passage is one request on its way to orchestratord, and the answer on its way back.
type Passage struct {
	Header       http.Header // of the answer, as it came; nil without one
	Err          error       // why there is no answer, or not all of it
	RequestWhole bool        // whether all of the request's body was kept
	AnswerWhole  bool        // whether all of the answer's was

	x        *exchange.Exchange
	ended    func(*Passage)
	over     bool
	chunked  bool
	hasty    bool      // there was an answer before the end of the request
	switched io.Closer // the connection, where orchestratord has changed its protocol
	upstream *Upstream
	request  *requestBody
}

// noConnection is the error of a request for which there was no connection to orchestratord.
type noConnection struct{ Err error }

func (n *noConnection) Error() string { return n.Err.Error() }
func (n *noConnection) Unwrap() error { return n.Err }

// Reached reports whether orchestratord may have seen the request. One that refuses the certificate
// of the mock has not: over TLS 1.3 its alert may come after the request.
func (p *Passage) Reached() bool {
	unconnected, alert := (*noConnection)(nil), (*net.OpError)(nil)
	refused := p.Header == nil && errors.As(p.Err, &alert) && alert.Op == "remote error" && isOfCertificate(alert.Err)
	return !refused && !errors.As(p.Err, &unconnected)
}

// isOfCertificate reports whether a TLS alert (RFC 8446, 6.2) is about the certificate of the mock, or
// that it has none. Package tls exports its alerts by their words alone.
func isOfCertificate(alert error) bool {
	for _, known := range []tls.AlertError{
		40,  // handshake_failure, with which some servers say that there is none
		42,  // bad_certificate
		43,  // unsupported_certificate
		44,  // certificate_revoked
		45,  // certificate_expired
		46,  // certificate_unknown
		48,  // unknown_ca
		49,  // access_denied
		116, // certificate_required
	} {
		if alert.Error() == known.Error() {
			return true
		}
	}
	return false
}

// Gone reports whether it was the client who broke the passage off.
func (p *Passage) Gone() bool { return errors.Is(p.Err, errGone) || errors.Is(p.Err, context.Canceled) }

// begin notes the head of the answer. It fails for a status that HTTP does not have, and that no server
// sends on.
func (p *Passage) begin(answer *http.Response) error {
	if answer.StatusCode < http.StatusContinue {
		return fmt.Errorf("there is no status %03d", answer.StatusCode)
	}
	if p.hasty = p.request.lacksEnd(); p.hasty {
		closeAfter(p.x.Client)
	}
	p.Header = answer.Header
	p.x.WriteHeader(answer.StatusCode)
	switch {
	case answer.StatusCode == http.StatusSwitchingProtocols:
		p.switched = answer.Body
		p.end(nil) // what comes now is no HTTP
	case answer.Body == http.NoBody:
		p.AnswerWhole = true
		p.end(nil)
	default:
		p.chunked = answer.ContentLength < 0
		answer.Body = &answerBody{answer.Body, p}
	}
	return nil
}

// fail notes why there is no answer. A change of the protocol was noted as one. If the client has not
// asked for it, all that is left is to break the connection.
func (p *Passage) fail(_ http.ResponseWriter, _ *http.Request, err error) {
	if p.switched != nil {
		_ = p.switched.Close()
		panic(http.ErrAbortHandler)
	}
	p.end(err)
}

// closeAfter has the HTTP server answer before the end of the request, and close the connection then. It does
// so in two steps, so that a client that goes on sending can read the answer. A limit is what the server does
// that for.
func closeAfter(client http.ResponseWriter) {
	excess := io.NopCloser(strings.NewReader("."))
	_, _ = http.MaxBytesReader(client, excess, 0).Read(make([]byte, 1))
}

// dropRest has nobody wait for the end of a request that has its answer. The connection ends with that.
func (p *Passage) dropRest() {
	if p.hasty && p.request.lacksEnd() {
		_ = http.NewResponseController(p.x.Client).SetReadDeadline(time.Unix(0, 1)) // long ago
		_ = p.request.Close()
	}
}

// end closes the account of a passage.
func (p *Passage) end(err error) {
	if p.over {
		return
	}
	p.over, p.Err = true, err
	p.x.RequestBody, p.x.RequestBytes, p.RequestWhole = p.request.seal()
	p.ended(p)
}

// answerBody is the body of an answer, as it is read to be sent on.
type answerBody struct {
	io.ReadCloser
	p *Passage
}

// Read ends the passage before the last bytes are sent on: a client that has all of an answer
// finds it in the journal.
func (b *answerBody) Read(buffer []byte) (int, error) {
	n, err := b.ReadCloser.Read(buffer)
	x := b.p.x
	kept := min(n, Kept-len(x.Body()))
	_, _ = x.Write(buffer[:kept])
	x.AnswerBytes += n
	switch {
	case err == io.EOF:
		b.p.AnswerWhole = x.AnswerBytes == len(x.Body())
		b.p.end(nil)
	case err != nil:
		b.p.end(err)
	}
	return n, err
}

// requestBody is the body of a request, as it is read to be sent on. The transport may read it
// in another goroutine, even when the request is over.
type requestBody struct {
	io.ReadCloser
	length int64 // as stated, or -1

	mu     sync.Mutex
	text   []byte // the first bytes
	bytes  int64
	ended  bool
	sealed bool
}

// Read reads and keeps.
func (b *requestBody) Read(buffer []byte) (int, error) {
	n, err := b.ReadCloser.Read(buffer)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.sealed {
		b.text = append(b.text, buffer[:min(n, Kept-len(b.text))]...)
	}
	b.bytes += int64(n)
	b.ended = b.ended || err == io.EOF || b.bytes == b.length
	return n, err
}

// lacksEnd reports whether more of the body may come.
func (b *requestBody) lacksEnd() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.ended && b.length != 0
}

// seal returns what was kept, how many bytes were read, and whether that is all of the body.
// Nothing is kept any more.
func (b *requestBody) seal() (text []byte, bytes int, whole bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealed = true
	return b.text, int(b.bytes), (b.ended || b.length == 0) && int(b.bytes) == len(b.text)
}
