package conformance

import (
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ofLeniency take bodies that break the document, and whose twins are refused.
func ofLeniency(op *operation) []sabotage {
	var all []sabotage
	take := func(what, culprit string, takes func(x *exchange) bool) {
		s := onAnswer(op, "takes "+what, Document, func(x *exchange) {
			if x.sent != nil && x.status/100 == 4 && x.status != http.StatusUnauthorized && takes(x) {
				x.done()
			}
		})
		s.culprit = culprit
		all = append(all, s)
	}
	take("what is broken behind the first item of a list", op.id, func(x *exchange) bool {
		return x.status == http.StatusUnprocessableEntity && x.own(op.id, x.node, firsts(x.sent)).Code == op.success()
	})
	take("text that is not UTF-8", "UTF-8", func(x *exchange) bool {
		return strings.ContainsRune(string(encode(x.sent)), utf8.RuneError)
	})
	if op.id == opRegister {
		for _, text := range nearlyAddresses {
			take("the address "+strconv.Quote(text), "address", func(x *exchange) bool {
				return get(x.sent, pointer{"address"}) == text
			})
		}
		take("a pool twice, but not in a row", "pools", func(x *exchange) bool {
			pools, _ := get(x.sent, pointer{"pools"}).([]any)
			return len(pools) == 3 && pools[0] == pools[2]
		})
		take("a Kelvin sign for a k", "Kelvin", func(x *exchange) bool {
			return strings.ContainsRune(string(encode(x.sent)), '\u212a')
		})
	}
	if op.id == opHeartbeat {
		for _, text := range nearlyTimes {
			take("the time "+text, "timestamp", func(x *exchange) bool {
				return get(x.sent, pointer{"timestamp"}) == text
			})
		}
		for what, expression := range laxTimes {
			times := regexp.MustCompile(expression)
			take(what, "timestamp", func(x *exchange) bool {
				text, _ := get(x.sent, pointer{"timestamp"}).(string)
				return times.MatchString(text)
			})
		}
	}
	return all
}

// laxTimes are what parsers take that look at parts of a time, each by itself.
var laxTimes = map[string]string{
	"29 February of any year":           `-02-29T`,
	"the 31st of any month":             `-(02|04|06|09|11)-31T`,
	"any hour":                          `T(2[4-9]|[3-9]\d):`,
	"any second":                        `:[6-9]\d(\.\d+)?(Z|[+-])`,
	"any hour of an offset":             `[+-](2[4-9]|[3-9]\d):\d\d$`,
	"any hour of an offset to the west": `-(2[4-9]|[3-9]\d):\d\d$`,
	"any minute of an offset":           `[+-]\d\d:[6-9]\d$`,
	"minute 60 of an offset":            `[+-]\d\d:60$`,
}

// firsts returns a body with the first item alone in each list that keeps the rules for lists.
func firsts(body any) any {
	switch value := body.(type) {
	case map[string]any:
		fewer := map[string]any{}
		for name, field := range value {
			fewer[name] = firsts(field)
		}
		return fewer
	case []any:
		twin := func(item any) bool { return reflect.DeepEqual(item, value[0]) }
		if few := len(value) == 2 || len(value) == 3; few && !slices.ContainsFunc(value[1:], twin) {
			return []any{firsts(value[0])}
		}
	}
	return body
}
