package conformance

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// sendBroken breaks each rule once. Orchestratord has to refuse the request with a
// status that the document declares, and its registry must not change. At level Nodes it
// leaves out requests that would leave a broken record if they were accepted.
func sendBroken(ctx context.Context, s *session) {
	r := s.settle(ctx)
	if r == nil {
		return
	}
	for _, id := range []string{opRegister, opHeartbeat} {
		r.breakForm(ctx, s.doc.operation(id))
		r.exceed(ctx, s.doc.operation(id))
		r.breakRules(ctx, s.doc.operation(id))
	}
	if s.options.Level == Document {
		s.otherMethods(ctx)
		r.unfitNames(ctx)
	}
	r.leave(ctx, r.id)
}

// elsewhere is a body with every field that is not what the node has registered. Whatever a refusal
// keeps of it shows in the list.
func (r *resident) elsewhere(op *operation) any {
	body := op.whole
	if op.id != opRegister {
		return body
	}
	var other map[string]any
	_ = json.Unmarshal(encode(registrationOf(step{act: comesFrom}, r.id)), &other) // which was encoded here
	for name, value := range other {
		body = with(body, pointer{name}, value)
	}
	return body
}

// plainBody is a body of an operation with nothing special about it.
func (r *resident) plainBody(op *operation) []byte {
	if op.id == opRegister {
		return r.plainRegister(r.id)
	}
	return r.plainBeat()
}

// brokenForm is a body that is not what the media type says.
type brokenForm struct {
	what   string
	level  Level // at which it must not be accepted
	body   []byte
	media  string
	coding string
	status int // that the document has for it
}

// brokenForms are bodies that are not JSON, or that are not declared as JSON.
func (r *resident) brokenForms(op *operation) []brokenForm {
	body := r.elsewhere(op)
	plain := encode(body)
	const media = http.StatusUnsupportedMediaType
	forms := []brokenForm{
		{"a body that is cut off", Nodes, plain[:len(plain)/2], op.media, "", http.StatusBadRequest},
		{"a body that is no JSON", Nodes, []byte("node"), op.media, "", http.StatusBadRequest},
		{"a body without its last character", Document, plain[:len(plain)-1], op.media, "", http.StatusBadRequest},
		{"a body in single quotes", Document, singly(plain), op.media, "", http.StatusBadRequest},
		{"an empty body", Nodes, []byte{}, op.media, "", http.StatusBadRequest},
		{"a body that is not UTF-8", Document, notUTF8(op, body), op.media, "", http.StatusBadRequest},
		{"two bodies in one", Document, append(slices.Clone(plain), plain...), op.media, "", http.StatusBadRequest},
		{"another media type", Document, plain, "text/plain", "", media},
		{"no media type", Document, plain, "", "", media},
		{"a charset other than UTF-8", Document, plain, op.media + "; charset=utf-16", "", media},
		{"a body in gzip", Document, zipped(plain), op.media, "gzip", media},
	}
	for _, near := range nearlyJSON {
		what, text := "a body with "+near.rule, slices.Concat([]byte(near.value), plain[1:])
		forms = append(forms, brokenForm{what, Document, text, op.media, "", http.StatusBadRequest})
	}
	for _, other := range otherMedia {
		forms = append(forms, brokenForm{"the media type " + other, Document, plain, other, "", media})
	}
	if r.options.Level == Document { // at level Nodes, readers of objects alone may stumble
		list := brokenForm{"a list as body", Document, []byte("[]"), op.media, "", http.StatusUnprocessableEntity}
		forms = append(forms, list)
	}
	return slices.DeleteFunc(forms, func(form brokenForm) bool {
		mistyped := form.status == media && form.coding == "" && !strings.Contains(form.media, "charset")
		return mistyped && op.bodies.Get(form.media) != nil || // a range of types takes it
			form.coding != "" && op.ignores("Content-Encoding") ||
			strings.Contains(form.media, "charset") && op.ignores("charset") ||
			strings.HasSuffix(form.media, "+json") && op.ignores("+json")
	})
}

// breakForm sends bodies of broken forms.
func (r *resident) breakForm(ctx context.Context, op *operation) {
	for _, broken := range r.brokenForms(op) {
		r.cover(op, "", broken.what, true)
		c := call{op: op, node: r.id, body: broken.body, header: http.Header{"Content-Type": {broken.media}}}
		if broken.media == "" {
			c.header, c.noType = nil, true
		}
		if broken.coding != "" {
			c.header.Set("Content-Encoding", broken.coding)
		}
		r.refused(ctx, c, broken.what, broken.level, broken.status)
	}
}

// nearlyJSON are beginnings of objects that lenient parsers take for JSON.
var nearlyJSON = []ruledText{
	{"a comma too many", `{"x-unknown":[1,],`},
	{"a comment", "{/* a comment */"},
	{"NaN", `{"x-unknown":NaN,`},
	{"a line break within a text", "{\"x-unknown\":\"\n\","},
	{"a tab within a text", "{\"x-unknown\":\"\t\","},
	{"a control character within a text", "{\"x-unknown\":\"\x01\","},
	{"a plus before a number", `{"x-unknown":+1,`},
	{"a zero before a number", `{"x-unknown":01,`},
	{"a name without quotes", `{x_unknown:1,`},
}

// otherMedia are media types that lenient servers take for JSON: clients send the first two if they are not
// asked for another one.
var otherMedia = []string{
	"application/x-www-form-urlencoded", "application/octet-stream", "application/json-patch+json", "*/*",
}

// singly writes a body with the quotes of other languages.
func singly(body []byte) []byte { return bytes.ReplaceAll(body, []byte(`"`), []byte("'")) }

// notUTF8 returns a body with a byte that no text in UTF-8 has. It stands in each text that may hold U+FFFD,
// which lenient decoders read for it: they find nothing else wrong. Without such a text, it is in the first.
func notUTF8(op *operation, body any) []byte {
	read := encode(disguised(op.request, body, nil, "\ufffd"))
	if sent := bytes.ReplaceAll(read, []byte("\ufffd"), []byte("\xff")); !bytes.Equal(sent, read) {
		return sent
	}
	return bytes.Replace(read, []byte(`":"`), []byte("\":\"\xff"), 1)
}

func zipped(body []byte) []byte {
	var text bytes.Buffer
	zip := gzip.NewWriter(&text)
	_, _ = zip.Write(body) // a buffer takes everything
	_ = zip.Close()
	return text.Bytes()
}

// breakRules breaks each rule of each field once.
func (r *resident) breakRules(ctx context.Context, op *operation) {
	for _, v := range variants(op.request, r.elsewhere(op), true) {
		harmless := len(v.at) == 1 && v.rule == leftOut
		if !harmless && r.options.Level == Nodes {
			continue
		}
		r.cover(op, v.at.String(), v.rule, true)
		c := call{op: op, node: r.id, body: encode(v.body)}
		if a := r.refused(ctx, c, v.at.String()+": "+v.rule, Document, http.StatusUnprocessableEntity); a != nil {
			r.judgePlaces(a, v)
		}
		if harmless && op.id == opRegister && v.at.String() != (pointer{r.doc.idField()}).String() {
			r.turnedAway(ctx, op, v)
		}
	}
}

// turnedAway checks that a node whose registration is refused is not known afterwards.
func (r *resident) turnedAway(ctx context.Context, op *operation, v variant) {
	defer func(before []made) { r.trail = before }(r.trail)
	r.begin()
	guest := r.name()
	r.remember(guest)
	a := r.send(ctx, call{op: op, node: guest, body: encode(with(v.body, pointer{r.doc.idField()}, guest))}, v.why())
	if a == nil || a.status == op.success() {
		return // refused reports it, and cleanup removes the node
	}
	beat := call{op: r.doc.operation(opHeartbeat), node: guest, body: r.plainBeat()}
	if r.expect(ctx, beat, "of a node whose registration was refused", http.StatusNotFound) != nil {
		r.forget(guest)
	}
}

// refused makes a call that breaks the document, and checks that it is refused. Nodes treat
// all refusals alike; the exact status counts at level Document. It returns the refusal, or nil.
func (r *resident) refused(ctx context.Context, c call, broken string, level Level, status int) *answer {
	r.keepFirst(2)
	a := r.send(ctx, c, "with "+broken)
	if a == nil {
		return nil
	}
	if a.status == c.op.success() {
		r.find(level, c.op, "status with "+broken, strconv.Itoa(status)+", or another refusal", describeStatus(a))
		r.dismiss(ctx, c)
		r.restore(ctx)
		return nil
	}
	r.judgeRefusal(ctx, a, broken, status)
	return a
}

// dismiss removes a node that should not have been registered: one whose id no node can have.
func (r *resident) dismiss(ctx context.Context, c call) {
	var body nodeapi.RegisterRequest
	if _ = json.Unmarshal(c.body, &body); c.op.id == opRegister && body.NodeID != r.id && r.owns(body.NodeID) {
		_, _ = r.ask(ctx, call{op: r.doc.operation(opDeregister), node: body.NodeID})
	}
}

// judgePlaces checks that problem details with a list of places name the one that is broken, or one within it.
// What is left out may be named by what lacks it.
func (r *resident) judgePlaces(a *answer, v variant) {
	var problem nodeapi.Problem
	if json.Unmarshal(a.body, &problem) != nil || problem.Errors == nil {
		return
	}
	var places []string
	for _, broken := range *problem.Errors {
		place, within := v.place()+"/", broken.Pointer+"/"
		if strings.HasPrefix(within, place) || v.rule == leftOut && strings.HasPrefix(place, within) {
			return
		}
		places = append(places, broken.Pointer)
	}
	got := cmp.Or(strings.Join(places, ", "), "none")
	r.find(Document, a.op, at(a, "body/errors"), "the place that is broken", short(got)+", not "+v.place())
}

// judgeRefusal checks the status of a refusal, and that it has changed nothing.
func (r *resident) judgeRefusal(ctx context.Context, a *answer, broken string, status int) {
	var refusals []int
	for declared := range a.op.responses {
		if declared/100 == 4 && declared != http.StatusUnauthorized && declared != http.StatusTooManyRequests {
			refusals = append(refusals, declared)
		}
	}
	slices.Sort(refusals)
	switch place := "status with " + broken; {
	case a.status == status:
	case !slices.Contains(refusals, a.status):
		r.find(Nodes, a.op, place, "a refusal: "+either(refusals), describeStatus(a))
	default:
		r.find(Document, a.op, place, strconv.Itoa(status), describeStatus(a))
	}
	r.unchanged(ctx, a.op, "a refusal")
}

// otherMethods calls each path with methods that the document does not declare for it.
func (s *session) otherMethods(ctx context.Context) {
	done := s.atLevel(Document)
	defer done()
	for _, op := range s.doc.operations {
		for _, method := range []string{http.MethodPut, http.MethodPatch} {
			s.begin()
			c := call{op: op, node: s.name(), method: method}
			a := s.expect(ctx, c, "of the method "+method, http.StatusMethodNotAllowed)
			if a == nil {
				continue
			}
			allowed := strings.Split(strings.ReplaceAll(a.header.Get("Allow"), " ", ""), ",")
			if slices.Contains(allowed, method) {
				s.find(Document, op, at(a, "header Allow"), "no method that is refused", a.header.Get("Allow"))
			}
			for _, known := range s.doc.paths[op.path] {
				if !slices.Contains(allowed, known) {
					s.find(Document, op, at(a, "header Allow"), "all methods of the path, with "+known,
						a.header.Get("Allow"))
				}
			}
		}
	}
}

// unfitNames calls for nodes by ids that no node can have.
func (r *resident) unfitNames(ctx context.Context) {
	schema := r.doc.idSchema()
	unfit := []string{" ", "~", "ü", r.id + "/", r.id + " ", "-" + r.id}
	if schema.MaxLength != nil {
		unfit = append(unfit, strings.Repeat("n", int(*schema.MaxLength)+1))
	}
	for _, id := range unfit {
		r.begin()
		leave := call{op: r.doc.operation(opDeregister), node: id}
		r.expect(ctx, leave, "of an id that no node can have", http.StatusNotFound)
		beat := call{op: r.doc.operation(opHeartbeat), node: id, body: r.plainBeat()}
		r.expect(ctx, beat, "of an id that no node can have", http.StatusNotFound)
	}
	r.unchanged(ctx, r.doc.operation(opDeregister), "calls for ids that no node can have")
}
