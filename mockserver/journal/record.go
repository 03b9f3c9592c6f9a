package journal

import (
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/masking"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// How many bytes of each part of an entry are kept.
const (
	maxName        = 128 // of a node, a correlation id, a method, a fault
	maxPath        = 1 << 10
	maxRemark      = 512
	maxHeaderValue = 512
	maxHeader      = 2 << 10 // of all headers of a request or answer
	maxBody        = 4 << 10
	maxDeparture   = 1 << 10 // of each of its texts
	maxDepartures  = 4 << 10
	maxSummary     = 1 << 10 // of what the control API did
)

// maxSearched is how many bytes of a body are searched for secrets that may turn up
// elsewhere. Those in what is kept are always found.
const maxSearched = 64 << 10

// MaxEntryBytes is how much memory an entry takes at most. One of a usual heartbeat
// takes 1 KB.
const MaxEntryBytes = 24 << 10

// record is a place for an entry. All its text is in one buffer, which is used again
// for the next entry in this place.
type record struct {
	sequence  int64
	kind      control.EntryKind
	at        time.Time
	operation control.Operation
	status    int
	took      time.Duration
	from, to  nodeapi.NodeStatus

	requestBytes, answerBytes int64 // of the bodies in full

	buffer []byte
	spans  [parts]span // of the parts in the buffer
	cut    bool        // whether some of a text was too long to be kept
	secret bool        // whether a header or a field carries secrets
}

type span struct{ start, end int32 }

// part is what some of a record's text is.
type part int

const (
	partNode part = iota
	partCorrelation
	partMethod
	partPath
	partQuery
	partRequestHeader
	partRequestBody
	partAnswerHeader
	partAnswerBody
	partFault
	partRemark
	partDepartures
	partAnswerDepartures
	partSummary
	parts
)

// begin makes a record the place for a new entry.
func (r *record) begin(sequence int64, kind control.EntryKind, at time.Time) {
	buffer := r.buffer[:0]
	if buffer == nil {
		buffer = make([]byte, 0, 1<<10)
	}
	*r = record{sequence: sequence, kind: kind, at: at, buffer: buffer}
}

func (r *record) exchange(e *Exchange) {
	r.operation, r.status, r.took = e.Operation, e.Status, e.Took
	r.requestBytes, r.answerBytes =
		int64(max(e.RequestBytes, len(e.RequestBody))), int64(max(e.AnswerBytes, len(e.AnswerBody)))
	r.texts(e, nil)
	if !r.secret && !r.cut && e.Query == "" {
		return
	}
	// There are hardly ever secrets where they do not belong, and one look at everything
	// costs less than one at each part.
	var room [masking.MaxSecrets]string
	found := e.secrets(room[:0])
	if len(found) > 0 && (r.cut || e.Query != "" || found.Full() || found.MayBeIn(r.buffer)) {
		r.buffer = r.buffer[:0]
		r.texts(e, found)
	}
}

// secrets appends those of an exchange.
func (e *Exchange) secrets(room masking.Secrets) masking.Secrets {
	found := room.OfHeader(e.RequestHeader).OfHeader(e.AnswerHeader).OfQuery(e.Query).OfPath(e.Path)
	request, answer := searched(e.RequestBody), searched(e.AnswerBody)
	if e.Vetted {
		found = found.OfURLs(request)
	} else {
		found = found.OfText(request)
	}
	if e.Relayed {
		return found.OfText(answer)
	}
	return found.OfURLs(answer)
}

func searched(body []byte) []byte { return body[:min(len(body), maxSearched)] }

func (r *record) texts(e *Exchange, secrets masking.Secrets) {
	r.id(partNode, e.Node, secrets)
	r.id(partCorrelation, e.CorrelationID, secrets)
	put(r, partMethod, e.Method, maxName, secrets)
	put(r, partPath, e.Path, maxPath, secrets)
	r.search(partPath)
	if e.Query != "" {
		put(r, partQuery, e.Query, maxPath, secrets)
		r.search(partQuery)
	}
	r.header(partRequestHeader, e.RequestHeader, secrets)
	put(r, partRequestBody, e.RequestBody, maxBody, secrets)
	if e.Vetted {
		r.searchURLs(partRequestBody)
	} else {
		r.search(partRequestBody)
		r.secret = masking.Behind(r.bytes(partRequestBody)) || r.secret
	}
	r.header(partAnswerHeader, e.AnswerHeader, secrets)
	put(r, partAnswerBody, e.AnswerBody, maxBody, secrets)
	if e.Relayed {
		r.search(partAnswerBody)
	} else {
		r.searchURLs(partAnswerBody)
	}
	r.id(partFault, e.Fault, secrets)
	put(r, partRemark, e.Remark, maxRemark, secrets)
	r.departures(partDepartures, e.Departures, secrets)
	r.departures(partAnswerDepartures, e.AnswerDepartures, secrets)
}

func (r *record) change(node nodeapi.NodeID, from, to nodeapi.NodeStatus) {
	r.from, r.to = from, to
	r.id(partNode, node, nil)
}

func (r *record) control(summary string) {
	put(r, partSummary, summary, maxSummary, nil)
}

// id keeps an id or a name, unless there is a secret in it: what is left is none any more.
func (r *record) id(p part, id string, secrets masking.Secrets) {
	start := len(r.buffer)
	if keep(r, id, maxName, secrets) {
		r.buffer = r.buffer[:start]
	}
	r.is(p, start)
}

// put keeps a part that is one text.
func put[T string | []byte](r *record, p part, text T, limit int, secrets masking.Secrets) {
	start := len(r.buffer)
	keep(r, text, limit, secrets)
	r.is(p, start)
}

// search masks the credentials in a part that it names as such.
func (r *record) search(p part) {
	if masking.Fields(r.bytes(p)) {
		r.secret = true
	}
}

// searchURLs masks the credentials in the URLs of a part.
func (r *record) searchURLs(p part) {
	if masking.URLs(r.bytes(p)) {
		r.secret = true
	}
}

// header keeps headers, as many as there is room for.
func (r *record) header(p part, header http.Header, secrets masking.Secrets) {
	begin := len(r.buffer)
	for name, values := range header {
		start := len(r.buffer)
		r.sized(name, maxName, secrets)
		r.values(name, values, secrets)
		if len(r.buffer)-begin > maxHeader {
			r.buffer, r.cut = r.buffer[:start], true
			break
		}
	}
	r.is(p, begin)
}

func (r *record) values(name string, values []string, secrets masking.Secrets) {
	start := r.open()
	for i, value := range values {
		if len(r.buffer)-start > maxHeaderValue {
			break
		}
		if i > 0 {
			r.buffer = append(r.buffer, ", "...)
		}
		common := masking.Common(name, value)
		if !common && masking.Carries(name, value) {
			r.secret = true
			r.hide(name, value)
			continue
		}
		from := len(r.buffer)
		keep(r, value, maxHeaderValue, secrets)
		search := masking.Fields
		if common {
			search = masking.URLs
		}
		if search(r.buffer[from:]) {
			r.secret = true
		}
	}
	r.close(start, maxHeaderValue)
}

// hide keeps how credentials are sent, and not the credentials.
func (r *record) hide(name, value string) {
	scheme := masking.Scheme(value)
	if name == "Authorization" {
		scheme = masking.AuthorizationScheme(value)
	}
	r.buffer = append(r.buffer, scheme...)
	if scheme == "" || scheme != value {
		r.buffer = append(r.buffer, masking.Hidden...)
	}
}

// departures keeps departures, as many as there is room for.
func (r *record) departures(p part, departures []drift.Departure, secrets masking.Secrets) {
	begin := len(r.buffer)
	for _, d := range departures {
		start := len(r.buffer)
		for _, text := range [...]string{d.Pointer, d.Kind, d.Expected, d.Got} {
			r.sized(text, maxDeparture, secrets)
		}
		if len(r.buffer)-begin > maxDepartures {
			r.buffer = r.buffer[:start]
			break
		}
	}
	r.is(p, begin)
}

// keep appends the first bytes of a text, with its secrets masked, and none of it if there are too
// many to look for. It reports whether there were any.
func keep[T string | []byte](r *record, text T, limit int, secrets masking.Secrets) (masked bool) {
	start := len(r.buffer)
	if secrets.Full() {
		r.buffer = append(r.buffer, masking.Hidden...)
		return true
	}
	// A secret that the limit cuts is to be recognised.
	r.buffer = append(r.buffer, text[:min(len(text), limit+masking.Recognised)]...)
	masked = secrets.Mask(r.buffer[start:])
	if len(r.buffer) > start+limit {
		r.buffer, r.cut = r.buffer[:start+limit], true
	}
	return masked
}

// sized appends a text so that next finds its end.
func (r *record) sized(text string, limit int, secrets masking.Secrets) {
	at := r.open()
	keep(r, text, limit, secrets)
	r.close(at, limit)
}

// open makes room for the size of a text, which close fills in.
func (r *record) open() int {
	r.buffer = append(r.buffer, 0, 0)
	return len(r.buffer)
}

func (r *record) close(start, limit int) {
	if len(r.buffer) > start+limit {
		r.buffer, r.cut = r.buffer[:start+limit], true
	}
	binary.BigEndian.PutUint16(r.buffer[start-2:], uint16(len(r.buffer)-start))
}

// next returns the first of some sized texts, and the others.
func next(texts []byte) (string, []byte) {
	end := 2 + int(binary.BigEndian.Uint16(texts))
	return valid(texts[2:end]), texts[end:]
}

// is says what the text from start on is.
func (r *record) is(p part, start int) {
	r.spans[p] = span{int32(start), int32(len(r.buffer))}
}

// bytes returns a part, which belongs to the record.
func (r *record) bytes(p part) []byte {
	return r.buffer[r.spans[p].start:r.spans[p].end]
}

// text returns a part as text that can be put into JSON.
func (r *record) text(p part) string {
	return valid(r.bytes(p))
}

func valid(text []byte) string {
	return strings.ToValidUTF8(string(text), "\uFFFD")
}

// copy makes a record a copy of another.
func (r *record) copy(from *record) {
	buffer := append(r.buffer[:0], from.buffer...)
	*r = *from
	r.buffer = buffer
}
