package mockserver

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// step is one thing that must succeed before a request is answered. Its error becomes the
// answer: a problem, or for any other error a 500.
type step func(*exchange) error

// hold returns a handler that holds the answer back while do runs, and sends it in the end. It
// is the one place from which answers are sent. After that it calls done, which may be nil.
func (s *Server) hold(doc func() *spec.Document, do, done func(*exchange)) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r)
		x.operation = doc().Operation(r)
		if x.operation != nil {
			x.nodeID = spec.FitNodeID(doc().NodeInPath(r))
		}
		x.answer.begin(x.client.Header())
		x.unchecked = x.settings.validation == Off
		do(x)
		s.send(x)
		if done != nil {
			done(x)
		}
	})
}

// send sends the answer as it is.
func (s *Server) send(x *exchange) {
	if x.transmit != nil {
		x.transmit(x.client)
		return
	}
	if err := x.sendTo(x.client); err != nil {
		s.logFault(x.request, err)
		panic(http.ErrAbortHandler) // what has been sent cannot be taken back
	}
}

// take runs the steps in turn. The first that fails ends it, and its error becomes the answer.
// Then check is run on the answer, whatever it is: its error replaces the answer.
func (s *Server) take(x *exchange, check step, steps ...step) {
	if err := run(x, steps); err != nil {
		s.fail(x, err)
	}
	if err := check(x); err != nil {
		s.fail(x, err)
	}
}

// run runs steps until one fails. A panic is a failure, too.
func run(x *exchange, steps []step) (err error) {
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

// fail puts a problem in the place of the answer.
func (s *Server) fail(x *exchange, err error) {
	x.transmit = nil
	x.beginAgain()
	s.writeProblem(x, x.request, err)
}

// perform is the step that runs the handler of an operation, which reports its errors through
// setFailure.
func perform(operation http.Handler) step {
	return func(x *exchange) error {
		operation.ServeHTTP(x, x.request)
		if x.failure == nil {
			x.WriteHeader(http.StatusOK) // unless the handler has written another status
		}
		return x.failure
	}
}

// setFailure is what the generated servers call with errors.
func setFailure(_ http.ResponseWriter, r *http.Request, err error) { exchangeOf(r).failure = err }
