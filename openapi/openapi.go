// Package openapi holds the OpenAPI documents: the contract between GPU nodes and orchestratord, and
// the control API of the mock. Everything that crosses the wire is described there and nowhere else.
// Types, clients, servers and checks are generated from them by
//
//	go generate ./...
package openapi

import _ "embed"

//go:generate go tool oapi-codegen -config codegen/types.yaml nodes.yaml
//go:generate go tool oapi-codegen -config codegen/client.yaml nodes.yaml
//go:generate go tool oapi-codegen -config codegen/server.yaml nodes.yaml
//go:generate go tool checks -o ../pkg/nodeapi/checks.gen.go nodes.yaml
//go:generate go tool overlay -o in-service.gen.yaml in-service.overlay.yaml
//go:generate go tool wire -o ../mockserver/internal/wire/wire.gen.go nodes.yaml

//go:generate go tool oapi-codegen -config codegen/control-types.yaml mock-control.yaml
//go:generate go tool oapi-codegen -config codegen/control-client.yaml mock-control.yaml
//go:generate go tool oapi-codegen -config codegen/control-server.yaml mock-control.yaml
//go:generate go tool limits -o ../mockserver/dashboard/assets/limits.gen.js mock-control.yaml

// Nodes is the OpenAPI 3.0.3 document for /v2/nodes, as YAML.
//
//go:embed nodes.yaml
var Nodes []byte

// InService is the document that the orchestratord in service keeps, as YAML: Nodes with the
// differences of in-service.overlay.yaml.
//
//go:embed in-service.gen.yaml
var InService []byte

// InServiceOverlay is that overlay, as YAML.
//
//go:embed in-service.overlay.yaml
var InServiceOverlay []byte

// MockControl is the OpenAPI 3.0.3 document for the control API of the mock, as YAML. It
// refers to schemas of Nodes as those of the file nodes.yaml.
//
//go:embed mock-control.yaml
var MockControl []byte
