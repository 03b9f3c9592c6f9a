package mockserver

import (
	"cmp"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/mockserver/drift"
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

func (u *unfit) departure(operation string) drift.Departure {
	return drift.Departure{Operation: operation, Pointer: u.header, Kind: drift.Header, Expected: "must be " + u.want, Got: u.got}
}

// formOf returns what the document says of bodies of a request's content type, and what
// is wrong with the headers that say how to read the body.
func formOf(r *http.Request, declared openapi3.Content) (*openapi3.MediaType, *unfit) {
	if wrong := wrongEncoding(r); wrong != nil {
		return nil, wrong
	}
	types := r.Header[contentType]
	if len(types) == 1 {
		if form := declared[types[0]]; form != nil { // no parameters to look at
			return form, nil
		}
	}
	return formOfParsed(r, types, declared)
}

func formOfParsed(r *http.Request, types []string, declared openapi3.Content) (*openapi3.MediaType, *unfit) {
	broken := &unfit{header: contentType, want: strings.Join(slices.Sorted(maps.Keys(declared)), " or ")}
	if len(types) != 1 {
		broken.got = cmp.Or(strings.Join(quoteAll(r, types), " and "), "nothing")
		broken.wrong = fmt.Sprintf("there must be one content type, not %d", len(types))
		return nil, broken
	}
	broken.got = quoteAll(r, types)[0]
	broken.wrong = fmt.Sprintf("content type %s is not supported", broken.got)
	// Broken parameters do not change what the type is.
	mediaType, parameters, _ := mime.ParseMediaType(types[0])
	form := declared[mediaType]
	if form == nil {
		return nil, broken
	}
	if charset := parameters["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		broken.want += " in UTF-8"
		return nil, broken
	}
	return form, nil
}

// quoteAll returns the first values of a header, the way they may be repeated.
func quoteAll(r *http.Request, values []string) []string {
	var texts []string
	for _, value := range values[:min(len(values), 2)] {
		texts = append(texts, inQuotes(quote(r, value)))
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
