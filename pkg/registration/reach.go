package registration

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"
)

// reach tells how far a request got. The transport says so: the errors of a name that is
// unknown, a proxy that is down and a certificate that is not trusted have little in common.
type reach struct {
	wanted, had atomic.Bool // a connection
}

// watch returns the context of a request to be watched.
func watch(ctx context.Context) (context.Context, *reach) {
	r := &reach{}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { r.wanted.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { r.had.Store(true) },
	}), r
}

// nobody reports that the request cannot have been sent, for want of a connection. Of a
// transport that tells nothing, or of a request that is not watched, it is not known.
func (r *reach) nobody() bool { return r != nil && r.wanted.Load() && !r.had.Load() }
