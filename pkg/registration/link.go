package registration

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// operation is a request that a node makes, named as it appears in errors and logs.
type operation string

const (
	registering   operation = "register"
	beating       operation = "heartbeat"
	deregistering operation = "deregister"
)

const userAgent = "llama-orch-node-registration"

// link sends single requests to orchestratord and tells what became of them. It
// keeps no state, and repeats a request only for a token that was replaced.
type link struct {
	api     *nodeapi.Client // nil for a standalone node that has no orchestratord
	token   TokenSource
	tracing tracing
	close   func() // closes idle connections that are the node's own
}

func newLink(c Config) (link, error) {
	if c.OrchestratordURL == "" {
		return link{close: func() {}}, nil
	}
	client, closeIdle := http.Client{}, func() {}
	if c.HTTPClient != nil {
		client = *c.HTTPClient
	} else {
		transport, err := c.TLS.Transport(newTransport(nil), c.Logger)
		if err != nil {
			return link{}, err
		}
		client.Transport, closeIdle = transport, client.CloseIdleConnections
	}
	// A redirected POST turns into a GET, or carries the token elsewhere.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	api, err := nodeapi.NewClient(c.OrchestratordURL, nodeapi.WithHTTPClient(&client))
	return link{api: api, token: c.APIToken, tracing: newTracing(c), close: closeIdle}, err
}

func (l *link) register(ctx context.Context, request nodeapi.RegisterRequest) outcome {
	send := func(ctx context.Context, id *string, edit nodeapi.RequestEditorFn) (*http.Response, error) {
		return l.api.RegisterNode(ctx, &nodeapi.RegisterNodeParams{XCorrelationID: id}, request, edit)
	}
	return l.do(ctx, registering, send, func(body []byte) (verdict, string) {
		var answer nodeapi.RegisterResponse
		if err := json.Unmarshal(body, &answer); err != nil {
			return failed, "unreadable: " + err.Error()
		}
		if !answer.Success {
			return refused, "rejected: " + answer.Message
		}
		return accepted, ""
	})
}

func (l *link) heartbeat(ctx context.Context, id string, request nodeapi.HeartbeatRequest) outcome {
	send := func(ctx context.Context, correlation *string, edit nodeapi.RequestEditorFn) (*http.Response, error) {
		return l.api.HeartbeatNode(ctx, id, &nodeapi.HeartbeatNodeParams{XCorrelationID: correlation}, request, edit)
	}
	var answer nodeapi.HeartbeatResponse
	o := l.do(ctx, beating, send, func(body []byte) (verdict, string) {
		if err := json.Unmarshal(body, &answer); err != nil {
			return failed, "unreadable: " + err.Error()
		}
		if !answer.Success {
			return failed, "not taken"
		}
		return accepted, ""
	})
	o.nextBeat = clampInterval(answer.NextHeartbeatMs)
	return o
}

func (l *link) deregister(ctx context.Context, id string) outcome {
	send := func(ctx context.Context, correlation *string, edit nodeapi.RequestEditorFn) (*http.Response, error) {
		return l.api.DeregisterNode(ctx, id, &nodeapi.DeregisterNodeParams{XCorrelationID: correlation}, edit)
	}
	return l.do(ctx, deregistering, send, func([]byte) (verdict, string) { return accepted, "" })
}

// A sender sends one request under a correlation id, as the editor completes it.
// A reader understands the body of a success, and says what is wrong with it.
type (
	sender func(ctx context.Context, correlation *string, edit nodeapi.RequestEditorFn) (*http.Response, error)
	reader func(body []byte) (verdict, string)
)

// do makes a request. One whose token is not accepted is repeated at once if
// there is another token by now; it is compared with the one that was sent, so
// that a token replaced meanwhile gets its chance.
func (l *link) do(ctx context.Context, op operation, send sender, read reader) outcome {
	if l.api == nil {
		o := outcome{correlationID: rand.Text()}
		return o.fail(refused, newError(op, 0, "", "", "a standalone node that has no orchestratord URL can send nothing"))
	}
	token, err := l.token.read(ctx)
	if err != nil {
		return noToken(op, err)
	}
	o := l.try(ctx, op, token, send, read)
	if o.verdict != unauthorized {
		return o
	}
	if fresh, err := l.token.read(ctx); err == nil && fresh != token {
		return l.try(ctx, op, fresh, send, read)
	}
	return o
}

// noToken is the outcome of a request that could not be sent for want of a token.
func noToken(op operation, err error) outcome {
	o := outcome{correlationID: rand.Text()}
	v := failed
	if errors.Is(err, errBadToken) {
		v = unauthorized
	}
	return o.fail(v, newError(op, 0, "", "", err.Error()).because(err))
}

// try makes one request under a correlation id of its own. The status decides,
// and the body of an error is understood as far as it can be: an orchestratord
// may answer one with any body or none. A success is one only if it can be read.
func (l *link) try(ctx context.Context, op operation, token string, send sender, read reader) (o outcome) {
	ctx, end := l.tracing.start(ctx, op)
	defer func() { end(o) }()

	o = outcome{correlationID: rand.Text(), mayHaveLanded: true, weakToken: token != "" && len(token) < strongToken}
	var reached *reach
	if op == registering { // of the others nobody asks
		ctx, reached = watch(ctx)
	}
	response, err := send(ctx, &o.correlationID, func(ctx context.Context, r *http.Request) error {
		r.Header.Set("User-Agent", userAgent)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		inject(ctx, r.Header)
		return nil
	})
	if err != nil {
		o.mayHaveLanded = !reached.nobody()
		return o.fail(failed, newError(op, 0, token, "", reason(ctx, err)).because(err))
	}
	o.status = response.StatusCode
	body, err := readAnswer(response)
	if response.StatusCode < 200 || response.StatusCode > 299 {
		o.mayHaveLanded = response.StatusCode >= 500
		o.retryAfter = retryAfter(response.Header)
		code, detail := l.explain(op, response, body, err == nil && len(body) < maxAnswer)
		return o.fail(judge(op, response.StatusCode), newError(op, response.StatusCode, token, code, detail))
	}
	if err != nil {
		return o.fail(failed, newError(op, response.StatusCode, token, "", err.Error()).because(err))
	}
	if v, detail := read(body); v != accepted {
		return o.fail(v, newError(op, response.StatusCode, token, "", detail))
	}
	return o
}

// reason says why a request was not answered, also where it was ended on purpose.
func reason(ctx context.Context, err error) string {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		return err.Error() + ": " + cause.Error()
	}
	return err.Error()
}
