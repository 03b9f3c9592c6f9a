package breaking

import (
	"maps"
	"mime"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/subset"
)

// requestBody compares the bodies of requests. oasdiff treats all JSON media types as the
// same, and does not match a range such as application/* with the types in it.
func (p pair) requestBody() {
	if p.from.RequestBody == nil || p.to.RequestBody == nil {
		return // which oasdiff finds
	}
	from, to := p.from.RequestBody.Value, p.to.RequestBody.Value
	proven := true
	for _, name := range slices.Sorted(maps.Keys(from.Content)) {
		media := mediaFor(to.Content, name)
		if media == nil {
			proven = false
			p.add(finding{
				rule: "request-body-media-type-removed", part: "request",
				what:  "removed the media type `" + name + "` from the request body",
				where: lineOf(to.Origin, "content"),
			})
			continue
		}
		if !reflect.DeepEqual(encodings(from.Content[name]), encodings(media)) {
			p.add(finding{
				rule: "request-body-encoding-changed", part: "request", property: "encoding",
				what:  "the parts of the request body `" + name + "` are encoded in another way",
				where: lineOf(media.Origin, "encoding"),
			})
		}
		p.requestFields[part{p.method, p.path, "request"}] = subset.Fields(media.Schema)
		proven = p.gaps("request", "request", subset.Request, from.Content[name].Schema, media.Schema) && proven
	}
	if proven {
		p.prove("request")
	}
}

// encodings returns how the parts of a body are encoded.
func encodings(media *openapi3.MediaType) map[string]openapi3.Encoding {
	found := map[string]openapi3.Encoding{}
	for name, encoding := range media.Encoding {
		found[name] = openapi3.Encoding{
			ContentType: encoding.ContentType, Style: encoding.Style,
			Explode: encoding.Explode,
		}
	}
	return found
}

// mediaFor returns what a document declares for a media type. That is the entry of the type
// itself, or of a range that contains it.
func mediaFor(content openapi3.Content, name string) *openapi3.MediaType {
	want := plainMediaType(name)
	for _, exactly := range []bool{true, false} {
		for _, declared := range slices.Backward(slices.Sorted(maps.Keys(content))) {
			have := plainMediaType(declared)
			fits, err := path.Match(have, want)
			if have == want || !exactly && err == nil && fits && strings.Contains(have, "*") || have == "*/*" &&
				!exactly {
				return content[declared]
			}
		}
	}
	return nil
}

// plainMediaType normalizes a media type, so that equal ones are spelled alike.
func plainMediaType(name string) string {
	kind, parameters, err := mime.ParseMediaType(name)
	if err != nil {
		return strings.ToLower(name)
	}
	if strings.EqualFold(parameters["charset"], "utf-8") {
		delete(parameters, "charset")
	}
	return mime.FormatMediaType(kind, parameters)
}
