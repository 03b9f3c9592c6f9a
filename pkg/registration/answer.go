package registration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const (
	// maxAnswer is how much of an answer is read; those of the protocol take a
	// few hundred bytes.
	maxAnswer = 64 << 10
	// maxRetryAfter bounds what a Retry-After is obeyed for: a server that says
	// a day must not take a node out for one.
	maxRetryAfter = time.Minute
	// maxCode and maxDetail bound what an error repeats of an answer.
	maxCode, maxDetail = 64, 1024
)

// problem reads as much as there is of problem details.
func problem(body []byte) (code, detail string) {
	var details nodeapi.Problem
	if json.Unmarshal(body, &details) != nil {
		return "", ""
	}
	detail = details.Detail
	if details.Errors != nil {
		for _, v := range *details.Errors {
			detail += fmt.Sprintf("; %s %s", v.Pointer, v.Detail)
		}
	}
	return string(details.Code), detail
}

// newError returns the error of a request that was sent with a token. What it
// repeats is bounded and redacted: a server may echo what it was sent.
func newError(op operation, status int, token, code, detail string) *Error {
	clean := func(text string, room int) string {
		if token != "" {
			text = strings.ReplaceAll(text, token, "[token]")
		}
		if len(text) > room {
			text = strings.ToValidUTF8(text[:room], "") + "…"
		}
		return text
	}
	return &Error{Op: string(op), StatusCode: status, Code: clean(code, maxCode), Detail: clean(detail, maxDetail)}
}

// readAnswer reads and closes a body, so that the connection can be used again,
// but no more of it than an answer of the protocol can have. One that tells its
// length, as nearly all do, takes no more memory than that.
func readAnswer(r *http.Response) ([]byte, error) {
	defer r.Body.Close()
	if r.ContentLength > 0 && r.ContentLength <= maxAnswer {
		body := make([]byte, r.ContentLength)
		n, err := io.ReadFull(r.Body, body)
		return body[:n], err
	}
	return io.ReadAll(io.LimitReader(r.Body, maxAnswer))
}

// retryAfter reads a Retry-After header, in seconds or as a date. A date is held
// against the server's own clock, where it tells it: ours may go wrong.
func retryAfter(header http.Header) time.Duration {
	text, wait := header.Get("Retry-After"), time.Duration(0)
	if seconds, err := strconv.Atoi(text); err == nil {
		wait = time.Duration(min(max(seconds, 0), int(maxRetryAfter/time.Second))) * time.Second
	} else if date, err := http.ParseTime(text); err == nil {
		now, err := http.ParseTime(header.Get("Date"))
		if err != nil {
			now = time.Now()
		}
		wait = date.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// clampInterval keeps what orchestratord directs within sane bounds; 0 when it
// directs nothing.
func clampInterval(ms int64) time.Duration {
	if ms <= 0 {
		return 0
	}
	return max(min(time.Duration(min(ms, maxInterval.Milliseconds()))*time.Millisecond, maxInterval), minInterval)
}
