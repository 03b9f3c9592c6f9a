package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

const (
	// hugeBody is a size in bytes that most orchestratords refuse: twice what the one in service
	// takes.
	hugeBody = 4 << 20
	// hugeTries is how often a huge body is sent. One try is not enough, since a connection that is
	// closed before all of the body has come may lose the answer on its way.
	hugeTries = 3
)

// exceed sends a body that orchestratord may take, but has to answer. A node gives up a call that
// is answered 413, and repeats one without an answer.
func (r *resident) exceed(ctx context.Context, op *operation) {
	if !r.carries(duplex) {
		return // who writes on when the answer has come may lose it
	}
	c := call{op: op, node: r.id, line: duplex, body: enlarged(r.plainBody(op), hugeBody)}
	what := fmt.Sprintf("a body of %d bytes", hugeBody)
	r.keepFirst(2)
	r.cover(op, "", what, true)
	a, err := r.persistently(ctx, c)
	if err == nil {
		r.judge(a)
	}
	switch {
	case r.reason() != nil:
	case err == nil && a.status != op.success():
		r.judgeRefusal(ctx, a, what, http.StatusRequestEntityTooLarge)
		return
	case isRefusal(err):
	case err != nil && !errors.Is(err, errLate): // which a slow line explains
		r.find(Nodes, op, "answer with "+what, "one, such as 413", "none: "+err.Error())
	}
	r.restore(ctx)
}

// largeField is the unknown field of a large body.
const largeField = "x-large"

// enlarged returns an object in JSON with largeField added, which has a text of so many bytes. That is the only field
// where the document says nothing of the body.
func enlarged(object []byte, size int) []byte {
	begin := []byte("{")
	if fields, is := bytes.CutSuffix(object, []byte("}")); is && len(fields) > len(begin) {
		begin = append(slices.Clip(fields), ',')
	}
	return slices.Concat(begin, []byte(`"`+largeField+`":"`), bytes.Repeat([]byte("l"), size), []byte(`"}`))
}

// persistently makes a call until there is an answer, or no hope for one.
func (r *resident) persistently(ctx context.Context, c call) (a *answer, err error) {
	for range hugeTries {
		if a, err = r.ask(ctx, c); err == nil || errors.Is(err, errLate) {
			break
		}
	}
	return a, err
}
