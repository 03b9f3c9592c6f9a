// The generators, in a module of their own: programs that import the client do not inherit
// them.
module github.com/llama-orch/node-registration/openapi/codegen

go 1.26.0

toolchain go1.26.8

require (
	github.com/getkin/kin-openapi v0.153.0
	github.com/llama-orch/node-registration/openapi/overlay v0.1.0
)

require (
	github.com/dprotaso/go-yit v0.0.0-20220510233725-9ba8df137936 // indirect
	github.com/go-openapi/jsonpointer v1.0.2 // indirect
	github.com/oapi-codegen/oapi-codegen/v2 v2.8.2 // indirect
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // indirect
	github.com/speakeasy-api/jsonpath v0.6.3 // indirect
	github.com/speakeasy-api/openapi v1.24.0 // indirect
	github.com/vmware-labs/yaml-jsonpath v0.3.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	go.yaml.in/yaml/v4 v4.0.0 // indirect
	golang.org/x/mod v0.41.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

tool (
	github.com/llama-orch/node-registration/openapi/codegen/checks
	github.com/llama-orch/node-registration/openapi/codegen/limits
	github.com/llama-orch/node-registration/openapi/codegen/overlay
	github.com/llama-orch/node-registration/openapi/codegen/wire
	github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen
)
