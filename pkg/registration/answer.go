package registration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const (
	// maxAnswer is how much of an answer is read; those of the protocol take a
	// few hundred bytes.
	maxAnswer = 64 << 10
	// maxRetryAfter is the longest Retry-After that is obeyed: a server that asks for
	// a day must not take a node out for one.
	maxRetryAfter = time.Minute
)

// understand reads the body of a 2xx answer. It returns the outcome with its verdict, and
// what is wrong with the body.
func (o outcome) understand(op operation, body []byte) (outcome, string) {
	switch {
	case op == registering:
		return o.understandRegister(body)
	case op == beating && o.status != http.StatusNoContent:
		return o.understandHeartbeat(body)
	}
	return o, ""
}

func (o outcome) understandRegister(body []byte) (outcome, string) {
	var answer nodeapi.RegisterResponse
	if _, err := decode(body, &answer); err != nil {
		o.verdict = failed
		return o, "unreadable: " + err.Error()
	}
	if o.status != http.StatusOK {
		o.verdict = failed
		return o, "not an answer to a registration"
	}
	if answer.Success {
		return o, ""
	}
	// Only a stated false is a rejection. A body without the field is not from orchestratord.
	stated := nodeapi.RegisterResponse{Success: true}
	if _, _ = decode(body, &stated); stated.Success {
		o.verdict = failed
		return o, "not an answer to a registration"
	}
	o.verdict, o.noRecord = refused, true
	return o, "rejected: " + answer.Message
}

func (o outcome) understandHeartbeat(body []byte) (outcome, string) {
	var answer nodeapi.HeartbeatResponse
	number, err := decode(body, &answer)
	switch {
	case err != nil:
		o.verdict = failed
		return o, "unreadable: " + err.Error()
	case !answer.Success:
		o.verdict = failed
		return o, "not taken"
	}
	ms := float64(answer.NextHeartbeatMs)
	if number != "" {
		ms, _ = strconv.ParseFloat(number, 64) // 0 for what is no number, infinite for what is too large
	}
	o.nextBeat = clampInterval(ms)
	return o, ""
}

// decode reads the fields of a body that have the expected types, and leaves out the others.
// JSON allows integers such as 1e4 and 10000.0, which Go does not take: decode returns the
// first one as text.
func decode(body []byte, into any) (number string, err error) {
	err = json.Unmarshal(unmarked(body), into)
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && mismatch.Field != "" {
		number, _ = strings.CutPrefix(mismatch.Value, "number ")
		return number, nil
	}
	return "", err
}

// isObject reports whether a body is a JSON object. All bodies of the protocol are; the
// error page of a router is not.
func isObject(body []byte) bool {
	body = unmarked(body)
	return json.Valid(body) && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{"))
}

// unmarked returns a body without the byte order mark that some servers begin it with.
func unmarked(body []byte) []byte { return bytes.TrimPrefix(body, []byte("\ufeff")) }

// explain returns the code and the reason in an answer that is no success. The reason
// names the configured URL where that may be wrong.
func (l *link) explain(op operation, r *http.Response, body []byte, whole bool) (code, detail string) {
	code, detail = problem(body)
	if code != "" {
		return code, detail
	}
	// Only whole plain text is repeated. Elsewhere an escaped or truncated token could
	// pass unredacted.
	stated := r.Header.Get("Content-Type")
	kind, _, _ := mime.ParseMediaType(stated)
	if whole && (kind == "text/plain" || stated == "") && !isObject(body) {
		detail = strings.TrimSpace(string(body))
	}
	switch to, err := r.Location(); {
	case r.StatusCode == http.StatusNotFound && op == registering:
		detail = "is " + l.api.Server + " the base URL of an orchestratord? " + detail
	case r.StatusCode/100 == 3 && err == nil:
		// The unescaped path, so that a token in it is redacted; user and query are often secret.
		detail = "it redirects to " + to.Scheme + "://" + to.Host + to.Path +
			", which is not followed: check the orchestratord URL"
	}
	return "", detail
}

// problem reads the reason from a JSON body: problem details, a message, or an error.
func problem(body []byte) (code, detail string) {
	var details nodeapi.Problem
	_, _ = decode(body, &details)
	detail = details.Detail
	for i, v := range optional.Or(details.Errors, nil) {
		if i == 0 && strings.Contains(details.Detail, v.Pointer) && strings.Contains(details.Detail, v.Detail) {
			continue // which the detail often repeats; of another it may have parts alone
		}
		detail += fmt.Sprintf("; %s %s", v.Pointer, v.Detail)
	}
	if detail == "" {
		detail = reasonOf(unmarked(body), 2)
	}
	return string(details.Code), strings.TrimPrefix(detail, "; ")
}

// reasonOf reads the reason from JSON of other servers. It follows up to depth nested objects.
func reasonOf(body []byte, depth int) string {
	var said struct {
		Message, Error, Reason, Title json.RawMessage
	}
	_ = json.Unmarshal(body, &said)
	for _, value := range []json.RawMessage{said.Message, said.Error, said.Reason, said.Title} {
		var text string
		_ = json.Unmarshal(value, &text)
		if depth > 0 && isObject(value) {
			text = reasonOf(value, depth-1)
		}
		if text != "" {
			return text
		}
	}
	return ""
}

// readAnswer reads at most maxAnswer bytes of a body and closes it, so that the connection
// can be used again. A body that states its length, as nearly all do, takes no more memory
// than that.
func readAnswer(r *http.Response) ([]byte, error) {
	defer r.Body.Close()
	if r.ContentLength > 0 && r.ContentLength <= maxAnswer {
		body := make([]byte, r.ContentLength)
		n, err := io.ReadFull(r.Body, body)
		return body[:n], err
	}
	return io.ReadAll(io.LimitReader(r.Body, maxAnswer))
}

// retryAfter reads a Retry-After header, in seconds or as a date. A date is compared with
// the server's Date header, if there is one: our own clock may be wrong.
func retryAfter(header http.Header) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(text, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return clamp(seconds, time.Second, 0, maxRetryAfter)
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(date.Sub(now), 0), maxRetryAfter)
}

// clampInterval keeps what orchestratord directs within sane bounds; 0 when it
// directs nothing.
func clampInterval(ms float64) time.Duration {
	if !(ms > 0) {
		return 0
	}
	return clamp(ms, time.Millisecond, minInterval, maxInterval)
}

// clamp returns a number of units as a duration within bounds. NaN counts as the least.
func clamp(number float64, unit, least, most time.Duration) time.Duration {
	if math.IsNaN(number) || number < float64(least)/float64(unit) {
		return least
	}
	return time.Duration(min(number*float64(unit), float64(most)))
}
