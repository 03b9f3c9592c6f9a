package nodes

import (
	"strings"

	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// noteBodyInService looks at how the orchestratord in service would refuse a body that is not obviously valid.
func noteBodyInService(x *exchange.Exchange, value any) {
	if x.IsHeldToDocument() {
		x.DepartInService(spec.BodyInService(x.OperationID(), x.RequestBody, value, x.Quote)...)
	}
}

// noteAccepted is noteRefusedInService for a request that the mock has accepted.
func (a *API) noteAccepted(x *exchange.Exchange) error {
	a.noteRefusedInService(x, x.Value())
	return nil
}

// noteRefusedInService notes how the orchestratord in service would refuse a request that was
// accepted. That may be no departure from the document, so the journal does not have it. The body is
// that of a request whose body is obviously valid.
func (a *API) noteRefusedInService(x *exchange.Exchange, body any) {
	if !x.IsHeldToDocument() { // in service it is refused, and there is nothing to note
		return
	}
	if x.Vetted { // so it can only lack something
		var room [8]drift.Departure // more than the document leaves out, so that nothing is allocated
		a.count(x, a.Refused, spec.AppendMissing(room[:0], x.OperationID(), body))
	}
	noteHeadInService(x)
	a.count(x, a.Refused, x.Refused)
}

// noteHeadInService looks at how the orchestratord in service would refuse a request for what comes before
// its body.
func noteHeadInService(x *exchange.Exchange) {
	r, service := x.Request, inService{}
	if scheme, refused := refusedScheme(x); refused {
		noteInService(x, "Authorization", "must begin with Bearer", spec.InQuotes(scheme))
	}
	if r.URL.Path != x.Operation.Pattern { // in which there may be an id
		if _, found := service.route(r); !found {
			methods := strings.Join(spec.InService().Methods(r.URL.Path), " or ")
			noteInService(x, r.URL.Path, "must be "+methods, spec.InQuotes(r.Method))
		}
	}
	if x.NodeID == "" && service.readPath(x) != nil { // a valid id is in UTF-8
		noteInService(x, x.Operation.Pattern, "must have an id in UTF-8", "another")
	}
	if x.Vetted || x.Operation.Bodies == nil {
		return
	}
	if _, unfit := service.bodySchema(x); unfit != nil {
		x.DepartInService(spec.RefusedInService(unfit.Departure()))
	}
}

func noteInService(x *exchange.Exchange, at, expected, got string) {
	x.DepartInService(spec.RefusedInService(drift.Departure{Pointer: at, Expected: expected, Got: got}))
}

// refusedScheme returns the scheme of a request's credentials, if it says Bearer in another way
// than the orchestratord in service reads. That matters where tokens are required; in front of an
// orchestratord they may be.
func refusedScheme(x *exchange.Exchange) (scheme string, refused bool) {
	if len(x.Settings.Tokens) == 0 && !x.Settings.InFront {
		return "", false
	}
	header := x.Request.Header
	_, here := document{}.bearer(header)
	_, there := inService{}.bearer(header)
	scheme, _, _ = strings.Cut(header.Get("Authorization"), " ")
	return scheme, here && !there
}
