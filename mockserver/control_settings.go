package mockserver

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// ReadSettings answers with the settings, without any token (CLOUD-4013).
func (c controls) ReadSettings(context.Context, controlapi.ReadSettingsRequestObject) (controlapi.ReadSettingsResponseObject, error) {
	return controlapi.ReadSettings200JSONResponse(toldSettings(c.settings.Load())), nil
}

// ChangeSettings changes all settings that are named, or none.
func (c controls) ChangeSettings(ctx context.Context, r controlapi.ChangeSettingsRequestObject) (controlapi.ChangeSettingsResponseObject, error) {
	changed, err := c.changeSettings(func(next *settings) error {
		next.apply(*r.Body)
		if wrong := c.settingsViolations(next); wrong != nil {
			return violationProblem(wrong)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.note(ctx, "settings changed: %s", changes(*r.Body))
	return controlapi.ChangeSettings200JSONResponse(toldSettings(changed)), nil
}

func (s *settings) apply(change control.SettingsChange) {
	if change.CloudProfile != nil {
		s.cloudProfile = *change.CloudProfile
	}
	if change.Validation != nil {
		s.validation = Validation(*change.Validation)
	}
	if change.NodeTimeoutMs != nil {
		s.nodeTimeout = milliseconds(*change.NodeTimeoutMs)
	}
	if change.HeartbeatIntervalMs != nil {
		s.heartbeatInterval = milliseconds(*change.HeartbeatIntervalMs)
	}
	if change.Tokens != nil {
		s.tokens = nil
		for _, token := range *change.Tokens {
			s.tokens = append(s.tokens, digestOf(token))
		}
	}
}

// settingsViolations lists what is wrong with the combination of settings that are valid one by
// one.
func (c controls) settingsViolations(s *settings) []nodeapi.Violation {
	var wrong []nodeapi.Violation
	if s.nodeTimeout <= s.heartbeatInterval {
		wrong = append(wrong, nodeapi.Violation{Pointer: "/node_timeout_ms", Detail: fmt.Sprintf(
			"must be more than the heartbeat interval of %d, not %d", s.heartbeatInterval.Milliseconds(), s.nodeTimeout.Milliseconds())})
	}
	for i, token := range s.tokens {
		if slices.Contains(c.controlToken, token) {
			wrong = append(wrong, nodeapi.Violation{Pointer: fmt.Sprintf("/tokens/%d", i), Detail: "must not be the control token"})
		}
	}
	return wrong
}

// changes describes what a change does, without any token (CLOUD-4013).
func changes(change control.SettingsChange) string {
	var told []string
	tell := func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }
	if on := change.CloudProfile; on != nil {
		tell("cloud profile %s", onOff(*on))
	}
	if mode := change.Validation; mode != nil {
		tell("validation %s", *mode)
	}
	if timeout := change.NodeTimeoutMs; timeout != nil {
		tell("node timeout %s", milliseconds(*timeout))
	}
	if interval := change.HeartbeatIntervalMs; interval != nil {
		tell("heartbeat interval %s", milliseconds(*interval))
	}
	if tokens := change.Tokens; tokens != nil {
		tell("%d tokens", len(*tokens))
	}
	return strings.Join(told, ", ")
}

func toldSettings(s *settings) control.Settings {
	return control.Settings{
		CloudProfile:        s.cloudProfile,
		Validation:          control.Validation(s.validation),
		NodeTimeoutMs:       s.nodeTimeout.Milliseconds(),
		HeartbeatIntervalMs: s.heartbeatInterval.Milliseconds(),
		Tokens:              int32(len(s.tokens)),
	}
}
