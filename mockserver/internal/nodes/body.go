package nodes

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// checkBody checks the body of a request against the document, and leaves its value for the
// handler. A body with several faults is refused for the one that costs least to find: 415, 413,
// 400, 422. In service 413 comes last, except for a body that is longer than what is read.
func (a *API) checkBody(x *exchange.Exchange) error {
	if x.Operation.Bodies == nil {
		return nil
	}
	schema, unfit := dialectOf(x).bodySchema(x)
	if unfit != nil && (x.IsChecked() || unfit.Encoded) {
		return unfit.Problem()
	}
	if err := a.readBody(x); err != nil {
		return err
	}
	value, vetted := dialectOf(x).decode(x.Operation.ID, x.RequestBody)
	if !vetted {
		var err error
		if value, err = a.lookClosely(x, schema); err != nil {
			return err
		}
		value = dialectOf(x).keep(x.Operation.ID, schema, value)
	}
	if int64(len(x.RequestBody)) > a.BodyLimit {
		return exchange.TooLarge(a.BodyLimit)
	}
	if registration, ok := value.(*nodeapi.RegisterRequest); ok {
		about(x, registration.NodeID)
	}
	x.SetBody(value, vetted)
	return nil
}

// about notes which node a request is about.
func about(x *exchange.Exchange, id string) { x.NodeID = spec.FitNodeID(id) }

func (a *API) readBody(x *exchange.Exchange) error {
	err := x.ReadBody(a.limited(x))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// No status would do: a node takes one below 500 for final, and the line is only slow.
		x.LogSlow()
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		return exchange.Unreadable(err)
	}
	if x.Large { // the deadline was for the body alone
		_ = http.NewResponseController(x.Client).SetReadDeadline(time.Time{})
	}
	return nil
}

// limited returns the body of a request up to the limit, as far as there is room for it. One
// that says how long it is gets no longer while it is read.
func (a *API) limited(x *exchange.Exchange) io.Reader {
	body := x.Request.Body
	if 0 < x.Request.ContentLength && x.Request.ContentLength <= min(a.BodyLimit, largeBody) {
		return body
	}
	return a.roomy(x, http.MaxBytesReader(x.Client, body, dialectOf(x).readLimit(a.BodyLimit)))
}

// lookClosely decodes a body the slow way once it has a place: few are decoded so at a time.
func (a *API) lookClosely(x *exchange.Exchange, schema *spec.Schema) (any, error) {
	if !a.closeLooks.take(x.Request.Context()) {
		panic(http.ErrAbortHandler) // the client has gone
	}
	defer a.closeLooks.leave()
	return decodeSlow(x, schema)
}

// decodeSlow checks a body that is not obviously valid, and returns its value. It notes how the
// body departs from the contract. With validation Report it repairs the value: parts that break
// the contract are left out. With validation Off the body only has to be JSON.
func decodeSlow(x *exchange.Exchange, schema *spec.Schema) (any, error) {
	if !x.IsChecked() {
		value, err := spec.Decode(x.RequestBody)
		if err != nil {
			return nil, exchange.NewProblem(nodeapi.ProblemCodeMalformedBody, "%v", err)
		}
		return value, nil
	}
	mismatch := dialectOf(x).mismatch(schema, x.RequestBody)
	value, twice, err := spec.DecodeBody(x.RequestBody, schema)
	noteBodyInService(x, value)
	if err == nil && mismatch != nil && mismatch.Syntax {
		err = errors.New(mismatch.Reason)
	}
	if err != nil {
		x.Depart(spec.Malformed(x.RequestBody, err))
		if mismatch != nil && !mismatch.Syntax { // it is found before what is no JSON
			return nil, refusalOf(mismatch)
		}
		return nil, exchange.NewProblem(nodeapi.ProblemCodeMalformedBody, "%v", err)
	}
	x.Depart(spec.Twice(twice)...)
	return judgeValue(x, schema, value, mismatch)
}

func refusalOf(mismatch *spec.Mismatch) *exchange.Problem {
	return exchange.ViolationProblem(nodeapi.Violation{Pointer: mismatch.Pointer, Detail: mismatch.Reason})
}

// judgeValue does what decodeSlow does, for a body that is JSON.
func judgeValue(x *exchange.Exchange, schema *spec.Schema, value any, mismatch *spec.Mismatch) (any, error) {
	doc := documentOf(x)
	broken := doc.CheckBody(schema, value, len(x.RequestBody))
	if id, names := doc.NodeInBody(schema, value); names {
		about(x, id)
	}
	x.Depart(doc.Departures(schema, value, broken, x.Quote)...)
	var refusal *exchange.Problem
	if broken != nil {
		refusal = exchange.ViolationProblem(doc.Violations(broken, x.Quote)...)
	} else if mismatch != nil {
		x.Depart(mismatch.Departures()...)
		refusal = refusalOf(mismatch)
	} else {
		return value, nil
	}
	repaired, ok := doc.Repair(x.Operation.ID, schema, value)
	if !ok {
		return nil, refusal
	}
	if x.Settings.Validation == control.ValidationReport {
		return repaired, nil
	}
	return nil, refusal.Add("; --validation report accepts it as far as it can be read")
}
