package registration

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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

// explain says what is wrong in the words of an answer that is no success: its
// problem details, or its plain text. Where the fault may lie in our URL it says so.
func (l *link) explain(op operation, r *http.Response, body []byte, whole bool) (code, detail string) {
	if code, detail = problem(body); code != "" || detail != "" {
		return code, detail
	}
	// In another kind of text a token could be escaped, and in one that was cut it
	// could be there in part: neither would be redacted.
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); whole && kind == "text/plain" {
		detail = string(body)
	}
	switch to, err := r.Location(); {
	case r.StatusCode == http.StatusNotFound && op == registering:
		detail = "is " + l.api.Server + " the base URL of an orchestratord? " + detail
	case r.StatusCode/100 == 3 && err == nil:
		// The path as it was before it was escaped, and nothing that is often secret.
		detail = "it redirects to " + to.Scheme + "://" + to.Host + to.Path + ", which is not followed: check the orchestratord URL"
	}
	return "", detail
}

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
// repeats is bounded, on one line and redacted: a server may echo what it was sent.
func newError(op operation, status int, token, code, detail string) *Error {
	clean := func(text string, room int) string {
		text = strings.Join(strings.FieldsFunc(text, unprintable), " ")
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

func unprintable(r rune) bool {
	return r == ' ' || r == utf8.RuneError || !unicode.IsPrint(r)
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
