package registration

import "github.com/llama-orch/node-registration/pkg/nodeapi"

// operation is a request that a node makes, named as it appears in errors and logs.
type operation string

const (
	registering   operation = "register"
	beating       operation = "heartbeat"
	deregistering operation = "deregister"
)

// request returns the method and the path of an operation in the document.
func (op operation) request() (method, path string) {
	switch op {
	case registering:
		return nodeapi.RegisterNodeMethod, nodeapi.RegisterNodePath
	case deregistering:
		return nodeapi.DeregisterNodeMethod, nodeapi.DeregisterNodePath
	default:
		return nodeapi.HeartbeatNodeMethod, nodeapi.HeartbeatNodePath
	}
}

// declares reports whether the document declares a status for an operation.
func (op operation) declares(status int) bool {
	switch op {
	case registering:
		return nodeapi.RegisterNodeDeclares(status)
	case beating:
		return nodeapi.HeartbeatNodeDeclares(status)
	default:
		return nodeapi.DeregisterNodeDeclares(status)
	}
}
