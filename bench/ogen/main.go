// Command ogen is an orchestratord whose server ogen generates from the document: routing,
// decoding and validation in generated code, and a map under a lock. It has no more than
// that: no tokens, no metrics, no log, no check of its answers, and no node ever goes offline.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/bench/ogen/api"
)

// Ogen does not know uniqueItems: it gets the document without.
//go:generate sh -c "sed /uniqueItems/d ../../openapi/nodes.yaml >nodes.yaml"
//go:generate go tool ogen --config ogen.yml --target api --package api --clean --loglevel error nodes.yaml

const heartbeatInterval = 10 * time.Second

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "`host:port` to listen on")
	flag.Parse()
	handler, err := newHandler()
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(*addr, handler))
}

func newHandler() (http.Handler, error) {
	o := &orchestratord{nodes: map[api.Identifier]*node{}}
	return api.NewServer(o, o)
}

// orchestratord is a registry of nodes.
type orchestratord struct {
	mu    sync.RWMutex
	nodes map[api.Identifier]*node
}

type node struct {
	registration *api.RegisterRequest
	pools        []api.PoolStatus
	beatAt       time.Time
}

var _ api.Handler = (*orchestratord)(nil)

func (o *orchestratord) HandleBearerAuth(
	ctx context.Context, _ api.OperationName, _ api.BearerAuth,
) (context.Context, error) {
	return ctx, nil
}

func (o *orchestratord) RegisterNode(
	_ context.Context, r *api.RegisterRequest, params api.RegisterNodeParams,
) (api.RegisterNodeRes, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.nodes[r.NodeID] = &node{registration: r}
	return &api.RegisterResponseHeaders{
		XCorrelationID: correlationID(params.XCorrelationID),
		Response:       api.RegisterResponse{Success: true, Message: "node registered", NodeID: r.NodeID},
	}, nil
}

func (o *orchestratord) HeartbeatNode(
	_ context.Context, r *api.HeartbeatRequest, params api.HeartbeatNodeParams,
) (api.HeartbeatNodeRes, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	node := o.nodes[params.ID]
	if node == nil {
		return &api.UnknownNodeHeaders{}, nil
	}
	node.pools, node.beatAt = r.Pools, time.Now()
	return &api.HeartbeatResponseHeaders{
		XCorrelationID: correlationID(params.XCorrelationID),
		Response:       api.HeartbeatResponse{Success: true, NextHeartbeatMs: heartbeatInterval.Milliseconds()},
	}, nil
}

func (o *orchestratord) DeregisterNode(
	_ context.Context, params api.DeregisterNodeParams,
) (api.DeregisterNodeRes, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.nodes[params.ID] == nil {
		return &api.UnknownNodeHeaders{}, nil
	}
	delete(o.nodes, params.ID)
	return &api.DeregisterNodeNoContent{XCorrelationID: correlationID(params.XCorrelationID)}, nil
}

// ListNodes is not measured.
func (o *orchestratord) ListNodes(context.Context, api.ListNodesParams) (api.ListNodesRes, error) {
	return &api.UnavailableHeaders{}, nil
}

// correlationID returns the correlation id that an answer carries.
func correlationID(given api.OptIdentifier) api.OptIdentifier {
	if given.Set {
		return given
	}
	return api.NewOptIdentifier(api.Identifier(rand.Text()))
}
