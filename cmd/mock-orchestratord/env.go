package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
)

// The environment, by the names that orchestratord in service reads.
const (
	envAddr         = "ORCHD_ADDR"
	envNodeTimeout  = "ORCHESTRATORD_NODE_TIMEOUT_MS"
	envStaleCheck   = "ORCHESTRATORD_STALE_CHECK_INTERVAL_SECS"
	envCloudProfile = "ORCHESTRATORD_CLOUD_PROFILE"
)

// The names in orchestratord's specification that the one in service does not read.
const (
	specAddr              = "ORCHESTRATORD_ADDR"
	specNodeTimeout       = "ORCHESTRATORD_NODE_TIMEOUT_SECS"
	specHeartbeatInterval = "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS"
)

// envControlToken has no counterpart in orchestratord.
const envControlToken = "MOCK_CONTROL_TOKEN"

// variable is one of the environment.
type variable struct {
	name string
	read func(string) (string, error) // makes a flag's value of the variable's
}

// setFromEnv sets the flags that the command line does not state, in a file neither, from the environment,
// and returns which variable sets which. The error lists every variable that cannot be read, and those that
// disagree.
func setFromEnv(flags *pflag.FlagSet, getenv func(string) string) (sets []string, err error) {
	var wrong []error
	for _, setting := range []struct {
		flag  string
		names []variable
	}{
		{"addr", []variable{{envAddr, verbatim}, {specAddr, verbatim}}},
		{"token", []variable{{cli.EnvToken, cli.TrimToken}}},
		{"node-timeout", []variable{{envNodeTimeout, milliseconds}, {specNodeTimeout, seconds}}},
		{"heartbeat-interval", []variable{{specHeartbeatInterval, seconds}}},
		{"stale-check-interval", []variable{{envStaleCheck, seconds}}},
		{"cloud-profile", []variable{{envCloudProfile, onlyTrue}}},
		{"control-token", []variable{{envControlToken, cli.TrimToken}}},
	} {
		flag := setting.flag
		if flags.Changed("upstream") {
			flag = inFront[flag]
		}
		if flag == "" || flags.Changed(flag) || flags.Changed(flag+"-file") {
			continue
		}
		name, value, err := agreed(setting.names, getenv)
		if err == nil && value != "" {
			sets = append(sets, name+" sets --"+flag)
			err = flags.Set(flag, value)
		}
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	return sets, errors.Join(wrong...)
}

// agreed returns the value of a setting that has several names, and the first of these, or "" if
// none is set. The error names the variables that cannot be read, or two that disagree.
func agreed(names []variable, getenv func(string) string) (first, value string, err error) {
	for _, v := range names {
		text := getenv(v.name)
		if text == "" {
			continue
		}
		read, wrong := v.read(text)
		switch {
		case wrong != nil:
			err = errors.Join(err, fmt.Errorf("%s: %w", v.name, wrong))
		case value == "":
			first, value = v.name, read
		case value != read:
			err = errors.Join(err,
				fmt.Errorf("%s is %q and %s is %q: they state the same, and disagree: unset one of them",
					first, getenv(first), v.name, text))
		}
	}
	return first, value, err
}

func verbatim(text string) (string, error) { return text, nil }

func milliseconds(text string) (string, error) { return units(text, time.Millisecond, "milliseconds") }

func seconds(text string) (string, error) { return units(text, time.Second, "seconds") }

// units reads a whole number of units. The setting's own check validates the range.
func units(text string, unit time.Duration, plural string) (string, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return "", fmt.Errorf("%q is not a whole number of %s from 0 to %d", text, plural, math.MaxInt32)
	}
	return (time.Duration(n) * unit).String(), nil
}

// onlyTrue reads a switch the way orchestratord does: anything but true is off.
func onlyTrue(text string) (string, error) {
	return strconv.FormatBool(text == "true"), nil
}

// inFront are the flags that the environment sets in front of a real orchestratord, by those that
// it sets otherwise. The token is the one that this accepts.
var inFront = map[string]string{
	"addr": "addr", "token": "upstream-token", "node-timeout": "node-timeout", "control-token": "control-token",
}
