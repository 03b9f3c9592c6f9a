package registration

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// The environment of a node, by the names that are in service.
const (
	EnvNodeID            = "POOL_MANAGERD_NODE_ID"
	EnvMachineID         = "POOL_MANAGERD_MACHINE_ID"
	EnvAddress           = "POOL_MANAGERD_ADDRESS"
	EnvPools             = "POOL_MANAGERD_POOLS"
	EnvHeartbeatInterval = "POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS"
	EnvCloudProfile      = "POOL_MANAGERD_CLOUD_PROFILE"
	EnvOrchestratordURL  = "ORCHESTRATORD_URL"
	EnvNodeTimeout       = "ORCHESTRATORD_NODE_TIMEOUT_MS"
	EnvRegisterOnStartup = "ORCHESTRATORD_REGISTER_ON_STARTUP"
	EnvAPIToken          = "LLORCH_API_TOKEN"
)

// Two settings have another name in the specification.
const (
	specHeartbeatInterval = "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS"
	specNodeTimeout       = "ORCHESTRATORD_NODE_TIMEOUT_SECS"
)

// ConfigFromEnv returns the part of a Config that the environment states:
//
//   - NodeID, which is the host name where it is not stated; MachineID, which is the
//     NodeID where it is not stated; Address; Pools, separated by commas
//   - OrchestratordURL and APIToken (CLOUD-4003)
//   - HeartbeatInterval, also as ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS
//   - NodeTimeout, also as ORCHESTRATORD_NODE_TIMEOUT_SECS
//   - Standalone, where EnvCloudProfile or EnvRegisterOnStartup is false
//
// A variable that is empty counts as not set. Two names of one setting may both be set
// if they agree. The error, an ErrConfig, lists every variable that cannot be read, and
// those that disagree. New names the variable of a value that it refuses, unless the
// program has replaced the value.
func ConfigFromEnv() (Config, error) {
	env := readEnvironment()
	if err := errors.Join(env.wrong...); err != nil {
		return env.Config, fmt.Errorf("%w: %w", ErrConfig, joined{err})
	}
	return env.Config, nil
}

// environment is what the variables state, which ones where a setting has several, and what is wrong
// with them.
type environment struct {
	Config
	machine, interval, timeout string
	wrong                      []error
}

func readEnvironment() *environment {
	host, _ := os.Hostname()
	node := cmp.Or(os.Getenv(EnvNodeID), host)
	env := &environment{machine: EnvMachineID, Config: Config{
		NodeID:           node,
		MachineID:        cmp.Or(os.Getenv(EnvMachineID), node),
		Address:          os.Getenv(EnvAddress),
		Pools:            list(os.Getenv(EnvPools)),
		OrchestratordURL: os.Getenv(EnvOrchestratordURL),
		APIToken:         StaticToken(os.Getenv(EnvAPIToken)),
	}}
	if os.Getenv(EnvMachineID) == "" {
		env.machine = EnvNodeID
	}
	env.HeartbeatInterval, env.interval = env.duration(unit{EnvHeartbeatInterval, time.Second},
		unit{specHeartbeatInterval, time.Second})
	env.NodeTimeout, env.timeout = env.duration(unit{EnvNodeTimeout, time.Millisecond},
		unit{specNodeTimeout, time.Second})
	registers, inCloud := env.isOn(EnvRegisterOnStartup), env.isOn(EnvCloudProfile)
	env.Standalone = !registers || !inCloud
	return env
}

// list splits a list at its commas, and ignores blanks around items and empty items.
func list(text string) (items []string) {
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func (e *environment) complain(format string, args ...any) {
	e.wrong = append(e.wrong, fmt.Errorf(format, args...))
}

// isOn reads a switch that is on unless it is turned off.
func (e *environment) isOn(name string) bool {
	text := os.Getenv(name)
	if text == "" {
		return true
	}
	on, err := strconv.ParseBool(text)
	if err != nil {
		e.complain("%s is %q, which is neither true nor false", name, text)
	}
	return on || err != nil
}

// unit is a variable that states a duration as a whole number of units.
type unit struct {
	name string
	unit time.Duration
}

func (u unit) plural() string {
	if u.unit == time.Millisecond {
		return "milliseconds"
	}
	return "seconds"
}

// duration reads a setting that has several names, and returns the first that is set; 0 where none is.
func (e *environment) duration(names ...unit) (d time.Duration, first string) {
	for _, u := range names {
		text := os.Getenv(u.name)
		if text == "" {
			continue
		}
		count, err := strconv.ParseUint(text, 10, 31)
		said := time.Duration(count) * u.unit
		switch {
		case err != nil || count == 0:
			e.complain("%s is %q, which is not a number of whole %s above 0", u.name, text, u.plural())
		case first != "" && said != d:
			e.complain("%s is %v, but %s is %v: set one of them, or both alike", first, d, u.name, said)
		default:
			first, d = u.name, said
		}
	}
	return d, first
}
