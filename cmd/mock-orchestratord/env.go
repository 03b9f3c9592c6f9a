package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/spf13/pflag"
)

// The environment, by the names that orchestratord in service uses.
const (
	envAddr              = "ORCHESTRATORD_ADDR"
	envToken             = "LLORCH_API_TOKEN"
	envNodeTimeout       = "ORCHESTRATORD_NODE_TIMEOUT_SECS"
	envHeartbeatInterval = "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS"
	envCloudProfile      = "ORCHESTRATORD_CLOUD_PROFILE"
)

// envControlToken is of the mock alone.
const envControlToken = "MOCK_CONTROL_TOKEN"

// setFromEnv sets the flags that the command line does not state from the environment.
// The error lists every variable that cannot be read.
func setFromEnv(flags *pflag.FlagSet, getenv func(string) string) error {
	var wrong []error
	for _, variable := range []struct {
		name, flag string
		read       func(string) (string, error) // makes a flag's value of the variable's
	}{
		{envAddr, "addr", verbatim},
		{envToken, "token", verbatim},
		{envNodeTimeout, "node-timeout", seconds},
		{envHeartbeatInterval, "heartbeat-interval", seconds},
		{envCloudProfile, "cloud-profile", onlyTrue},
		{envControlToken, "control-token", verbatim},
	} {
		text := getenv(variable.name)
		if text == "" || flags.Changed(variable.flag) {
			continue
		}
		value, err := variable.read(text)
		if err == nil {
			err = flags.Set(variable.flag, value)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", variable.name, err))
		}
	}
	return errors.Join(wrong...)
}

func verbatim(text string) (string, error) { return text, nil }

// seconds reads a whole number of seconds. What range is sensible, the setting's own
// check says.
func seconds(text string) (string, error) {
	if _, err := strconv.ParseUint(text, 10, 31); err != nil {
		return "", fmt.Errorf("%q is not a whole number of seconds from 0 to %d", text, math.MaxInt32)
	}
	return text + "s", nil
}

// onlyTrue reads a switch the way orchestratord does: anything but true is off.
func onlyTrue(text string) (string, error) {
	return strconv.FormatBool(text == "true"), nil
}
