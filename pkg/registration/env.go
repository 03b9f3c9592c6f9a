package registration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
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
// if they agree. The error, an ErrConfig, lists every variable that cannot be read or that
// states what New refuses, and those that disagree. Such a variable leaves its field as if it
// were not set.
func ConfigFromEnv() (Config, error) {
	host, _ := os.Hostname()
	env := environment{}
	node := cmp.Or(env.text(EnvNodeID, func(c *Config, id string) { c.NodeID = id }), host)
	config := Config{
		NodeID:           node,
		MachineID:        cmp.Or(env.text(EnvMachineID, func(c *Config, id string) { c.MachineID = id }), node),
		Address:          env.text(EnvAddress, func(c *Config, url string) { c.Address = url }),
		Pools:            list(env.text(EnvPools, func(c *Config, ids string) { c.Pools = list(ids) })),
		OrchestratordURL: env.text(EnvOrchestratordURL, func(c *Config, url string) { c.OrchestratordURL = url }),
		APIToken:         env.token(),
		HeartbeatInterval: env.duration(func(c *Config, d time.Duration) { c.HeartbeatInterval = d },
			unit{EnvHeartbeatInterval, time.Second}, unit{specHeartbeatInterval, time.Second}),
		NodeTimeout: env.duration(func(c *Config, d time.Duration) { c.NodeTimeout = d },
			unit{EnvNodeTimeout, time.Millisecond}, unit{specNodeTimeout, time.Second}),
	}
	registers, inCloud := env.isOn(EnvRegisterOnStartup), env.isOn(EnvCloudProfile)
	config.Standalone = !registers || !inCloud
	if err := errors.Join(env.wrong...); err != nil {
		return config, fmt.Errorf("%w: %w", ErrConfig, joined{err})
	}
	return config, nil
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

// environment collects what is wrong with the variables that are read.
type environment struct{ wrong []error }

func (e *environment) complain(format string, args ...any) {
	e.wrong = append(e.wrong, fmt.Errorf(format, args...))
}

// sound is a Config with nothing wrong: what is put into it is judged alone.
var sound = Config{
	NodeID: "node", MachineID: "machine", Address: "http://node", Pools: []string{"pool"},
	OrchestratordURL: "http://orchestratord", NodeTimeout: math.MaxInt64,
}

// accepts complains of a variable that puts something into a Config which New refuses.
func (e *environment) accepts(name string, put func(*Config)) bool {
	config := sound
	put(&config)
	err := config.withDefaults().check()
	if err != nil {
		e.complain("%s: %w", name, err)
	}
	return err == nil
}

// text reads a setting that put puts into a Config.
func (e *environment) text(name string, put func(*Config, string)) string {
	text := os.Getenv(name)
	if text == "" || !e.accepts(name, func(c *Config) { put(c, text) }) {
		return ""
	}
	return text
}

// token reads the token, which is checked as it is before each request.
func (e *environment) token() TokenSource {
	source := StaticToken(os.Getenv(EnvAPIToken))
	if _, err := source.read(context.Background()); err != nil {
		e.complain("%s: %w", EnvAPIToken, err)
		return nil
	}
	return source
}

// isOn reads a switch that is on unless it is turned off.
func (e *environment) isOn(name string) bool {
	text := os.Getenv(name)
	if text == "" {
		return true
	}
	on, err := strconv.ParseBool(text)
	if err != nil {
		e.complain("%s is %s, which is neither true nor false", name, quoted(text))
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

// quoted shows the beginning of a value. What comes before an @ may be a name and a password.
func quoted(text string) string {
	const room = 80
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		text = "***" + text[at:]
	}
	return strconv.Quote(beginning(text, room))
}

// duration reads a setting that has several names and that put puts into a Config, 0 where none is
// set.
func (e *environment) duration(put func(*Config, time.Duration), names ...unit) (d time.Duration) {
	first := ""
	for _, u := range names {
		text := os.Getenv(u.name)
		if text == "" {
			continue
		}
		count, err := strconv.ParseUint(text, 10, 31)
		said := time.Duration(count) * u.unit
		switch {
		case err != nil || count == 0:
			e.complain("%s is %s, which is not a whole number of %s from 1 to %d",
				u.name, quoted(text), u.plural(), math.MaxInt32)
		case first != "" && said != d:
			e.complain("%s is %v, but %s is %v: set one of them, or both alike", first, d, u.name, said)
		default:
			first, d = u.name, said
		}
	}
	if first != "" && !e.accepts(first, func(c *Config) { put(c, d) }) {
		return 0
	}
	return d
}
