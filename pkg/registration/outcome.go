package registration

import (
	"net/http"
	"time"
)

// verdict is what an attempt means for the node's life.
type verdict int

const (
	accepted     verdict = iota // orchestratord took it
	failed                      // it may pass: try again
	refused                     // it cannot pass as it is
	unauthorized                // the token is not (or no longer) valid
	forgotten                   // orchestratord does not know the node
)

// outcome is all that the schedule needs to know of an attempt.
type outcome struct {
	verdict verdict
	// nextBeat is when orchestratord expects the next heartbeat, 0 when it did
	// not say.
	nextBeat time.Duration
	// retryAfter is how long orchestratord wants to be left alone.
	retryAfter time.Duration
	// mayHaveLanded is false when orchestratord cannot have acted on the request.
	mayHaveLanded bool
	// status is the HTTP status of the answer, 0 when there was none.
	status int
	// weakToken tells that the token that was sent is easy to guess.
	weakToken bool
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

// judge tells what a status other than success means.
func judge(op operation, status int) verdict {
	switch {
	case status == http.StatusNotFound && op != registering:
		return forgotten
	case status == http.StatusUnauthorized:
		return unauthorized
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
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
