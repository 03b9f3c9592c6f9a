package journal

import (
	"fmt"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/internal/plural"
	"github.com/llama-orch/node-registration/mockserver/control"
)

// How many characters the result of an expectation has at most.
const (
	maxMessage = 4096
	maxMissed  = 512
)

// message returns the result as a sentence.
func (t *tally) message() string {
	message := t.counted()
	switch {
	case t.exceeded():
		message += "; the last: " + t.newest.title()
	case t.met():
	case t.distance.failed > 0:
		message += "; nearest: " + t.nearest.title() + ": " + strings.Join(t.missed(), ", ")
	case t.fitting == 0:
		message += "; there are no entries"
	}
	if n := t.cursor.dropped; n > 0 {
		message += fmt.Sprintf("; there may have been more: the journal had dropped %d of the entries", n)
	}
	return message
}

// title names an entry in a line.
func (r *record) title() string {
	return fmt.Sprintf("#%d %s", r.sequence, r.summary())
}

// counted says how many entries fit, and how many should.
func (t *tally) counted() string {
	e := t.expectation
	what := func(n int64) string { return plural.Count(n, noun(e)) + details(e) }
	switch {
	case t.exceeded() && t.most == 0:
		return fmt.Sprintf("%s, none expected", what(t.fitting))
	case t.exceeded():
		return fmt.Sprintf("%s, at most %d expected", what(t.fitting), t.most)
	case t.most < 0:
		return fmt.Sprintf("%d of at least %s", t.fitting, what(t.least))
	case t.least == t.most:
		return fmt.Sprintf("%d of exactly %s", t.fitting, what(t.most))
	case t.least == 0:
		return fmt.Sprintf("%d of at most %s", t.fitting, what(t.most))
	}
	return fmt.Sprintf("%d of %d to %s", t.fitting, t.least, what(t.most))
}

// noun says what an expectation counts, as one of it.
func noun(e control.Expectation) string {
	switch kind, operation := optional.Or(e.Kind, ""), optional.Or(e.Operation, ""); {
	case operation == control.OperationHeartbeatNode, e.Pool != nil:
		return "heartbeat"
	case operation == control.OperationRegisterNode:
		return "registration"
	case operation == control.OperationDeregisterNode:
		return "deregistration"
	case operation == control.OperationListNodes:
		return "listing"
	case kind == control.EntryKindChange, e.Becomes != nil:
		return "change"
	case kind == control.EntryKindExchange, e.Answered != nil:
		return "request"
	case kind == control.EntryKindControl:
		return "control action"
	}
	return "event"
}

// details says what else an expectation states.
func details(e control.Expectation) string {
	var said strings.Builder
	if e.Node != nil {
		preposition := "from"
		if noun(e) == "change" {
			preposition = "of"
		}
		fmt.Fprintf(&said, " %s %s", preposition, *e.Node)
	}
	if e.Becomes != nil {
		fmt.Fprintf(&said, " to %s", *e.Becomes)
	}
	switch optional.Or(e.Answered, "") {
	case "":
	case noAnswer:
		said.WriteString(" without an answer")
	default:
		fmt.Fprintf(&said, " answered %s", *e.Answered)
	}
	if e.Pool != nil {
		said.WriteString(" with " + poolDetails(*e.Pool))
	}
	if e.After != nil {
		fmt.Fprintf(&said, " after #%d", *e.After)
	}
	if e.WithinMs != nil {
		said.WriteString(" within " + duration(*e.WithinMs))
	}
	return said.String()
}

func poolDetails(e control.PoolExpectation) string {
	var how []string
	state := func(what string, is *bool) {
		switch {
		case is == nil:
		case *is:
			how = append(how, what)
		default:
			how = append(how, "not "+what)
		}
	}
	state("ready", e.Ready)
	state("draining", e.Draining)
	if e.MinSlotsFree != nil {
		how = append(how, fmt.Sprintf("at least %s free", plural.Count(*e.MinSlotsFree, "slot")))
	}
	if e.MaxSlotsFree != nil {
		how = append(how, fmt.Sprintf("at most %s free", plural.Count(*e.MaxSlotsFree, "slot")))
	}
	return words(e.PoolID, strings.Join(how, " and "))
}

// duration writes milliseconds the way people do.
func duration(ms int64) string {
	if ms != 0 && ms%100 == 0 {
		return fmt.Sprint(time.Duration(ms*int64(time.Millisecond)).Seconds(), " s")
	}
	return fmt.Sprint(ms, " ms")
}
