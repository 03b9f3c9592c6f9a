package main

import (
	"cmp"
	"errors"
	"os"

	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// linkFlags defines the flags that say where orchestratord is and how a node talks to
// it. What the Config holds is their default.
func linkFlags(flags *pflag.FlagSet, c *registration.Config) {
	cli.Under(flags, "Orchestratord", func(flags *pflag.FlagSet) { orchestratordFlags(flags, c) })
	cli.Under(flags, "Timing", func(flags *pflag.FlagSet) { timingFlags(flags, c) })
}

func orchestratordFlags(flags *pflag.FlagSet, c *registration.Config) {
	flags.Var(cli.BaseURL(&c.OrchestratordURL), "orchestratord-url", "base URL of orchestratord ["+
		registration.EnvOrchestratordURL+"]")
	flags.Func("token", "bearer `token` ["+registration.EnvAPIToken+"]", func(token string) error {
		c.APIToken = registration.StaticToken(token)
		return nil
	})
	flags.Func("token-file", "`file` with the token, which may be replaced while nodes run", func(file string) error {
		if file == "" {
			return errors.New("a file has a name")
		}
		c.APIToken = registration.TokenFile(file)
		return nil
	})
	flags.Var(cli.File(&c.TLS.CAFile), "tls-ca",
		"`file` with the certificates that may vouch for orchestratord, instead of the system's; may be replaced "+
			"while nodes run")
	flags.Var(cli.File(&c.TLS.CertFile), "tls-cert", "`file` with the node's own certificate, for mTLS")
	flags.Var(cli.File(&c.TLS.KeyFile), "tls-key", "`file` with its key")
}

// The names of two settings in the specification, which are not those in service.
const (
	specHeartbeatInterval = "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS"
	specNodeTimeout       = "ORCHESTRATORD_NODE_TIMEOUT_SECS"
)

func timingFlags(flags *pflag.FlagSet, c *registration.Config) {
	flags.DurationVar(&c.HeartbeatInterval, "interval", c.HeartbeatInterval,
		"time between a node's heartbeats, 0 to let orchestratord direct it ["+registration.EnvHeartbeatInterval+
			" or "+specHeartbeatInterval+"]")
	flags.DurationVar(&c.NodeTimeout, "node-timeout", cmp.Or(c.NodeTimeout, registration.DefaultNodeTimeout),
		"silence after which orchestratord counts a node as offline; more than two intervals ["+
			registration.EnvNodeTimeout+" or "+specNodeTimeout+"]")
	flags.DurationVar(&c.RequestTimeout, "request-timeout", c.RequestTimeout,
		"time that one request may take (default 5s, or half of --node-timeout if that is less)")
	flags.DurationVar(&c.MaxBackoff, "max-backoff", c.MaxBackoff,
		"longest pause between attempts while orchestratord is away (default half of the interval)")
	flags.DurationVar(&c.RegisterEvery, "register-every", registration.DefaultRegisterEvery,
		"how often a node registers although all is well, negative for never")
}

// checkEnvironment returns what is wrong with the environment, apart from the variables that flags replace. It
// unsets these.
func checkEnvironment(flags *pflag.FlagSet) error {
	for flag, names := range map[string][]string{
		"interval":     {registration.EnvHeartbeatInterval, specHeartbeatInterval},
		"node-timeout": {registration.EnvNodeTimeout, specNodeTimeout},
	} {
		for _, name := range names {
			if flags.Changed(flag) {
				os.Unsetenv(name)
			}
		}
	}
	_, err := registration.ConfigFromEnv()
	return err
}

// checkLink returns which of these flags do not go together. It drops half a pair of files, so
// that the check of the Config does not complain of it once more.
func checkLink(flags *pflag.FlagSet, c *registration.Config) error {
	err := cli.Together(flags, "tls-cert", "tls-key")
	if err != nil {
		c.TLS.CertFile, c.TLS.KeyFile = "", ""
	}
	if flags.Changed("token") && flags.Changed("token-file") {
		err = errors.Join(err, errors.New("--token and --token-file are both set: a node has one token"))
	}
	return err
}
