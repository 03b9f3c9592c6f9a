package exchange

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// Step is one thing that must succeed before a request is answered. Its error becomes the
// answer: a Problem, or for any other error a 500.
type Step func(*Exchange) error

// Hold returns a handler that holds the answer back while do runs, then sends it, then calls done, which
// may be nil. The operation of the request is looked up in the document.
func Hold(document func(*Exchange) *spec.Document, do, done func(*Exchange)) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		x := Of(r)
		x.Operation = document(x).Operation(r)
		x.Answer.begin(x.Client.Header())
		do(x)
		x.send()
		if done != nil {
			done(x)
		}
	})
}

// send sends the answer as it is.
func (x *Exchange) send() {
	if x.transmit != nil {
		x.transmit(x.Client)
		return
	}
	if err := x.SendTo(x.Client); err != nil {
		x.LogInternalError(err)
		panic(http.ErrAbortHandler) // what has been sent cannot be taken back
	}
}

// SendBy has transmit send the answer, in another way than whole and at once. It may panic with
// http.ErrAbortHandler.
func (x *Exchange) SendBy(transmit func(client http.ResponseWriter)) { x.transmit = transmit }

// IsStream reports whether the answer is sent by SendBy.
func (x *Exchange) IsStream() bool { return x.transmit != nil }

// Run runs steps in turn, until one fails. A panic is a failure, too.
func (x *Exchange) Run(steps ...Step) (err error) {
	defer func() {
		switch cause := recover(); cause {
		case nil:
		case http.ErrAbortHandler:
			panic(cause)
		default:
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	for _, step := range steps {
		if err := step(x); err != nil {
			return err
		}
	}
	return nil
}

// Settle answers with the error of the steps, if there is one. Then it has check check the
// answer, whatever it is, and answers with what is wrong with it.
func (x *Exchange) Settle(err error, check Step) {
	if err != nil {
		x.Fail(err)
	}
	if err := check(x); err != nil {
		x.Fail(err)
	}
}

// Fail puts a problem in the place of the answer.
func (x *Exchange) Fail(err error) {
	x.transmit = nil
	x.beginAgain()
	x.answerError(x, err)
}

// Perform returns the step that runs the handler of an operation, which reports its errors
// through SetFailure.
func Perform(operation http.Handler) Step {
	return func(x *Exchange) error {
		operation.ServeHTTP(x, x.Request)
		return x.failure
	}
}

// SetFailure is what the generated servers call with errors.
func SetFailure(_ http.ResponseWriter, r *http.Request, err error) { Of(r).failure = err }
