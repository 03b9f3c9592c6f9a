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

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const (
	// maxAnswer is how much of an answer is read; those of the protocol take a
	// few hundred bytes.
	maxAnswer = 64 << 10
	// maxRetryAfter bounds what a Retry-After is obeyed for: a server that says
	// a day must not take a node out for one.
	maxRetryAfter = time.Minute
)

// understand reads the body of a success, and returns what is wrong with it.
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
	stated := nodeapi.RegisterResponse{Success: true}
	if _, err := decode(body, &stated); err != nil || stated.Success {
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
	o.nextBeat = clampInterval(float64(answer.NextHeartbeatMs))
	if ms, err := strconv.ParseFloat(number, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		o.nextBeat = clampInterval(ms)
	}
	return o, ""
}

// decode reads as much of a body as has the types of the document. It returns the first
// number that is none of Go's integers, such as 1e4 or 10000.0, which JSON allows.
func decode(body []byte, into any) (number string, err error) {
	if err = json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), into); err == nil {
		return "", nil
	}
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) && mismatch.Field != "" {
		number, _ = strings.CutPrefix(mismatch.Value, "number ")
		return number, nil
	}
	return "", err
}

// isObject reports whether a body is a JSON object, as all bodies of the protocol are. A
// router's page is not.
func isObject(body []byte) bool {
	return json.Valid(body) && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{"))
}

// explain says what is wrong in the words of an answer that is no success. Where the fault
// may lie in our URL it says so.
func (l *link) explain(op operation, r *http.Response, body []byte, whole bool) (code, detail string) {
	code, detail = problem(body)
	if code != "" {
		return code, detail
	}
	// In another kind of text a token could be escaped, and in one that was cut it
	// could be there in part: neither would be redacted.
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if detail == "" && whole && (kind == "text/plain" || kind == "") && !isObject(body) {
		detail = strings.TrimSpace(string(body))
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

// problem reads the reason from a JSON body: problem details, a message, or an error.
func problem(body []byte) (code, detail string) {
	var details nodeapi.Problem
	if _, err := decode(body, &details); err != nil {
		return "", ""
	}
	detail = details.Detail
	if details.Errors != nil {
		for _, v := range *details.Errors {
			detail += fmt.Sprintf("; %s %s", v.Pointer, v.Detail)
		}
	}
	if detail == "" {
		detail = reasonOf(body, 2)
	}
	return string(details.Code), detail
}

// reasonOf reads the reason from JSON as other servers write it, some objects deep.
func reasonOf(body []byte, depth int) string {
	var said struct {
		Message, Error, Reason, Title json.RawMessage
	}
	_ = json.Unmarshal(body, &said)
	for _, value := range []json.RawMessage{said.Message, said.Error, said.Reason, said.Title} {
		var text string
		if json.Unmarshal(value, &text) == nil && text != "" {
			return text
		}
		if depth > 0 && isObject(value) {
			return reasonOf(value, depth-1)
		}
	}
	return ""
}

// readAnswer reads and closes a body, so that the connection can be used again,
// but no more of it than an answer of the protocol can have. One that states its
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
// against the server's own clock, where it shows it: ours may go wrong.
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

// clamp returns a number of units as a duration within bounds, the least for what is no number.
func clamp(number float64, unit, least, most time.Duration) time.Duration {
	if math.IsNaN(number) || number < float64(least)/float64(unit) {
		return least
	}
	return time.Duration(min(number*float64(unit), float64(most)))
}
