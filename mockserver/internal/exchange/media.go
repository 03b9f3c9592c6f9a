package exchange

import (
	"cmp"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"

	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const (
	contentType     = "Content-Type"
	contentEncoding = "Content-Encoding"
)

// Unfit is a header for which the server cannot read a body as it is declared.
type Unfit struct {
	Encoded   bool // whether even a server without validation cannot
	header    string
	want, got string
	wrong     string // in words
}

// Problem returns the answer to a request with such a header.
func (u *Unfit) Problem() *Problem {
	p := NewProblem(nodeapi.ProblemCodeUnsupportedMediaType, "%s: send %s", u.wrong, u.want)
	if u.Encoded {
		return p.With("Accept-Encoding", identity) // RFC 9110, section 15.5.16
	}
	return p
}

// Departure returns how such a request departs from the document.
func (u *Unfit) Departure() drift.Departure {
	return drift.Departure{Pointer: u.header, Kind: drift.Header, Expected: "must be " + u.want, Got: u.got}
}

// BodySchema returns the schema of the request's body, by its content type. Or it returns what is
// wrong with the headers that say how to read the body. Both are nil if the operation takes no
// body.
func (x *Exchange) BodySchema() (*spec.Schema, *Unfit) {
	if wrong := x.wrongEncoding(); wrong != nil {
		return nil, wrong
	}
	types, bodies := x.Request.Header[contentType], x.Operation.Bodies
	if bodies == nil {
		return nil, nil
	}
	if len(types) == 1 {
		if schema := bodies[types[0]]; schema != nil { // no parameters to look at
			return schema, nil
		}
	}
	return x.schemaForParsed(types, bodies)
}

func (x *Exchange) schemaForParsed(types []string, bodies map[string]*spec.Schema) (*spec.Schema, *Unfit) {
	broken := &Unfit{header: contentType, want: strings.Join(slices.Sorted(maps.Keys(bodies)), " or ")}
	if len(types) != 1 {
		broken.got = cmp.Or(strings.Join(x.quoteAll(types), " and "), "nothing")
		broken.wrong = fmt.Sprintf("there must be one content type, not %d", len(types))
		return nil, broken
	}
	broken.got = x.quoteAll(types)[0]
	broken.wrong = fmt.Sprintf("content type %s is not supported", broken.got)
	// Broken parameters do not change what the type is.
	mediaType, parameters, _ := mime.ParseMediaType(types[0])
	schema := x.Operation.Body(mediaType)
	if schema == nil {
		return nil, broken
	}
	if charset := parameters["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		broken.want += " in UTF-8"
		return nil, broken
	}
	return schema, nil
}

// quoteAll returns the first values of a header, the way they may be repeated.
func (x *Exchange) quoteAll(values []string) []string {
	var texts []string
	for _, value := range values[:min(len(values), 2)] {
		texts = append(texts, spec.InQuotes(x.Quote(value)))
	}
	return texts
}

// identity is the Content-Encoding of a body that is sent as it is.
const identity = "identity"

// wrongEncoding returns what is wrong with the Content-Encoding of a request, if anything.
func (x *Exchange) wrongEncoding() *Unfit {
	for _, encoding := range x.Request.Header[contentEncoding] {
		if encoding != "" && !strings.EqualFold(encoding, identity) {
			got := strings.Join(x.quoteAll(x.Request.Header[contentEncoding]), " and ")
			return &Unfit{
				header: contentEncoding, want: "the body as it is, without one", got: got,
				wrong: fmt.Sprintf("content encoding %s is not supported", got), Encoded: true,
			}
		}
	}
	return nil
}
