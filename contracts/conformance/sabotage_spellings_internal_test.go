package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
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
		"as nothing where they are blank": func(name string) string {
			if strings.TrimSpace(name) == "" {
				return "unknown"
			}
			return name
		},
	} {
		all = append(all, onNodes("has the names of GPUs "+name, Nodes, func(_ *exchange, node map[string]any) {
			gpus, _ := get(node, pointer{"capabilities", "gpus"}).([]any)
			for _, gpu := range gpus {
				gpu := gpu.(map[string]any)
				gpu["name"] = change(fmt.Sprint(gpu["name"]))
			}
		}))
	}
	return append(all, ofAddresses()...)
}

// ofAddresses list addresses as libraries rewrite them.
func ofAddresses() []sabotage {
	var all []sabotage
	for name, change := range map[string]func(*url.URL){
		"without user info": func(at *url.URL) { at.User = nil },
		"without passwords": func(at *url.URL) {
			if at.User != nil {
				at.User = url.User(at.User.Username())
			}
		},
		"with hosts in small letters": func(at *url.URL) { at.Host = strings.ToLower(at.Host) },
		"without the usual port":      func(at *url.URL) { at.Host = strings.TrimSuffix(at.Host, ":80") },
		"without needless escapes":    func(at *url.URL) { at.RawPath = "" },
		"with clean paths": func(at *url.URL) {
			if at.Path != "" {
				*at = *at.JoinPath()
			}
		},
	} {
		all = append(all, onNodes("has addresses "+name, Document, func(_ *exchange, node map[string]any) {
			if at, err := url.Parse(fmt.Sprint(node["address"])); err == nil {
				change(at)
				node["address"] = at.String()
			}
		}))
	}
	return all
}
