package breaking

import (
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/apidoc"
	"github.com/llama-orch/node-registration/contracts/internal/subset"
)

// responses compares the answers that both versions declare, and finds the errors that
// are no longer declared. oasdiff does not count those as a loss. Nodes act on the status:
// a 404 makes a node register.
func (p pair) responses() {
	for _, status := range slices.Sorted(maps.Keys(p.from.Responses.Map())) {
		before := p.from.Responses.Value(status).Value
		name, after := responseFor(p.to.Responses, status)
		switch {
		case after != nil:
			p.response(status, name, before, after)
		case isError(status) && !p.narrowed(status):
			p.add(finding{
				rule: "response-non-success-status-removed", part: "response " + status, status: status,
				what:  "removed the non-success response with the status `" + status + "`",
				where: lineOf(p.to.Origin, "responses"),
			})
		case !isError(status) && p.succeedsOtherwise():
			p.add(finding{
				rule: "response-success-status-removed", part: "response " + status, status: status,
				what:  "removed the success response with the status `" + status + "`",
				where: lineOf(p.to.Origin, "responses"),
			})
		}
	}
	// What one status of a range has become.
	for _, status := range slices.Sorted(maps.Keys(p.to.Responses.Map())) {
		name, before := responseFor(p.from.Responses, status)
		if before != nil && name != status {
			p.response(status, name, before, p.to.Responses.Value(status).Value)
		}
	}
}

// responseFor returns what a document declares for a status, by itself or by its range.
func responseFor(responses *openapi3.Responses, status string) (string, *openapi3.Response) {
	names := []string{status}
	if len(status) == len("404") {
		names = append(names, status[:1]+"XX")
	}
	if isError(status) && status != "default" {
		names = append(names, "default")
	}
	for _, name := range names {
		if ref := responses.Value(name); ref != nil {
			return name, ref.Value
		}
	}
	return "", nil
}

func isError(status string) bool {
	return status == "default" || strings.HasPrefix(status, "4") || strings.HasPrefix(status, "5")
}

// narrowed reports whether the new version declares some errors of a range that the old
// version declares.
func (p pair) narrowed(status string) bool {
	isRange := status == "default" || strings.HasSuffix(status, "XX")
	return isRange && slices.ContainsFunc(slices.Collect(maps.Keys(p.to.Responses.Map())), func(other string) bool {
		return isError(other) && (status == "default" || other[0] == status[0])
	})
}

// succeedsOtherwise reports whether the version met may answer with a success that the other
// does not know.
func (p pair) succeedsOtherwise() bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(p.to.Responses.Map())), func(status string) bool {
		_, known := responseFor(p.from.Responses, status)
		return !isError(status) && known == nil
	})
}

func (p pair) response(status, name string, before, after *openapi3.Response) {
	part := "response " + status
	p.answered(part)
	proven := name == status
	for _, media := range slices.Sorted(maps.Keys(before.Content)) {
		other := mediaFor(after.Content, media)
		if other == nil {
			proven = false
			p.add(finding{
				rule: "response-media-type-removed", part: part, property: media, status: status,
				what:  "removed the media type `" + media + "` from the response with the status `" + status + "`",
				where: lineOf(after.Origin, "content"),
			})
			continue
		}
		proven = p.gaps(part, "response", subset.Response, other.Schema, before.Content[media].Schema) && proven
	}
	if proven {
		p.prove(part)
	}
	p.responseHeaders(part, status, before, after)
}

// responseHeaders compares the headers of an answer. oasdiff compares their schemas only
// in part.
func (p pair) responseHeaders(part, status string, before, after *openapi3.Response) {
	for _, name := range slices.Sorted(maps.Keys(before.Headers)) {
		had, ref := before.Headers[name].Value, after.Headers[name]
		switch {
		case ref == nil && had.Required:
			p.add(finding{
				rule: "required-response-header-removed", part: part, property: name, status: status,
				what:  "the mandatory response header `" + name + "` removed for the status `" + status + "`",
				where: lineOf(after.Origin, "headers"),
			})
		case ref == nil:
		case had.Required && !ref.Value.Required:
			p.add(finding{
				rule: "response-header-became-optional", part: part, property: name, status: status,
				what:  "the response header `" + name + "` became optional for the status `" + status + "`",
				where: lineOf(ref.Value.Origin, ""),
			})
			fallthrough
		default:
			has, hadBefore := apidoc.SchemaOf(&ref.Value.Parameter), apidoc.SchemaOf(&had.Parameter)
			p.gaps(part+" header "+name, "response header `"+name+"`", subset.Response, has, hadBefore)
		}
	}
}

// statusOf returns the status of a part of an operation, empty for a request.
func statusOf(part string) string {
	rest, isResponse := strings.CutPrefix(part, "response ")
	if !isResponse {
		return ""
	}
	status, _, _ := strings.Cut(rest, " ")
	return status
}
