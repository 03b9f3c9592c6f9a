package mockserver

import (
	"cmp"
	"fmt"
	"maps"
	"mime"
	"net/http"
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

// unfit is a header for which the server cannot read a body as it is declared.
type unfit struct {
	header    string
	want, got string
	wrong     string // in words
	encoded   bool   // whether even a server without validation cannot
}

// problem returns the answer to a request with such a header.
func (u *unfit) problem() *problem {
	p := newProblem(nodeapi.ProblemCodeUnsupportedMediaType, "%s: send %s", u.wrong, u.want)
	if u.encoded {
		return p.with("Accept-Encoding", identity) // RFC 9110, section 15.5.16
	}
	return p
}

func (u *unfit) departure() drift.Departure {
	return drift.Departure{Pointer: u.header, Kind: drift.Header, Expected: "must be " + u.want, Got: u.got}
}

// schemaFor returns the schema of bodies of a request's content type, and what is wrong with the
// headers that say how to read the body.
func schemaFor(r *http.Request, bodies map[string]*spec.Schema) (*spec.Schema, *unfit) {
	if wrong := wrongEncoding(r); wrong != nil {
		return nil, wrong
	}
	types := r.Header[contentType]
	if len(types) == 1 {
		if schema := bodies[types[0]]; schema != nil { // no parameters to look at
			return schema, nil
		}
	}
	return schemaForParsed(r, types, bodies)
}

func schemaForParsed(r *http.Request, types []string, bodies map[string]*spec.Schema) (*spec.Schema, *unfit) {
	broken := &unfit{header: contentType, want: strings.Join(slices.Sorted(maps.Keys(bodies)), " or ")}
	if len(types) != 1 {
		broken.got = cmp.Or(strings.Join(quoteAll(r, types), " and "), "nothing")
		broken.wrong = fmt.Sprintf("there must be one content type, not %d", len(types))
		return nil, broken
	}
	broken.got = quoteAll(r, types)[0]
	broken.wrong = fmt.Sprintf("content type %s is not supported", broken.got)
	// Broken parameters do not change what the type is.
	mediaType, parameters, _ := mime.ParseMediaType(types[0])
	schema := bodies[mediaType]
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
func quoteAll(r *http.Request, values []string) []string {
	var texts []string
	for _, value := range values[:min(len(values), 2)] {
		texts = append(texts, spec.InQuotes(quote(r, value)))
	}
	return texts
}

// identity is the Content-Encoding of a body that is sent as it is.
const identity = "identity"

// wrongEncoding returns what is wrong with the Content-Encoding of a request, if anything.
func wrongEncoding(r *http.Request) *unfit {
	for _, encoding := range r.Header[contentEncoding] {
		if encoding != "" && !strings.EqualFold(encoding, identity) {
			got := strings.Join(quoteAll(r, r.Header[contentEncoding]), " and ")
			return &unfit{
				header: contentEncoding, want: "the body as it is, without one", got: got,
				wrong: fmt.Sprintf("content encoding %s is not supported", got), encoded: true,
			}
		}
	}
	return nil
}
