// Package settings holds the settings of the mock that requests are served by, such as tokens, timeouts
// and dialect. They may change while it runs.
package settings

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/registry"
)

// Settings are never edited: a change makes others. A request reads them once, so that none
// sees half of a change.
type Settings struct {
	Tokens             []Digest // of nodes; without any, nodes need none
	NodeTimeout        time.Duration
	HeartbeatInterval  time.Duration
	StaleCheckInterval time.Duration // in service
	CloudProfile       bool
	Dialect            control.Dialect
	Validation         control.Validation
	Document           *spec.Document // in place of that of the dialect; nil for none
	InFront            bool           // of another orchestratord
}

// Policy returns what is made of what nodes send. In front of another orchestratord, a node that
// sends heartbeats is Online, whatever the dialect: what that one makes of them, its list says.
func (s *Settings) Policy() registry.Policy {
	if s.Dialect == control.DialectInService && !s.InFront {
		return registry.InService{CheckEvery: s.StaleCheckInterval}
	}
	return registry.Document{}
}

// TimesOutTooSoon reports whether nodes that send heartbeats as often as they are asked to would be
// Offline between two of them. In service, and in front of another orchestratord, the heartbeat interval is
// not that of these settings.
func (s *Settings) TimesOutTooSoon() bool {
	return s.NodeTimeout <= s.HeartbeatInterval && s.Dialect != control.DialectInService && !s.InFront
}

// CheckTimes returns what is wrong with the intervals and the node timeout.
func (s *Settings) CheckTimes() error {
	var wrong []error
	for _, each := range []struct {
		what string
		time time.Duration
		err  error
	}{
		{"heartbeat interval", s.HeartbeatInterval, checkDuration("HeartbeatInterval", s.HeartbeatInterval)},
		{"node timeout", s.NodeTimeout, s.checkTimeout()},
		{"stale check interval", s.StaleCheckInterval, checkDuration("StaleCheckInterval", s.StaleCheckInterval)},
	} {
		if each.err != nil {
			wrong = append(wrong, fmt.Errorf("%s %s: %w", each.what, each.time, each.err))
		}
	}
	return errors.Join(wrong...)
}

func (s *Settings) checkTimeout() error {
	switch {
	case s.TimesOutTooSoon():
		return fmt.Errorf("must be longer than the heartbeat interval %s", s.HeartbeatInterval)
	case s.NodeTimeout <= 0:
		return errors.New("must be positive")
	}
	return checkDuration("NodeTimeout", s.NodeTimeout)
}

// Contract returns the document that nodes and orchestratord are held to.
func (s *Settings) Contract() *spec.Document {
	switch {
	case s.Document != nil:
		return s.Document
	case s.Dialect == control.DialectInService:
		return spec.InService()
	}
	return spec.Nodes()
}

// Digest stands for a token, so that the mock does not keep tokens that it could give away.
type Digest [sha256.Size]byte

// DigestOf returns the digest of a token.
func DigestOf(token string) Digest { return sha256.Sum256([]byte(token)) }

// Store holds the settings that are in force. It is safe for concurrent use.
type Store struct {
	current  atomic.Pointer[Settings]
	changing sync.Mutex // held to change them
	changed  func(*Settings)
}

// NewStore returns a store with the first settings. It calls changed with all later ones, one
// after the other.
func NewStore(first Settings, changed func(*Settings)) *Store {
	s := &Store{changed: changed}
	s.current.Store(&first)
	return s
}

// Load returns the settings in force.
func (s *Store) Load() *Settings { return s.current.Load() }

// Change puts in force what edit makes of the settings, unless that fails.
func (s *Store) Change(edit func(*Settings) error) (*Settings, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	next := *s.current.Load()
	if err := edit(&next); err != nil {
		return nil, err
	}
	s.current.Store(&next)
	s.changed(&next)
	return &next, nil
}

// CheckToken returns what is wrong with a token, if anything is.
func CheckToken(token string) error {
	change := control.SettingsChange{Tokens: &[]string{token}}
	if wrong := spec.Control().Check("SettingsChange", change); wrong != nil {
		return errors.New(wrong[0].Detail)
	}
	return nil
}

// CheckTokens returns what is wrong with how many tokens there are, if anything is.
func CheckTokens(tokens []string) error {
	some := append([]string{}, tokens...) // never null
	for _, wrong := range spec.Control().Check("SettingsChange", control.SettingsChange{Tokens: &some}) {
		if wrong.Pointer == "/tokens" {
			return errors.New(wrong.Detail)
		}
	}
	return nil
}

// CheckModes returns what is wrong with the modes.
func (s *Settings) CheckModes() error {
	var wrong []error
	if mode := s.Validation; !mode.Valid() {
		wrong = append(wrong, fmt.Errorf("validation %q: must be %s, %s or %s",
			mode, control.ValidationStrict, control.ValidationReport, control.ValidationOff))
	}
	if dialect := s.Dialect; !dialect.Valid() {
		wrong = append(wrong,
			fmt.Errorf("dialect %q: must be %s or %s", dialect, control.DialectDocument, control.DialectInService))
	}
	return errors.Join(wrong...)
}

func checkDuration(schema string, duration time.Duration) error {
	return checkMilliseconds(schema, duration.Milliseconds())
}

// CheckTime returns what is wrong with what a clock shows.
func CheckTime(now time.Time) error { return checkMilliseconds("Milliseconds", now.UnixMilli()) }

func checkMilliseconds(schema string, ms int64) error {
	if wrong := spec.Control().Check(schema, ms); wrong != nil {
		return fmt.Errorf("in milliseconds it %s", wrong[0].Detail)
	}
	return nil
}
