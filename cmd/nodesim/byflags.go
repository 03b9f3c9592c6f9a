package main

import (
	"errors"
	"strings"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// flagOf has the flags that state a node's settings, by what New calls these.
var flagOf = map[string]string{
	"node_id":                "--node-id",
	"machine_id":             "--machine-id",
	"address":                "--address",
	"pools":                  "--pool",
	"orchestratord URL":      "--orchestratord-url",
	"heartbeat interval":     "--interval",
	"node timeout":           "--node-timeout",
	"request timeout":        "--request-timeout",
	"max backoff":            "--max-backoff",
	"shutdown timeout":       "--shutdown-timeout",
	"TLS CA file":            "--tls-ca",
	"TLS client certificate": "--tls-cert",
}

// byFlags returns an error of New that calls the settings by their flags, as its user does.
func byFlags(err error) error {
	if err == nil || err == registration.ErrConfig { // which the flags say already
		return nil
	}
	if several, is := err.(interface{ Unwrap() []error }); is {
		var each []error
		for _, one := range several.Unwrap() {
			each = append(each, byFlags(one))
		}
		return errors.Join(each...)
	}
	for setting, flag := range flagOf {
		if rest, is := strings.CutPrefix(err.Error(), setting); is {
			return errors.New(flag + strings.TrimLeft(rest, "/0123456789")) // without the index of an item
		}
	}
	return err
}
