package controls

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/llama-orch/node-registration/internal/plural"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/settings"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// ReadSettings answers with the settings, without any token (CLOUD-4013).
func (o operations) ReadSettings(
	context.Context, controlapi.ReadSettingsRequestObject,
) (controlapi.ReadSettingsResponseObject, error) {
	return controlapi.ReadSettings200JSONResponse(settingsView(o.Settings.Load())), nil
}

// ChangeSettings changes all settings that are named, or none.
func (o operations) ChangeSettings(
	ctx context.Context, r controlapi.ChangeSettingsRequestObject,
) (controlapi.ChangeSettingsResponseObject, error) {
	if names := upstreamSettings(*r.Body); names != "" {
		if err := o.refuseInFront("its %s cannot be changed from here", names); err != nil {
			return nil, err
		}
	}
	changed, err := o.Settings.Change(func(next *settings.Settings) error {
		apply(*r.Body, next)
		if wrong := o.settingsViolations(next); wrong != nil {
			return exchange.ViolationProblem(wrong...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	o.note(ctx, "settings changed: %s", changes(*r.Body))
	return controlapi.ChangeSettings200JSONResponse(settingsView(changed)), nil
}

// upstreamSettings names the settings of a change that only a mock that answers nodes itself has. The
// others say how traffic is checked, and when a node counts as silent.
func upstreamSettings(change control.SettingsChange) string {
	var names []string
	for name, there := range map[string]bool{
		"cloud profile":      change.CloudProfile != nil,
		"heartbeat interval": change.HeartbeatIntervalMs != nil,
		"tokens":             change.Tokens != nil,
		"stale check":        change.StaleCheckIntervalMs != nil,
		"strict validation":  change.Validation != nil && *change.Validation == control.ValidationStrict,
	} {
		if there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func apply(change control.SettingsChange, s *settings.Settings) {
	if change.CloudProfile != nil {
		s.CloudProfile = *change.CloudProfile
	}
	if change.Dialect != nil {
		s.Dialect = *change.Dialect
	}
	if change.Validation != nil {
		s.Validation = *change.Validation
	}
	if change.NodeTimeoutMs != nil {
		s.NodeTimeout = milliseconds(*change.NodeTimeoutMs)
	}
	if change.HeartbeatIntervalMs != nil {
		s.HeartbeatInterval = milliseconds(*change.HeartbeatIntervalMs)
	}
	if change.StaleCheckIntervalMs != nil {
		s.StaleCheckInterval = milliseconds(*change.StaleCheckIntervalMs)
	}
	if change.Tokens != nil {
		s.Tokens = nil
		for _, token := range *change.Tokens {
			s.Tokens = append(s.Tokens, settings.DigestOf(token))
		}
	}
}

// settingsViolations lists what is wrong with the combination of settings that are valid one by
// one.
func (o operations) settingsViolations(s *settings.Settings) []nodeapi.Violation {
	var wrong []nodeapi.Violation
	if s.TimesOutTooSoon() {
		wrong = append(wrong, nodeapi.Violation{Pointer: "/node_timeout_ms", Detail: fmt.Sprintf(
			"must be more than the heartbeat interval of %d, not %d",
			s.HeartbeatInterval.Milliseconds(), s.NodeTimeout.Milliseconds())})
	}
	for i, token := range s.Tokens {
		if slices.Contains(o.Token, token) {
			wrong = append(wrong, nodeapi.Violation{
				Pointer: fmt.Sprintf("/tokens/%d", i), Detail: "must not be the control token",
			})
		}
	}
	return wrong
}

// changes describes what a change does, without any token (CLOUD-4013).
func changes(change control.SettingsChange) string {
	var list []string
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if on := change.CloudProfile; on != nil {
		add("cloud profile %s", onOff(*on))
	}
	if dialect := change.Dialect; dialect != nil {
		add("dialect %s", *dialect)
	}
	if mode := change.Validation; mode != nil {
		add("validation %s", *mode)
	}
	if timeout := change.NodeTimeoutMs; timeout != nil {
		add("node timeout %s", milliseconds(*timeout))
	}
	if interval := change.HeartbeatIntervalMs; interval != nil {
		add("heartbeat interval %s", milliseconds(*interval))
	}
	if interval := change.StaleCheckIntervalMs; interval != nil {
		add("stale check interval %s", milliseconds(*interval))
	}
	if tokens := change.Tokens; tokens != nil {
		add("%s", plural.Count(len(*tokens), "token"))
	}
	return strings.Join(list, ", ")
}

func settingsView(s *settings.Settings) control.Settings {
	return control.Settings{
		CloudProfile:         s.CloudProfile,
		Dialect:              s.Dialect,
		Validation:           s.Validation,
		NodeTimeoutMs:        s.NodeTimeout.Milliseconds(),
		HeartbeatIntervalMs:  s.HeartbeatInterval.Milliseconds(),
		StaleCheckIntervalMs: s.StaleCheckInterval.Milliseconds(),
		Tokens:               int32(len(s.Tokens)),
	}
}
