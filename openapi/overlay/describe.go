package overlay

import (
	"encoding/json"
	"strings"

	"github.com/speakeasy-api/openapi/overlay"
)

// Difference is one action of an overlay, in words.
type Difference struct {
	Where  string // the part of the document
	Change string // what becomes of it
	Reason string
}

// Differences returns the actions of the overlay, in words.
func (o *Overlay) Differences() []Difference {
	var found []Difference
	for _, action := range o.spec.Actions {
		d := Difference{Where: where(action.Target), Reason: oneLine(action.Description)}
		switch {
		case action.Remove:
			d.Where, d.Change = removed(d.Where)
		case action.Copy != "":
			d.Change = "copied from " + where(action.Copy)
		default:
			d.Change = updated(action)
		}
		found = append(found, d)
	}
	return found
}

// where returns a path without the parts that all paths share.
func where(target string) string {
	target = strings.TrimPrefix(strings.TrimPrefix(target, "$."), "components.")
	return strings.NewReplacer("['", "[", "']", "]", "','", ", ").Replace(target)
}

// removed splits a path that ends with a list of what is removed there.
func removed(place string) (rest, change string) {
	if before, list, found := strings.Cut(strings.TrimSuffix(place, "]"), "["); found && strings.HasSuffix(place, "]") {
		if last := strings.LastIndex(list, "["); last >= 0 {
			before, list = before+"["+list[:last], list[last+1:]
		}
		return before, "removed " + list
	}
	return place, "removed"
}

func updated(action overlay.Action) string {
	var value any
	if err := action.Update.Decode(&value); err != nil {
		return err.Error() // not after Parse, which has decoded it before
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
