package conformance

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// call is one request.
type call struct {
	op      *operation
	node    string // that the path names
	body    []byte
	header  http.Header // besides what every call has
	method  string      // instead of the operation's
	path    string      // instead of the operation's
	query   string      // that follows the path
	noType  bool        // leave the content type out
	noToken bool        // leave the token out
	secret  bool        // whether the token is in its body
	badEcho bool        // whether it has headers that an answer may echo, though they do not fit
	shown   string      // how a shell writes the token and the header, if they are not the usual ones
	line    connection
	own     *http.Transport // that carries the call; nil for one that all calls share
}

// connection says how a call is carried.
type connection string

const (
	kept    connection = "" // on a connection that is used again
	fresh   connection = "HTTP/1.1 with Connection: close"
	chunked connection = "chunked"  // without the length of its body
	oldHTTP connection = "HTTP/1.0" // as a proxy may send it
	lower   connection = "HTTP/1.1 with names of headers in small letters"
	duplex  connection = "HTTP/1.1, reading while it writes" // as an answer may come before the body has gone
	// absolute is a form that every server has to take (RFC 9112, section 3.2.2): proxies send it.
	absolute connection = "HTTP/1.1 with the whole URL in its first line"
)

// answer is what came back for a call.
type answer struct {
	call
	status       int
	header       http.Header
	body         []byte
	long         bool    // whether the body is longer than a node reads
	last         bool    // whether it announces the end of its connection
	throttled    int     // how often the call got 429 before this answer
	listed       *listed // the nodes in the body, if it is a list that was judged to its end
	began, ended time.Time
}

func (c call) verb() string {
	if c.method != "" {
		return c.method
	}
	return c.op.method
}

func (c call) target() string {
	if c.path != "" {
		return c.path
	}
	return c.op.target(c.node)
}

// read reads as much of a response as a node would, and a little more to detect that it is
// too long.
func (a *answer) read(r *http.Response) error {
	defer r.Body.Close()
	a.status, a.header, a.last = r.StatusCode, r.Header, r.Close
	if r.StatusCode == http.StatusSwitchingProtocols {
		return nil // its body is the connection, and has no end
	}
	most := int64(maxAnswer)
	if a.op.id == opList {
		most = maxList
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	a.long = int64(len(body)) > most
	a.body = body
	if err != nil {
		return fmt.Errorf("it answered %d, but not all of the body came: %w", r.StatusCode, cutOff{r.StatusCode, err})
	}
	return nil
}

// cutOff is why the body of an answer is not whole.
type cutOff struct {
	status int
	error
}

func (c cutOff) Unwrap() error { return c.error }
