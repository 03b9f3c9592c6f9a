package registration

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// The environment of a node, by the names that the existing one uses.
const (
	EnvNodeID            = "POOL_MANAGERD_NODE_ID"
	EnvMachineID         = "POOL_MANAGERD_MACHINE_ID"
	EnvOrchestratordURL  = "ORCHESTRATORD_URL"
	EnvRegisterOnStartup = "ORCHESTRATORD_REGISTER_ON_STARTUP"
	EnvHeartbeatInterval = "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS"
	EnvAPIToken          = "LLORCH_API_TOKEN"
)

// ConfigFromEnv returns the part of a Config that the environment states: NodeID,
// MachineID, OrchestratordURL, HeartbeatInterval, APIToken (CLOUD-4003), and
// Standalone where registering on start-up is switched off. The caller adds the
// address, the pools and the capabilities. A variable that is empty or not set
// leaves its field alone. The error lists every variable that cannot be read.
func ConfigFromEnv() (Config, error) {
	config := Config{
		NodeID:           os.Getenv(EnvNodeID),
		MachineID:        os.Getenv(EnvMachineID),
		OrchestratordURL: os.Getenv(EnvOrchestratordURL),
		APIToken:         StaticToken(os.Getenv(EnvAPIToken)),
	}
	var wrong []error
	if text := os.Getenv(EnvRegisterOnStartup); text != "" {
		register, err := strconv.ParseBool(text)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s is %q, which is neither true nor false", EnvRegisterOnStartup, text))
		}
		config.Standalone = err == nil && !register
	}
	if text := os.Getenv(EnvHeartbeatInterval); text != "" {
		seconds, err := strconv.ParseUint(text, 10, 31)
		if err != nil || seconds == 0 {
			wrong = append(wrong, fmt.Errorf("%s is %q, which is not a number of whole seconds above 0", EnvHeartbeatInterval, text))
		}
		config.HeartbeatInterval = time.Duration(seconds) * time.Second
	}
	if err := errors.Join(wrong...); err != nil {
		return config, fmt.Errorf("%w: %w", ErrConfig, joined{err})
	}
	return config, nil
}
