package main

import (
	"os"
	"regexp"

	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// The names of two settings in the specification, which are not those in service.
const (
	specHeartbeatInterval = "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS"
	specNodeTimeout       = "ORCHESTRATORD_NODE_TIMEOUT_SECS"
)

// variable matches the variables in the usage of a flag.
var variable = regexp.MustCompile(`\b[A-Z]+(_[A-Z]+)+\b`)

// checkEnv returns what is wrong with the environment. A variable that a flag overrides is not
// read, since nothing depends on it.
func checkEnv(flags *pflag.FlagSet) error {
	flags.Visit(func(flag *pflag.Flag) {
		for _, overridden := range variable.FindAllString(flag.Usage, -1) {
			_ = os.Unsetenv(overridden) // fails only for a name that is none
		}
	})
	_, err := registration.ConfigFromEnv()
	return err
}
