package registration_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

var refusedDial = &net.OpError{Op: "dial", Err: errors.New("connection refused")}

// sending is a request as it left a node, and what it met.
type sending struct {
	op    string
	at    time.Time
	fault string
}

// String shows a request among others.
func (s sending) String() string {
	return fmt.Sprintf("%s %s %s;", s.at.Format("05.000"), s.op, s.fault)
}

// RoundTrip is the network between a node and orchestratord. In a storm it does to requests
// and answers what networks, proxies and overloaded servers do.
func (l *life) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	op, id := opOf(&http.Request{Method: r.Method, URL: r.URL, Body: io.NopCloser(bytes.NewReader(body))})
	fault := l.node.meets(op)
	l.leaves(r, op, body, fault)

	answer, err := l.pass(r, op, id, body, fault)
	switch {
	case r.Context().Err() != nil:
		l.hears(r, lostReply(r.Context().Err()))
		return nil, r.Context().Err()
	case err != nil:
		l.hears(r, lostReply(err))
		return nil, unconnected(r, err)
	case fault == "stalled answer" && answer.StatusCode == http.StatusOK:
		l.open.Add(1)
		answer.Body = stalled{answer.Body.(*tracked), r, func() { l.hears(r, lostReply(r.Context().Err())) }}
		return answer.Response, nil
	}
	l.hears(r, understand(op, answer.StatusCode, answer.Header, answer.text))
	l.open.Add(1)
	return answer.Response, nil
}

// received is an answer whose body is known.
type received struct {
	*http.Response
	text string
}

// pass carries a request to orchestratord and the answer back.
func (l *life) pass(r *http.Request, op, id string, body []byte, fault string) (received, error) {
	n := l.node
	if err := wait(r, n.delay(fault == "late request")); err != nil {
		return received{}, err
	}
	storm := n.world.weather()
	if storm != nil && slices.Contains(storm.partitioned, n.index) {
		return received{}, wait(r, time.Hour)
	}
	switch fault {
	case "lost request":
		return received{}, wait(r, time.Hour)
	case "refused":
		return received{}, refusedDial
	case "duplicated":
		if _, err := l.deliver(r, op, id, body); err != nil {
			return received{}, err
		}
	case "no success":
		return l.answer(http.StatusOK, `{"success":false}`, nil), nil
	}
	if status := 0; len(fault) == 3 {
		fmt.Sscan(fault, &status)
		return l.faulty(r, status), nil
	}
	answer, err := l.deliver(r, op, id, body)
	if err != nil {
		return received{}, err
	}
	return l.corrupt(r, answer, fault)
}

// corrupt does to an answer what can happen on its way back.
func (l *life) corrupt(r *http.Request, answer received, fault string) (received, error) {
	switch fault {
	case "lost answer":
		return answer, wait(r, time.Hour)
	case "reset":
		return answer, errors.New("connection reset by peer")
	case "late answer":
		return answer, wait(r, span(l.node.random, 0, 10*time.Second))
	case "cut answer":
		text := answer.text[:min(10, len(answer.text))]
		return l.answer(answer.StatusCode, text, broken{strings.NewReader(text)}), nil
	case "garbage":
		return l.answer(answer.StatusCode, "<html>"+r.Header.Get("Authorization"), nil), nil
	}
	return answer, nil
}

func wait(r *http.Request, d time.Duration) error {
	select {
	case <-time.After(d):
		return r.Context().Err()
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

// deliver has orchestratord answer a request.
func (l *life) deliver(r *http.Request, op, id string, body []byte) (received, error) {
	w := l.node.world
	s := w.orchestratord()
	if s == nil {
		return received{}, refusedDial
	}
	if r.Header.Get("Authorization") != "Bearer "+w.token(0) {
		return l.faulty(r, http.StatusUnauthorized), nil
	}
	status, text := s.handle(l, r, op, id, body)
	return l.answer(status, text, nil), nil
}

func (l *life) answer(status int, text string, body io.Reader) received {
	if body == nil {
		body = strings.NewReader(text)
	}
	r := &http.Response{StatusCode: status, Header: http.Header{}, Body: &tracked{Reader: body, open: &l.open}}
	return received{r, text}
}

// faulty is the answer of a router, or of an orchestratord that is not well.
func (l *life) faulty(r *http.Request, status int) received {
	n := l.node
	text := `{"detail":"` + r.Header.Get("Authorization") + `"}`
	if n.random.IntN(2) == 0 {
		text = "<html>default backend - \x1b[31m" + fmt.Sprint(status)
	}
	a := l.answer(status, text, nil)
	if n.random.IntN(2) == 0 && status >= 429 {
		a.Header.Set("Retry-After", fmt.Sprint(n.random.IntN(90)))
	}
	return a
}

// tracked is a body that has to be closed.
type tracked struct {
	io.Reader
	open   *atomic.Int64
	closed atomic.Bool
}

func (b *tracked) Close() error {
	if b.closed.CompareAndSwap(false, true) {
		b.open.Add(-1)
	}
	return nil
}

// broken is a body whose connection was cut.
type broken struct{ *strings.Reader }

func (b broken) Read(p []byte) (int, error) {
	if n, err := b.Reader.Read(p); err == nil {
		return n, nil
	}
	return 0, io.ErrUnexpectedEOF
}

// stalled is a body that does not come to its end.
type stalled struct {
	*tracked
	r     *http.Request
	ended func()
}

func (b stalled) Read(p []byte) (int, error) {
	if n, err := b.Reader.Read(p); err == nil {
		return n, nil
	}
	<-b.r.Context().Done()
	b.ended()
	return 0, b.r.Context().Err()
}

// understand says what an answer means to a node, by the document.
func understand(op string, status int, header http.Header, body string) reply {
	r := reply{verdict: failed, landed: didNot}
	switch {
	case status == http.StatusUnauthorized:
		r.verdict = denied
	case status == http.StatusNotFound && op != "register":
		r.verdict = unknown
		if json.Valid([]byte(body)) {
			r.landed = offAgain
		}
	case slices.Contains([]int{400, 405, 413, 415, 422}, status) && !(op == "deregister" && status != 405):
		r.verdict = rejected
	case status == http.StatusNoContent && op != "register":
		r.verdict, r.landed = taken, didLand
	case status == http.StatusOK && op != "deregister":
		r = success(op, body)
	case status >= 500 || status < 300:
		r.landed = mayLand
	}
	if status >= 300 {
		seconds := 0
		fmt.Sscan(header.Get("Retry-After"), &seconds)
		r.retryAfter = min(time.Duration(seconds)*time.Second, longestAsked)
	}
	return r
}

// success reads an answer 200.
func success(op, body string) reply {
	var answer struct {
		Success *bool   `json:"success"`
		Next    float64 `json:"next_heartbeat_ms"`
	}
	switch err := json.Unmarshal([]byte(body), &answer); {
	case err != nil:
		return reply{verdict: failed, landed: mayLand}
	case answer.Success != nil && *answer.Success:
		ms := min(answer.Next, float64(longestBeat.Milliseconds()))
		return reply{verdict: taken, landed: didLand, directed: time.Duration(ms) * time.Millisecond}
	case op == "register":
		return reply{verdict: rejected, landed: offAgain}
	default:
		return reply{verdict: failed, landed: didNot}
	}
}

// lostReply is what it means that there is no answer.
func lostReply(err error) reply {
	if errors.Is(err, refusedDial) {
		return reply{verdict: failed, landed: didNot}
	}
	return reply{verdict: failed, landed: mayLand}
}
