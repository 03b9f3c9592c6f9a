package overlay

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/speakeasy-api/openapi/overlay"

	"github.com/llama-orch/node-registration/contracts/report"
)

// Report returns the differences as a table for people: where, what and why.
func (o *Overlay) Report() *report.Report {
	table := &report.Table{Columns: []string{"where", "change", "reason"}}
	for _, action := range o.spec.Actions {
		place, change := where(action.Target), ""
		if action.Remove {
			place, change = removed(place)
		} else {
			change = updated(action)
		}
		table.Rows = append(table.Rows, []string{short(place), short(change), oneLine(action.Description)})
	}
	return &report.Report{
		Title:   fmt.Sprintf("%s, against %s", o.Title(), o.Extends()),
		Summary: fmt.Sprintf("%d differences", len(table.Rows)),
		Table:   table,
	}
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

// short returns as much of a text as a column of the table can show.
func short(text string) string {
	const width = 56
	if runes := []rune(text); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return text
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
