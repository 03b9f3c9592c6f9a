package registration

import (
	"net/http"
	"time"
)

// verdict is what an attempt means for the node's life.
type verdict int

const (
	accepted     verdict = iota // orchestratord accepted it
	failed                      // the failure may pass: try again
	refused                     // the same request cannot succeed
	unauthorized                // the token is not (or no longer) valid
	forgotten                   // orchestratord does not know the node
	overtaken                   // it was cut off, since a newer status is to be sent
)

// outcome is what came of an attempt, for the schedule and the observer.
type outcome struct {
	verdict verdict
	// nextBeat is the interval that orchestratord directs, 0 when it does not.
	nextBeat time.Duration
	// retryAfter is the least pause that orchestratord asked for, 0 for none.
	retryAfter time.Duration
	// mayHaveLanded is false when orchestratord cannot have acted on the request.
	mayHaveLanded bool
	// noRecord is set when orchestratord itself, no router, said that it has no record.
	noRecord bool
	// status is the HTTP status of the answer, 0 when there was none.
	status int
	// token is the token that was sent, never to be shown.
	token string
	// correlationID finds the attempt in the logs.
	correlationID string
	// err is nil when the attempt was accepted.
	err error
}

// fail returns the outcome with what went wrong.
func (o outcome) fail(v verdict, err *Error) outcome {
	err.kind = v.kind()
	err.CorrelationID = o.correlationID
	err.RetryAfter = o.retryAfter
	o.verdict, o.err = v, err
	return o
}

// classify returns what a status outside 2xx means. One that the document does not
// declare for the operation comes from a router or a balancer, so it may pass.
func classify(op operation, status int) verdict {
	switch {
	case !op.declares(status):
		return failed
	case status == http.StatusNotFound:
		return forgotten
	case status == http.StatusUnauthorized:
		return unauthorized
	case status == http.StatusTooManyRequests, status >= 500:
		return failed
	default:
		return refused
	}
}

// kind is the sentinel error of a verdict.
func (v verdict) kind() error {
	switch v {
	case refused:
		return ErrRefused
	case unauthorized:
		return ErrUnauthorized
	case forgotten:
		return ErrUnknownNode
	default:
		return ErrUnavailable
	}
}
