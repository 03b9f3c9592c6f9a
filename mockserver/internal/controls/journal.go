package controls

import (
	"context"

	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// ReadJournal answers with the entries that fit.
func (o operations) ReadJournal(
	_ context.Context, r controlapi.ReadJournalRequestObject,
) (controlapi.ReadJournalResponseObject, error) {
	filter, err := filterOf(r.Params)
	if err != nil {
		return nil, err
	}
	return controlapi.ReadJournal200JSONResponse(o.Journal.Page(filter, int(*r.Params.Limit))), nil
}

// filterOf returns the filter of the entries that a request asks for.
func filterOf(asked control.ReadJournalParams) (journal.Filter, error) {
	filter := journal.Filter{
		Node:      optional.Or(asked.Node, ""),
		Operation: optional.Or(asked.Operation, ""),
		Kind:      optional.Or(asked.Kind, ""),
		Answered:  optional.Or(asked.Answered, ""),
		After:     asked.After,
		Brief:     *asked.Detail == control.EntryDetailBrief,
	}
	if err := filter.Check(); err != nil {
		return filter, exchange.NewProblem(exchange.CodeInvalidParameter, "%v", err)
	}
	return filter, nil
}

// ReadEntry answers with one entry in full.
func (o operations) ReadEntry(
	_ context.Context, r controlapi.ReadEntryRequestObject,
) (controlapi.ReadEntryResponseObject, error) {
	entry, there := o.Journal.Entry(r.Sequence)
	if !there {
		counts := o.Journal.Counts()
		return nil, exchange.NewProblem(exchange.CodeUnknownEntry,
			"the journal has no entry %d: it ends with %d and keeps %d", r.Sequence, counts.Last, counts.Kept)
	}
	return controlapi.ReadEntry200JSONResponse(entry), nil
}

// ClearJournal empties the journal.
func (o operations) ClearJournal(
	context.Context, controlapi.ClearJournalRequestObject,
) (controlapi.ClearJournalResponseObject, error) {
	o.Journal.Clear()
	return controlapi.ClearJournal204Response{}, nil
}

// CheckExpectation answers whether an expectation is met, or will be in time.
func (o operations) CheckExpectation(
	ctx context.Context, r controlapi.CheckExpectationRequestObject,
) (controlapi.CheckExpectationResponseObject, error) {
	if wrong := journal.CheckExpectation(*r.Body); wrong != nil {
		return nil, exchange.ViolationProblem(wrong...)
	}
	ctx, cancel := exchange.In(ctx).UntilClosed(ctx)
	defer cancel()
	return controlapi.CheckExpectation200JSONResponse(o.Journal.Expect(ctx, *r.Body)), nil
}
