package conformance

import (
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// listed are the nodes of a list. Few of them change from one list to the next, and only those are judged. Both lists
// share the others, which nobody may change.
type listed struct {
	nodes  []*nodeapi.Node
	schema *openapi3.Schema         // of the list
	known  map[string]*nodeapi.Node // by their JSON; nil unless each can be judged by itself
}

// listedIn returns the nodes of a list that was read as a whole.
func listedIn(list *nodeapi.NodeList) *listed {
	l := &listed{}
	for _, node := range list.Nodes {
		l.nodes = append(l.nodes, &node) // a copy, which does not keep the whole list in memory
	}
	return l
}

// know notes how each entry is written, so that a later list need not have it judged again.
func (l *listed) know(list []byte, schema *openapi3.Schema) {
	if !separable(schema) {
		return
	}
	if _, texts := abridged(string(list), nil); len(texts) == len(l.nodes) {
		l.remember(texts, schema)
	}
}

func (l *listed) remember(texts []string, schema *openapi3.Schema) {
	l.schema, l.known = schema, make(map[string]*nodeapi.Node, len(texts))
	for i, text := range texts {
		l.known[text] = l.nodes[i]
	}
}

// judgeNews judges a list by the entries that are new in it and by what is around them. It reports false, having found
// nothing, if the whole list has to be judged.
func (s *session) judgeNews(a *answer, before *listed) (decided bool) {
	if before == nil || before.known == nil {
		return false
	}
	news, texts := abridged(string(a.body), before.known)
	value, err := parse(news)
	object, _ := value.(map[string]any)
	items, there := object[nodesField].([]any)
	if err != nil || !there || tooMany(len(items), before.schema) {
		return false
	}
	object[nodesField] = slices.DeleteFunc(items, func(item any) bool { return item == nil })
	if before.schema.VisitJSON(value, openapi3.VisitAsResponse()) != nil {
		return false
	}
	var list nodeapi.NodeList
	if _, err := decode(news, &list); err != nil || len(list.Nodes) != len(texts) {
		return false
	}
	a.listed = listedIn(&list)
	for i, text := range texts {
		if node := before.known[text]; node != nil {
			a.listed.nodes[i] = node
		}
	}
	a.listed.remember(texts, before.schema)
	s.judgeList(a, int(list.Count))
	return true
}

// separable reports whether the schema of a list says nothing of several entries together but how many there may be.
// Each entry can then be judged by itself.
func separable(list *openapi3.Schema) bool {
	field := list.Properties[nodesField]
	if field == nil {
		return false
	}
	bare, nodes := *list, *field.Value
	bare.Type, bare.Required, bare.Properties = nil, nil, nil
	nodes.Type, nodes.Items, nodes.MaxItems = nil, nil, nil
	return bare.IsEmpty() && nodes.IsEmpty()
}

// tooMany reports whether a list has more entries than its schema allows.
func tooMany(count int, list *openapi3.Schema) bool {
	most := list.Properties[nodesField].Value.MaxItems
	return most != nil && uint64(count) > *most
}

// untilEntries matches what is before the first entry, unless another list begins there.
var untilEntries = regexp.MustCompile(`^[^[]*"` + nodesField + `"\s*:\s*\[`)

// abridged returns a list with null for each entry that is known, and all entries as they are written. It returns
// nothing if there are escapes, which parse counts in the whole list, or another list beside the entries.
func abridged(list string, known map[string]*nodeapi.Node) (news []byte, entries []string) {
	at := len(untilEntries.FindString(list))
	if at == 0 || strings.Contains(list, `\u`) {
		return nil, nil
	}
	text, depth, copied, start := false, 0, 0, 0
	for ; at < len(list); at++ {
		switch c := list[at]; {
		case c == '"':
			text = !text
		case text && c == '\\':
			at++
		case text:
		case c == '{', c == '[':
			if depth++; depth == 1 {
				start = at
			}
		case c != '}' && c != ']':
		case depth == 0 && strings.Contains(list[at:], "["):
			return nil, nil
		case depth == 0:
			return append(news, list[copied:]...), entries
		default:
			if depth--; depth > 0 {
				continue
			}
			entry := list[start : at+1]
			if entries = append(entries, entry); known[entry] != nil {
				news = append(append(news, list[copied:start]...), "null"...)
				copied = at + 1
			}
		}
	}
	return nil, nil
}
