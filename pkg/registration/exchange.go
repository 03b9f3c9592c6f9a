package registration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/llama-orch/node-registration/internal/bearer"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// A sender sends one request with a correlation id and the headers that edit adds.
type sender func(ctx context.Context, correlation *string, edit nodeapi.RequestEditorFn) (*http.Response, error)

// exchange is one request and its answer. A caller that gives up on it while it runs may
// read only its progress.
type exchange struct {
	link     *link
	op       operation
	send     sender
	apart    bool // as in link
	began    time.Time
	progress progress
	outcome  outcome // valid after run
}

// run makes the request. If the token is not accepted, run asks the source once more and
// repeats the request at once if it returns another one.
func (x *exchange) run(ctx context.Context) {
	token, err := x.link.token.read(ctx)
	if err != nil {
		x.outcome = x.unanswered(ctx, outcome{}, err)
		return
	}
	x.outcome = x.try(ctx, token)
	if x.outcome.verdict != unauthorized {
		return
	}
	if fresh, err := x.link.token.read(ctx); err == nil && fresh != token {
		x.progress.begin(1)
		x.outcome = x.try(ctx, fresh)
	}
}

// try makes one request. The status alone decides on an error: its body, which may be
// anything, only explains it. A success needs a body that can be read.
func (x *exchange) try(ctx context.Context, token string) (o outcome) {
	ctx, end := x.link.tracing.start(ctx, x.op, x.apart)
	defer func() { end(o) }()

	o = outcome{verdict: failed, token: token, mayHaveLanded: true} // holds if the transport panics
	response, err := x.request(ctx, token)
	if err != nil {
		return x.unanswered(ctx, o, err)
	}
	o.status = response.StatusCode
	if response.StatusCode < 200 {
		// net/http hands the connection over: its body would not end with ctx.
		response.Body.Close()
		return x.fail(o, failed, newError(x.op, o.status, token, "", "it switches protocols, which was not asked for"))
	}
	if o.status > 299 {
		return x.declined(o, response)
	}
	body, err := readAnswer(response)
	if err != nil {
		return x.unanswered(ctx, o, err)
	}
	o.verdict = accepted
	o, detail := o.understand(x.op, body)
	if o.verdict != accepted {
		return x.fail(o, o.verdict, newError(x.op, o.status, token, "", detail))
	}
	o.correlationID = *x.progress.id()
	return o
}

// declined returns the outcome of an answer that is no success. What its status decides holds
// even if its body, which explains it, never ends.
func (x *exchange) declined(o outcome, response *http.Response) outcome {
	o.mayHaveLanded = o.status >= 500
	o.retryAfter = retryAfter(response.Header)
	decide := func(body []byte, whole bool) outcome {
		code, detail := x.link.explain(x.op, response, body, whole)
		return x.fail(o, classify(x.op, o.status), newError(x.op, o.status, o.token, code, detail))
	}
	decided := decide(nil, false)
	x.progress.decided.Store(&decided)
	body, err := readAnswer(response)
	o.noRecord = o.status == http.StatusNotFound && x.op != registering && isObject(body)
	return decide(body, err == nil && len(body) < maxAnswer)
}

// request sends the request, unless its time is over. The empty Idempotency-Key stays off
// the wire. It allows net/http to repeat the request if the server closed a kept connection
// just as it was used.
func (x *exchange) request(ctx context.Context, token string) (*http.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x.progress.reached(connecting)
	return x.send(ctx, x.progress.id(), func(ctx context.Context, r *http.Request) error {
		r.Header.Set("User-Agent", userAgent)
		r.Header["Idempotency-Key"] = nil
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		inject(ctx, r.Header)
		return nil
	})
}

// unanswered returns the outcome of a request that was not sent, since there is no token, or whose
// answer is missing or incomplete.
func (x *exchange) unanswered(ctx context.Context, o outcome, err error) outcome {
	o.mayHaveLanded = x.progress.mayHaveArrived()
	if cause := context.Cause(ctx); cause != nil {
		return x.gaveUp(ctx, o, cause)
	}
	var dial *net.OpError // for a transport that does not report its connections
	if errors.As(err, &dial) && dial.Op == "dial" {
		o.mayHaveLanded = false
	}
	v := failed
	if errors.Is(err, bearer.ErrUnsendable) {
		v = unauthorized
	}
	return x.fail(o, v, newError(x.op, o.status, o.token, "", err.Error()).because(err, o.token))
}

// gaveUp returns the outcome of a request whose context ended first.
func (x *exchange) gaveUp(ctx context.Context, o outcome, cause error) outcome {
	if decided := x.progress.decided.Load(); decided != nil {
		return *decided
	}
	o.mayHaveLanded = x.progress.mayHaveArrived()
	detail := cause.Error()
	switch reached := phase(x.progress.phase.Load()); {
	case cause == errUnderWay:
	case errors.Is(cause, context.DeadlineExceeded):
		detail = fmt.Sprintf("%v within %v", reached, time.Since(x.began).Round(time.Millisecond))
	default:
		detail = fmt.Sprintf("%v: %v", reached, cause)
	}
	v := failed
	if errors.Is(cause, errOvertaken) {
		v = overtaken
	}
	if cause == errUnderWay {
		cause = errors.Join(cause, ctx.Err())
	}
	return x.fail(o, v, newError(x.op, o.status, "", "", detail).because(cause, ""))
}

func (x *exchange) fail(o outcome, v verdict, err *Error) outcome {
	o.correlationID = *x.progress.id()
	return o.fail(v, err)
}
