package conformance

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
)

const cacheControl = "Cache-Control"

// judgeCaching reports a list that a cache may keep, since that hides who has come and gone.
func (s *session) judgeCaching(a *answer) {
	if a.op.id == opList && mayBeKept(a.header) {
		got := cmp.Or(a.header.Get(cacheControl), "Expires: "+a.header.Get("Expires"))
		s.find(Nodes, a.op, at(a, "header "+cacheControl), "none that lets a cache keep the list",
			strconv.Quote(short(got)))
	}
}

// mayBeKept reports whether caches that callers share may use an answer again unasked (RFC 9111).
func mayBeKept(header http.Header) bool {
	directives := map[string]string{}
	for directive := range strings.SplitSeq(strings.ToLower(strings.Join(header[cacheControl], ",")), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		directives[name] = strings.Trim(value, `"`)
	}
	for _, name := range []string{"no-store", "no-cache", "private"} {
		if _, there := directives[name]; there {
			return false
		}
	}
	for _, name := range []string{"s-maxage", "max-age"} {
		if age, there := directives[name]; there {
			return age != "0"
		}
	}
	_, public := directives["public"]
	date, _ := http.ParseTime(header.Get("Date"))
	expires, err := http.ParseTime(header.Get("Expires"))
	return public || err == nil && !date.IsZero() && expires.After(date)
}
