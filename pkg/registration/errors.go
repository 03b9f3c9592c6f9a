package registration

import (
	"errors"
	"fmt"
	"time"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// What can be wrong, for errors.Is.
var (
	// ErrConfig says that a Config, or a missing status callback, cannot work; the
	// message lists everything that is wrong.
	ErrConfig = errors.New("invalid configuration")

	// ErrUnauthorized says that orchestratord does not accept the token, or
	// requires one (CLOUD-4005), or that no header can carry the token.
	ErrUnauthorized = errors.New("not authorized")

	// ErrRefused says that orchestratord answered, and that the same request cannot succeed.
	// It broke the contract, was rejected, or went to a server that does not know the
	// operation.
	ErrRefused = errors.New("refused")

	// ErrUnknownNode says that orchestratord does not know the node (any more).
	ErrUnknownNode = errors.New("unknown node")

	// ErrUnavailable says that there was no usable answer: the network failed,
	// or orchestratord was overloaded, switched off or out of order. It may pass.
	ErrUnavailable = errors.New("orchestratord unavailable")

	// ErrRunning says that another call has the node: its heartbeats are
	// running, or it is being registered.
	ErrRunning = errors.New("the node is already running")

	// ErrStopped says that the node was deregistered or stopped, which is final;
	// make a new one with New.
	ErrStopped = errors.New("the node was stopped")
)

// Error is a request that orchestratord did not accept. errors.Is finds the kind
// (ErrUnauthorized, ErrRefused, ErrUnknownNode, ErrUnavailable) and what lies
// beneath it, such as context.DeadlineExceeded.
type Error struct {
	// Op is the operation: register, heartbeat or deregister.
	Op string
	// StatusCode is the HTTP status of the answer, 0 when there was none.
	StatusCode int
	// Code is the stable code of orchestratord's problem details, empty when it
	// sent none.
	Code string
	// Detail says what was wrong, in orchestratord's words or the network's.
	Detail string
	// CorrelationID finds the request in the logs of both sides.
	CorrelationID string
	// RetryAfter is how long orchestratord asked to be left alone, 0 when it did
	// not ask.
	RetryAfter time.Duration

	kind, cause error
}

// Error returns the error on one line, without control characters, escapes and the token
// that was sent, whatever orchestratord, a router or the transport wrote.
func (e *Error) Error() string {
	answer := ""
	if e.StatusCode != 0 {
		answer = fmt.Sprintf(": orchestratord answered %d", e.StatusCode)
	}
	if e.Code != "" {
		answer += " " + e.Code
	}
	if e.Detail != "" {
		answer += ": " + e.Detail
	}
	return fmt.Sprintf("%s: %v%s (correlation id %s)", e.Op, e.kind, answer, e.CorrelationID)
}

// Unwrap returns the kind of the error and, where there is one, its cause.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.kind}
	}
	return []error{e.kind, e.cause}
}

// because sets the cause of an error that was sent with a token. A cause whose text holds
// the token, or is too long to look through, serves errors.Is only: nobody can print it.
func (e *Error) because(cause error, token string) *Error {
	if text := cause.Error(); foreign.Redact(text, token, maxAnswer) != text {
		cause = &redacted{cause: cause}
	}
	e.cause = cause
	return e
}

type redacted struct{ cause error }

func (r *redacted) Error() string        { return "not shown, since it may hold the token" }
func (r *redacted) Is(target error) bool { return errors.Is(r.cause, target) }

// maxCode and maxDetail bound what an error repeats of an answer.
const maxCode, maxDetail = 64, 1024

// newError returns the error of a request that was sent with a token. What it
// repeats is bounded, on one line and redacted: a server may echo what it was sent.
func newError(op operation, status int, token, code, detail string) *Error {
	return &Error{
		Op: string(op), StatusCode: status,
		Code:   clean(foreign.Redact(code, token, maxCode), maxCode),
		Detail: clean(foreign.Redact(detail, token, maxDetail), maxDetail),
	}
}
