package registration

import (
	"slices"
	"strings"
)

// origin is what the environment has stated, and by which variables where a setting has several.
type origin struct {
	config                     Config
	machine, interval, timeout string
}

// from returns the variable that has stated what the Config holds, in brackets behind a blank. It
// returns "" if none has, also when the program has replaced the value, such as by that of a flag.
func (c Config) from(variable string) string {
	if c.origin == nil {
		return ""
	}
	env, holds := c.origin.config, false
	switch variable {
	case EnvNodeID:
		holds = c.NodeID == env.NodeID
	case EnvMachineID:
		variable, holds = c.origin.machine, c.MachineID == env.MachineID
	case EnvAddress:
		holds = c.Address == env.Address
	case EnvPools:
		holds = slices.Equal(c.Pools, env.Pools)
	case EnvOrchestratordURL:
		holds = c.OrchestratordURL == env.OrchestratordURL
	case EnvHeartbeatInterval:
		variable, holds = c.origin.interval, c.HeartbeatInterval == env.HeartbeatInterval
	case EnvNodeTimeout:
		variable, holds = c.origin.timeout, c.NodeTimeout == env.NodeTimeout
	}
	if !holds || variable == "" {
		return ""
	}
	return " [" + variable + "]"
}

// fromField is from for the variable of a field of the registration, or of an item of it: such a
// variable has the field's name.
func (c Config) fromField(field string) string {
	name, _, _ := strings.Cut(field, "/")
	return c.from("POOL_MANAGERD_" + strings.ToUpper(name))
}
