package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// ofSpellings list texts in another spelling.
func ofSpellings() []sabotage {
	var all []sabotage
	for _, text := range lookalikes {
		all = append(all, onNodes("has another text for "+text, Nodes, func(_ *exchange, node map[string]any) {
			_ = json.Unmarshal(bytes.ReplaceAll(encode(node), encode(text), []byte(`"another"`)), &node)
		}))
	}
	for name, change := range map[string]func(string) string{
		"without the spaces around them": strings.TrimSpace,
		"without breaks of lines":        strings.NewReplacer("\u2028", "", "\u0085", "").Replace,
		"with accents in one":            strings.NewReplacer("e\u0301", "é").Replace,
	} {
		all = append(all, onNodes("has the names of GPUs "+name, Nodes, func(_ *exchange, node map[string]any) {
			gpus, _ := get(node, pointer{"capabilities", "gpus"}).([]any)
			for _, gpu := range gpus {
				gpu := gpu.(map[string]any)
				gpu["name"] = change(fmt.Sprint(gpu["name"]))
			}
		}))
	}
	return all
}
