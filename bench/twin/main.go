// Command twin is an orchestratord built the ordinary way. It is a generated chi strict server
// behind the request validation of kin-openapi, and a map under a lock. It has no more than
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

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/go-chi/chi/v5"
	validation "github.com/oapi-codegen/nethttp-middleware"

	"github.com/llama-orch/node-registration/bench/twin/api"
)

//go:generate go tool -modfile=../../openapi/codegen/go.mod oapi-codegen -config codegen.yaml ../../openapi/nodes.yaml

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
	document, err := api.GetSpec()
	if err != nil {
		return nil, err
	}
	document.Servers = nil
	router := chi.NewRouter()
	router.Use(validation.OapiRequestValidatorWithOptions(document, &validation.Options{
		Options: openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}))
	return api.HandlerFromMux(api.NewStrictHandler(&orchestratord{nodes: map[string]*node{}}, nil), router), nil
}

// orchestratord is a registry of nodes.
type orchestratord struct {
	mu    sync.RWMutex
	nodes map[string]*node
}

type node struct {
	registration api.RegisterRequest
	pools        []api.PoolStatus
	beatAt       time.Time
}

var _ api.StrictServerInterface = (*orchestratord)(nil)

func (o *orchestratord) RegisterNode(
	_ context.Context, r api.RegisterNodeRequestObject,
) (api.RegisterNodeResponseObject, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.nodes[r.Body.NodeId] = &node{registration: *r.Body}
	return api.RegisterNode200JSONResponse{
		Body:    api.RegisterResponse{Success: true, Message: "node registered", NodeId: r.Body.NodeId},
		Headers: api.RegisterNode200ResponseHeaders{XCorrelationId: correlationID(r.Params.XCorrelationId)},
	}, nil
}

func (o *orchestratord) HeartbeatNode(
	_ context.Context, r api.HeartbeatNodeRequestObject,
) (api.HeartbeatNodeResponseObject, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	node := o.nodes[r.Id]
	if node == nil {
		return api.HeartbeatNode404ApplicationProblemPlusJSONResponse{}, nil
	}
	node.pools, node.beatAt = r.Body.Pools, time.Now()
	return api.HeartbeatNode200JSONResponse{
		Body:    api.HeartbeatResponse{Success: true, NextHeartbeatMs: heartbeatInterval.Milliseconds()},
		Headers: api.HeartbeatNode200ResponseHeaders{XCorrelationId: correlationID(r.Params.XCorrelationId)},
	}, nil
}

func (o *orchestratord) DeregisterNode(
	_ context.Context, r api.DeregisterNodeRequestObject,
) (api.DeregisterNodeResponseObject, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.nodes, r.Id)
	return api.DeregisterNode204Response{
		Headers: api.DeregisterNode204ResponseHeaders{XCorrelationId: correlationID(r.Params.XCorrelationId)},
	}, nil
}

// ListNodes is not measured.
func (o *orchestratord) ListNodes(context.Context, api.ListNodesRequestObject) (api.ListNodesResponseObject, error) {
	return api.ListNodes503ApplicationProblemPlusJSONResponse{}, nil
}

// correlationID returns the correlation id that an answer carries.
func correlationID(given *string) *string {
	if given != nil {
		return given
	}
	made := rand.Text()
	return &made
}
