package registration

import (
	"os"
	"slices"
	"strings"
)

// origin returns the variable of a setting in brackets behind a blank if it has stated the value at
// hand, else "". A setting that has several variables goes by the first of them.
type origin func(variable string) string

func nowhere(string) string { return "" }

// originOf returns the origin of what a Config holds. It goes by the values: a Config that states
// what the environment does counts as read from there. A value that the program has replaced, such as by
// that of a flag, is no longer the environment's. No value at all is, as long as the node's id is.
func originOf(c Config) origin {
	env := readEnvironment()
	return func(variable string) string {
		name, holds := variable, false
		switch variable {
		case EnvNodeID:
			holds = c.NodeID == env.NodeID
		case EnvMachineID:
			name, holds = env.machine, c.MachineID == env.MachineID
		case EnvAddress:
			holds = c.Address == env.Address
		case EnvPools:
			holds = slices.Equal(c.Pools, env.Pools)
		case EnvOrchestratordURL:
			holds = c.OrchestratordURL == env.OrchestratordURL
		case EnvHeartbeatInterval:
			name, holds = env.interval, c.HeartbeatInterval == env.HeartbeatInterval
		case EnvNodeTimeout:
			name, holds = env.timeout, c.NodeTimeout == env.NodeTimeout
		}
		if !holds || name == "" || os.Getenv(name) == "" && c.NodeID != env.NodeID {
			return ""
		}
		return " [" + name + "]"
	}
}

// field is the origin of a field of the registration, or of an item of it: its variable has its name.
func (o origin) field(field string) string {
	name, _, _ := strings.Cut(field, "/")
	return o("POOL_MANAGERD_" + strings.ToUpper(name))
}
