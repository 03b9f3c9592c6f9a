package main

import "github.com/llama-orch/node-registration/pkg/registration"

// flagOf has the flags that state a node's settings, by what New calls these.
var flagOf = map[string]string{
	"node_id":                      "--node-id",
	"machine_id":                   "--machine-id",
	"address":                      "--address",
	"pools":                        "--pool",
	"orchestratord URL":            "--orchestratord-url",
	"heartbeat interval":           "--interval",
	"node timeout":                 "--node-timeout",
	"request timeout":              "--request-timeout",
	"max backoff":                  "--max-backoff",
	"shutdown timeout":             "--shutdown-timeout",
	"TLS CA file":                  "--tls-ca",
	"TLS client certificate":       "--tls-cert",
	registration.ErrConfig.Error(): "", // which the flags say already
}
