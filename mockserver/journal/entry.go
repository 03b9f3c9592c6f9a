package journal

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/llama-orch/node-registration/internal/exactjson"
	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/internal/plural"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// entry returns what a record holds, as the API describes it.
func (r *record) entry(brief bool) control.JournalEntry {
	e := control.JournalEntry{
		Sequence: r.sequence,
		AtMs:     r.at.UnixMilli(),
		Kind:     r.kind,
		Summary:  foreign.Cut(r.summary(), maxSummary),
		NodeID:   optional.Stated(r.text(partNode)),
		Fault:    optional.Stated(r.text(partFault)),
	}
	switch r.kind {
	case control.EntryKindChange:
		e.Change = &control.Transition{AtMs: e.AtMs, From: optional.Stated(r.from), To: optional.Stated(r.to)}
	case control.EntryKindExchange:
		e.Operation = optional.Stated(r.operation)
		e.CorrelationID = optional.Stated(r.text(partCorrelation))
		e.DurationUs = new(max(r.took.Microseconds(), 0))
		e.Request = &control.RequestRecord{
			Method: r.text(partMethod), Path: r.text(partPath), Query: optional.Stated(r.text(partQuery)),
		}
		e.Answer = &control.AnswerRecord{Status: optional.Stated(int32(r.status))}
		e.Content = optional.Stated(r.content())
		e.Departures = r.departureView(partDepartures)
		e.AnswerDepartures = r.departureView(partAnswerDepartures)
		if !brief {
			e.Request.Header = headerView(r.bytes(partRequestHeader))
			e.Request.Body = r.body(partRequestBody, r.requestBytes)
			e.Answer.Header = headerView(r.bytes(partAnswerHeader))
			e.Answer.Body = r.body(partAnswerBody, r.answerBytes)
		}
	}
	return e
}

func (r *record) body(p part, size int64) *control.BodyRecord {
	if size == 0 {
		return nil
	}
	return &control.BodyRecord{Text: r.text(p), Bytes: size}
}

// headerView returns headers by name.
func headerView(texts []byte) *control.HeaderRecord {
	header := control.HeaderRecord{}
	for len(texts) > 0 {
		var name, value string
		name, texts = next(texts)
		value, texts = next(texts)
		header[name] = value
	}
	return &header
}

func (r *record) departureView(p part) *[]control.Departure {
	var departures []control.Departure
	for texts := r.bytes(p); len(texts) > 0; {
		d := control.Departure{Operation: r.operation}
		if p == partAnswerDepartures {
			d.Status = optional.Stated(int32(r.status))
		}
		for _, text := range []*string{&d.Pointer, &d.Kind, &d.Expected, &d.Got} {
			*text, texts = next(texts)
		}
		departures = append(departures, d)
	}
	if departures == nil {
		return nil
	}
	return &departures
}

// summary describes a record in one line.
func (r *record) summary() string {
	switch r.kind {
	case control.EntryKindControl:
		return r.text(partSummary)
	case control.EntryKindChange:
		return words(r.text(partNode), string(r.from), "→", cmp.Or(string(r.to), "gone"))
	}
	what := string(r.operation)
	if what == "" {
		what = words(r.text(partMethod), r.text(partPath))
	}
	return words(what, r.text(partNode), r.outcome(), r.remarks())
}

// outcome describes how a request was answered: for a problem, which one and where.
func (r *record) outcome() string {
	if r.status == 0 {
		return "no answer"
	}
	outcome := fmt.Sprint(r.status)
	problem, wrong := r.problem()
	outcome = words(outcome, string(problem.Code))
	if len(wrong) == 0 {
		return outcome
	}
	outcome = words(outcome, "at", cmp.Or(wrong[0].Pointer, "the top"))
	if more := len(wrong) - 1; more > 0 {
		outcome += fmt.Sprintf(" and %d more", more)
	}
	return outcome
}

// problem returns the problem that a refusal was answered with, as far as it was kept and can be
// read, and its violations.
func (r *record) problem() (problem nodeapi.Problem, wrong []nodeapi.Violation) {
	if r.status < http.StatusBadRequest || exactjson.Unmarshal(whole(r.bytes(partAnswerBody)), &problem) != nil {
		return nodeapi.Problem{}, nil
	}
	return problem, optional.Or(problem.Errors, nil)
}

// remarks describes what is out of the ordinary with a request that was answered.
func (r *record) remarks() string {
	var remarks []string
	if fault := r.text(partFault); fault != "" {
		remarks = append(remarks, "fault "+fault)
	}
	if remark := r.text(partRemark); remark != "" {
		remarks = append(remarks, remark)
	}
	if departures := r.departureView(partDepartures); departures != nil && r.status < http.StatusBadRequest {
		remarks = append(remarks, plural.Count(len(*departures), "departure"))
	}
	if departures := r.departureView(partAnswerDepartures); departures != nil {
		remarks = append(remarks, plural.Count(len(*departures), "departure")+" of the answer")
	}
	if remarks == nil {
		return ""
	}
	return "(" + strings.Join(remarks, ", ") + ")"
}

// words joins those words that are not empty.
func words(all ...string) string {
	var some []string
	for _, word := range all {
		if word != "" {
			some = append(some, word)
		}
	}
	return strings.Join(some, " ")
}
