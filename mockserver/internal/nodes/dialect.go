package nodes

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/internal/wire"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// dialect is how an orchestratord speaks with nodes, where orchestratords differ. What they make
// of what nodes say is a registry.Policy.
type dialect interface {
	// The head of a request.

	// bearer returns the token of a request, if that is how it carries one.
	bearer(header http.Header) (token string, ok bool)
	// route returns the method by which a request is routed, and false if its path is known and
	// takes other methods.
	route(r *http.Request) (method string, found bool)
	// methods returns the methods that the path of a request knows.
	methods(router *chi.Mux, r *http.Request) []string
	// readPath returns what is wrong with the path of a request.
	readPath(x *exchange.Exchange) error
	// unrouted returns the steps of a request that fits no operation. The last one is given.
	unrouted(refuse exchange.Step) []exchange.Step

	// The body of a request.

	// bodySchema returns the schema of a request's body, or what is wrong with its headers.
	bodySchema(x *exchange.Exchange) (*spec.Schema, *exchange.Unfit)
	// readLimit returns how many bytes of a body are read. One that is longer than limit is refused.
	readLimit(limit int64) int64
	// decode returns the value of a body that is obviously valid.
	decode(operation string, text []byte) (value any, vetted bool)
	// mismatch returns where a reader stops that is stricter than the document; nil if none does.
	mismatch(schema *spec.Schema, text []byte) *spec.Mismatch
	// keep returns what is kept of a body that was checked against the schema.
	keep(operation string, schema *spec.Schema, value any) any

	// The answer.

	// registered says that a node is registered, perhaps again.
	registered(again bool) string
	// nextHeartbeat returns when the next heartbeat is expected.
	nextHeartbeat(x *exchange.Exchange) time.Duration
	// finish gives an answer the headers of the orchestratord, and its words to a failure, if any.
	finish(x *exchange.Exchange, failure error)
	// counts reports whether the metrics count a call.
	counts(x *exchange.Exchange, o outcome) bool

	// The list of nodes.

	// page returns the next nodes of a list, at most limit, and whether there are more.
	page(c *cluster.Cluster, at *position, limit int) (nodes []registry.Node, more bool)
	// view returns a node as it is listed.
	view(node registry.Node) nodeapi.Node
	// write appends a node as it is listed.
	write(text []byte, node *nodeapi.Node) ([]byte, error)
}

// position is how far a list of nodes has been read.
type position struct {
	after nodeapi.NodeID  // the last node so far, where they are read by id
	rest  []registry.Node // those that are left, where all are read at once
	begun bool
}

func dialectOf(x *exchange.Exchange) dialect {
	if x.Settings.Dialect == control.DialectInService {
		return inService{}
	}
	return document{}
}

func documentOf(x *exchange.Exchange) *spec.Document { return x.Settings.Contract() }

// document is the dialect of the OpenAPI document.
type document struct{}

func (document) bearer(header http.Header) (string, bool) { return exchange.Bearer(header) }

func (document) route(r *http.Request) (string, bool) { return r.Method, true }

func (document) methods(router *chi.Mux, r *http.Request) []string {
	return exchange.Methods(router, r)
}

func (document) readPath(*exchange.Exchange) error { return nil }

func (document) unrouted(refuse exchange.Step) []exchange.Step { return []exchange.Step{refuse} }

func (document) bodySchema(x *exchange.Exchange) (*spec.Schema, *exchange.Unfit) {
	return x.BodySchema()
}

func (document) readLimit(limit int64) int64 { return limit }

func (document) decode(operation string, text []byte) (any, bool) {
	return wire.Decode(operation, text)
}

func (document) mismatch(*spec.Schema, []byte) *spec.Mismatch { return nil }

func (document) keep(_ string, schema *spec.Schema, value any) any {
	return spec.InCapitals(schema, value)
}

func (document) registered(again bool) string {
	if again {
		return "node registered again"
	}
	return "node registered"
}

func (document) nextHeartbeat(x *exchange.Exchange) time.Duration {
	return x.Settings.HeartbeatInterval
}

func (document) page(c *cluster.Cluster, at *position, limit int) ([]registry.Node, bool) {
	nodes, more := c.Listed(at.after, limit)
	if len(nodes) > 0 {
		at.after = nodes[len(nodes)-1].Registration.NodeID
	}
	return nodes, more
}

func (document) view(node registry.Node) nodeapi.Node { return cluster.View(node) }

func (document) write(text []byte, node *nodeapi.Node) ([]byte, error) {
	return wire.Append(text, node)
}

func (document) finish(*exchange.Exchange, error) {}

func (document) counts(*exchange.Exchange, outcome) bool { return true }
