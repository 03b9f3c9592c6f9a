package conformance

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// correlationHeader ties a call to its answer.
const correlationHeader = "X-Correlation-Id"

// judge checks the status, the header and the body of an answer against the document.
func (s *session) judge(a *answer) {
	if a.long {
		most := fmt.Sprintf("%d bytes at most, which is what a node reads", maxAnswer)
		s.find(Nodes, a.op, "length of the body", most, "more")
		return
	}
	if len(s.prober.token) >= telling && leaks(a, s.prober.token) {
		s.find(Nodes, a.op, "secrecy", "an answer without the token", "the token")
	}
	s.judgeLength(a)
	s.judgeCaching(a)
	if !s.judgeCoding(a) {
		return
	}
	response := a.op.responses[a.status]
	if response == nil {
		return // whoever made the call knows what was to come
	}
	level := Nodes // of what is wrong with a success
	if a.status/100 != 2 {
		level = Document
	}
	s.judgeHeader(a, response, level)
	s.judgeCorrelation(a)
	if len(response.Content) == 0 {
		if len(a.body) > 0 {
			s.find(level, a.op, at(a, "body"), "none", excerpt(a.body))
		}
		return
	}
	s.judgeUnlessKnown(a, response, level)
}

// judgeUnlessKnown judges a body, or the part of it that is new since the last sound answer.
func (s *session) judgeUnlessKnown(a *answer, response *openapi3.Response, level Level) {
	last, before := s.soundBefore(a), len(s.found)
	switch {
	case last != nil && bytes.Equal(last.body, a.body):
		a.listed = last.listed
		return
	case last == nil || !s.judgeNews(a, last.listed):
		s.judgeBody(a, response, level)
	}
	if len(s.found) == before {
		s.keep(a)
	}
}

// soundBefore returns the last success of the operation in which nothing was found, nil if that had another status
// or content type. The list is often asked for to see that nothing, or little, has changed.
func (r *run) soundBefore(a *answer) *answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.sound[a.op]
	if last == nil || last.status != a.status || !slices.Equal(last.header["Content-Type"], a.header["Content-Type"]) {
		return nil
	}
	return last
}

// keep keeps a success in which nothing was found.
func (r *run) keep(a *answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.status/100 == 2 {
		r.sound[a.op] = a
	}
}

// telling is the shortest token, in bytes, that leaks looks for. Shorter ones may come up
// in an answer by chance.
const telling = 8

// leaks reports whether an answer repeats the token (CLOUD-4013).
func leaks(a *answer, token string) bool {
	has := func(text string) bool { return strings.Contains(text, token) }
	for name, values := range a.header {
		if has(name) || slices.ContainsFunc(values, has) {
			return true
		}
	}
	return bytes.Contains(a.body, []byte(token))
}

// judgeCoding reports a compression that the request did not ask for. It decompresses the
// body if it can, so that other checks do not report a broken body as well.
func (s *session) judgeCoding(a *answer) (readable bool) {
	coding := a.header.Get("Content-Encoding")
	if coding == "" || strings.EqualFold(coding, "identity") {
		return true
	}
	s.find(Nodes, a.op, "header Content-Encoding", "none, as the call asked for none", strconv.Quote(coding))
	var plain io.Reader
	switch strings.ToLower(coding) {
	case "gzip":
		reader, err := gzip.NewReader(bytes.NewReader(a.body))
		if err != nil {
			return false
		}
		plain = reader
	case "deflate":
		plain = flate.NewReader(bytes.NewReader(a.body))
	default:
		return false
	}
	body, err := io.ReadAll(io.LimitReader(plain, maxList))
	a.body = body
	return err == nil
}

// judgeHeader checks the headers that the document declares against their schemas.
func (s *session) judgeHeader(a *answer, response *openapi3.Response, level Level) {
	for name, header := range response.Headers {
		place := at(a, "header "+name)
		values := a.header.Values(name)
		switch {
		case len(values) == 0 && header.Value.Required:
			s.find(level, a.op, place, "one", "none")
			continue
		case len(values) == 0:
			s.find(Document, a.op, place, "one", "none")
			continue
		case len(values) > 1:
			s.find(level, a.op, place, "one", fmt.Sprintf("%d", len(values)))
		}
		value := any(values[0])
		if schema := flat(header.Value.Schema.Value); schema.is("integer") {
			if number, err := strconv.ParseFloat(values[0], 64); err == nil {
				value = number
			}
		}
		if err := header.Value.Schema.Value.VisitJSON(value, openapi3.MultiErrors()); err != nil {
			held := level
			if a.badEcho {
				held = Document // no node minds that its id comes back
			}
			for _, broken := range violations(err) {
				s.find(held, a.op, place, broken.expected, strconv.Quote(short(values[0])))
			}
		}
	}
}

// judgeCorrelation checks that an answer echoes the correlation id of its call, or has one that no
// answer before it had. It counts at level Document only, because nodes use the id that they sent.
func (s *session) judgeCorrelation(a *answer) {
	sent, got := a.call.header.Get(correlationHeader), a.header.Get(correlationHeader)
	switch {
	case a.badEcho, got == "": // judgeHeader reports one that is missing
	case sent != "" && got != sent:
		s.find(Document, a.op, "header "+correlationHeader, "the one that was sent", strconv.Quote(short(got)))
	case sent == "" && !s.isNew(got):
		s.find(Document, a.op, "header "+correlationHeader, "one made up for this call",
			strconv.Quote(short(got))+" once more")
	}
}

// isNew reports whether orchestratord has not made up this correlation id before.
func (r *run) isNew(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.madeUp[id]
	r.madeUp[id] = true
	return !known
}

// judgeBody checks a body against its media type and schema, and decodes it with the code
// of a node.
func (s *session) judgeBody(a *answer, response *openapi3.Response, level Level) {
	media, parameters, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	content := response.Content.Get(media)
	if charset := strings.ToLower(parameters["charset"]); charset != "" && charset != "utf-8" {
		s.find(Document, a.op, at(a, "header Content-Type"), "no charset but UTF-8", strconv.Quote(short(charset)))
	}
	if types := a.header.Values("Content-Type"); len(types) > 1 {
		s.find(level, a.op, at(a, "header Content-Type"), "one", strconv.Itoa(len(types)))
	}
	if err != nil || content == nil {
		for expected := range response.Content {
			s.find(level, a.op, at(a, "header Content-Type"), expected,
				strconv.Quote(short(a.header.Get("Content-Type"))))
			content = response.Content[expected]
		}
		if level == Document {
			return
		}
	}
	value, err := any(string(a.body)), error(nil)
	if strings.HasSuffix(media, "json") {
		value, err = parse(a.body)
	}
	if err != nil {
		s.find(level, a.op, at(a, "body"), "JSON", err.Error()+excerpt(a.body))
		return
	}
	if err := content.Schema.Value.VisitJSON(value, openapi3.MultiErrors(), openapi3.VisitAsResponse()); err != nil {
		for _, broken := range violations(err) {
			s.find(level, a.op, at(a, "body"+broken.place), broken.expected, broken.got)
		}
		return
	}
	if level == Document {
		s.judgeProblem(a, content.Example)
		return
	}
	s.judgeMeaning(a, content.Schema.Value)
}

// problemMedia is the content type of problem details, RFC 9457.
const problemMedia = "application/problem+json"

// judgeProblem checks that problem details agree with the answer that carries them. The
// document's example shows the code and type of a refusal. A failure may have several causes.
func (s *session) judgeProblem(a *answer, example any) {
	if media, _, _ := mime.ParseMediaType(a.header.Get("Content-Type")); media != problemMedia {
		return
	}
	var problem nodeapi.Problem
	if err := json.Unmarshal(a.body, &problem); err != nil {
		s.find(Document, a.op, at(a, "body"), "problem details", err.Error())
		return
	}
	if int(problem.Status) != a.status {
		s.find(Document, a.op, at(a, "body/status"), strconv.Itoa(a.status), strconv.Itoa(int(problem.Status)))
	}
	shown, _ := example.(map[string]any)
	for _, field := range []struct{ name, got string }{{"code", string(problem.Code)}, {"type", problem.Type}} {
		if want, ok := shown[field.name].(string); ok && a.status < 500 && field.got != want {
			s.find(Document, a.op, at(a, "body/"+field.name), want, short(field.got))
		}
	}
	if id := a.header.Get(correlationHeader); !strings.Contains(problem.Instance, id) {
		s.find(Document, a.op, at(a, "body/instance"), "the correlation id of the answer",
			short(problem.Instance)+", not "+short(id))
	}
}

// at names a place of an answer with a status.
func at(a *answer, place string) string { return fmt.Sprintf("%d %s", a.status, place) }

// excerpt returns the beginning of a body, to follow other text.
func excerpt(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	const enough = 1 << 10 // more than short leaves
	return " " + strconv.Quote(short(string(body[:min(len(body), enough)])))
}

func excerptOf(value any) string { return short(string(encode(value))) }

// short cuts a text that is long.
func short(text string) string { return foreign.Cut(text, 120) }
