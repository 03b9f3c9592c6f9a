package mockserver

import (
	"context"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// ReadJournal answers with the entries that fit.
func (c controls) ReadJournal(_ context.Context, r controlapi.ReadJournalRequestObject) (controlapi.ReadJournalResponseObject, error) {
	filter := journal.Filter{
		Node:      valueOr(r.Params.Node, ""),
		Operation: valueOr(r.Params.Operation, ""),
		Kind:      valueOr(r.Params.Kind, ""),
		Answered:  valueOr(r.Params.Answered, ""),
		After:     r.Params.After,
		Brief:     *r.Params.Detail == control.ReadJournalParamsDetailBrief,
	}
	if err := filter.Check(); err != nil {
		return nil, newProblem(codeInvalidParameter, "%v", err)
	}
	return controlapi.ReadJournal200JSONResponse(c.journal.Page(filter, int(*r.Params.Limit))), nil
}

// ReadEntry answers with one entry in full.
func (c controls) ReadEntry(_ context.Context, r controlapi.ReadEntryRequestObject) (controlapi.ReadEntryResponseObject, error) {
	entry, there := c.journal.Entry(r.Sequence)
	if !there {
		counts := c.journal.Counts()
		return nil, newProblem(codeUnknownEntry, "the journal has no entry %d: it ends with %d and keeps %d",
			r.Sequence, counts.Last, counts.Kept)
	}
	return controlapi.ReadEntry200JSONResponse(entry), nil
}

// ClearJournal empties the journal.
func (c controls) ClearJournal(context.Context, controlapi.ClearJournalRequestObject) (controlapi.ClearJournalResponseObject, error) {
	c.journal.Clear()
	return controlapi.ClearJournal204Response{}, nil
}

// CheckExpectation answers whether an expectation is met, or will be in time.
func (c controls) CheckExpectation(ctx context.Context, r controlapi.CheckExpectationRequestObject) (controlapi.CheckExpectationResponseObject, error) {
	if wrong := journal.CheckExpectation(*r.Body); wrong != nil {
		return nil, violationProblem(wrong)
	}
	ctx, cancel := c.untilClosed(ctx)
	defer cancel()
	return controlapi.CheckExpectation200JSONResponse(c.journal.Expect(ctx, *r.Body)), nil
}
