package registration

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// operation is a request that a node makes, named as it appears in errors and logs.
type operation string

const (
	registering   operation = "register"
	beating       operation = "heartbeat"
	deregistering operation = "deregister"
)

const (
	// maxAnswer is how much of an answer is read; those of the protocol take a
	// few hundred bytes.
	maxAnswer = 64 << 10
	// maxRetryAfter bounds what a Retry-After is obeyed for: a server that says
	// a day must not take a node out for one.
	maxRetryAfter = time.Minute

	userAgent = "llama-orch-node-registration"
)

// link sends single requests to orchestratord and tells what became of them. It
// keeps no state and retries nothing.
type link struct {
	api   *nodeapi.Client
	token string
	close func() // closes idle connections that are the node's own
}

func newLink(c Config) (*link, error) {
	client, closeIdle := http.Client{}, func() {}
	if c.HTTPClient != nil {
		client = *c.HTTPClient
	} else {
		transport := newTransport()
		client.Transport, closeIdle = transport, transport.CloseIdleConnections
	}
	// A redirected POST turns into a GET, or carries the token elsewhere.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	api, err := nodeapi.NewClient(c.OrchestratordURL,
		nodeapi.WithHTTPClient(&client),
		nodeapi.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header.Set("User-Agent", userAgent)
			if c.APIToken != "" {
				r.Header.Set("Authorization", "Bearer "+c.APIToken)
			}
			return nil
		}))
	return &link{api: api, token: c.APIToken, close: closeIdle}, err
}

// newTransport returns a transport that keeps one connection open between
// heartbeats, and notices when a kept one is dead: a request that gets no answer
// in time closes its HTTP/1 connection, and pings find a dead HTTP/2 one.
func newTransport() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = 1
	transport.MaxIdleConnsPerHost = 1
	transport.IdleConnTimeout = maxInterval + DefaultRequestTimeout
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: DefaultRequestTimeout}
	return transport
}

func (l *link) register(ctx context.Context, request nodeapi.RegisterRequest) outcome {
	var answer nodeapi.RegisterResponse
	o := l.do(registering, &answer, func(id *string) (*http.Response, error) {
		return l.api.RegisterNode(ctx, &nodeapi.RegisterNodeParams{XCorrelationID: id}, request)
	})
	if o.verdict == accepted && !answer.Success {
		return l.reject(registering, refused, o, "orchestratord rejected the node: "+answer.Message)
	}
	return o
}

func (l *link) heartbeat(ctx context.Context, id string, request nodeapi.HeartbeatRequest) outcome {
	var answer nodeapi.HeartbeatResponse
	o := l.do(beating, &answer, func(correlation *string) (*http.Response, error) {
		return l.api.HeartbeatNode(ctx, id, &nodeapi.HeartbeatNodeParams{XCorrelationID: correlation}, request)
	})
	if o.verdict == accepted && !answer.Success {
		return l.reject(beating, failed, o, "orchestratord did not take the heartbeat")
	}
	o.nextBeat = clampInterval(answer.NextHeartbeatMs)
	return o
}

func (l *link) deregister(ctx context.Context, id string) outcome {
	return l.do(deregistering, nil, func(correlation *string) (*http.Response, error) {
		return l.api.DeregisterNode(ctx, id, &nodeapi.DeregisterNodeParams{XCorrelationID: correlation})
	})
}

// do makes one request under a correlation id of its own and reads what came
// back: the status decides, and the body is understood as far as it can be, since
// an orchestratord may answer an error with any body or none. A success is one
// only if its body can be decoded into answer.
func (l *link) do(op operation, answer any, send func(correlation *string) (*http.Response, error)) outcome {
	correlation := rand.Text()
	o := outcome{correlationID: correlation, mayHaveLanded: true}
	response, err := send(&correlation)
	if err != nil {
		var dial *net.OpError
		o.mayHaveLanded = !errors.As(err, &dial) || dial.Op != "dial"
		return l.fail(op, failed, o, &Error{Detail: err.Error(), cause: err})
	}
	body, err := readAnswer(response.Body)
	if response.StatusCode < 200 || response.StatusCode > 299 {
		o.mayHaveLanded = response.StatusCode >= 500
		o.retryAfter = retryAfter(response.Header.Get("Retry-After"), time.Now())
		return l.fail(op, judge(op, response.StatusCode), o, problem(response.StatusCode, body))
	}
	if err == nil && answer != nil {
		err = json.Unmarshal(body, answer)
	}
	if err != nil {
		return l.fail(op, failed, o, &Error{StatusCode: response.StatusCode, Detail: "its answer cannot be read: " + err.Error(), cause: err})
	}
	return o
}

// reject turns an answer that orchestratord sent as a success into what it says.
func (l *link) reject(op operation, v verdict, o outcome, detail string) outcome {
	return l.fail(op, v, o, &Error{StatusCode: http.StatusOK, Detail: detail})
}

// fail completes an outcome that is not a success with its error.
func (l *link) fail(op operation, v verdict, o outcome, err *Error) outcome {
	err.Op = string(op)
	err.kind = v.kind()
	err.CorrelationID = o.correlationID
	err.RetryAfter = o.retryAfter
	if l.token != "" {
		// A server that echoes what it was sent must not put the token into our log.
		err.Detail = strings.ReplaceAll(err.Detail, l.token, "[token]")
		err.Code = strings.ReplaceAll(err.Code, l.token, "[token]")
	}
	o.verdict, o.err = v, err
	return o
}

// problem reads as much as there is of problem details.
func problem(status int, body []byte) *Error {
	var details nodeapi.Problem
	if json.Unmarshal(body, &details) != nil {
		return &Error{StatusCode: status}
	}
	detail := details.Detail
	if details.Errors != nil {
		for _, v := range *details.Errors {
			detail += fmt.Sprintf("; %s %s", v.Pointer, v.Detail)
		}
	}
	return &Error{StatusCode: status, Code: clip(string(details.Code), 64), Detail: clip(detail, 1024)}
}

func clip(text string, room int) string {
	if len(text) <= room {
		return text
	}
	return strings.ToValidUTF8(text[:room], "") + "…"
}

// readAnswer reads and closes a body, so that the connection can be used again,
// but no more of it than an answer of the protocol can have.
func readAnswer(body io.ReadCloser) ([]byte, error) {
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, maxAnswer))
}

// retryAfter reads a Retry-After header, in seconds or as a date.
func retryAfter(header string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.Atoi(header); err == nil {
		wait = time.Duration(min(max(seconds, 0), int(maxRetryAfter/time.Second))) * time.Second
	} else if date, err := http.ParseTime(header); err == nil {
		wait = date.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// clampInterval keeps what orchestratord directs within sane bounds; 0 when it
// directs nothing.
func clampInterval(ms int64) time.Duration {
	if ms <= 0 {
		return 0
	}
	return max(min(time.Duration(min(ms, maxInterval.Milliseconds()))*time.Millisecond, maxInterval), minInterval)
}
