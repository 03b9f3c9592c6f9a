package conformance

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	cacheControl = "Cache-Control"
	expires      = "Expires"
)

// judgeCaching reports a list that a cache may keep, since that hides who has come and gone.
func (s *session) judgeCaching(a *answer) {
	if a.op.id != opList || a.status != a.op.success() {
		return
	}
	token := s.prober.token != "" && !a.noToken || a.call.header[authorization] != nil
	if by := keptBy(a.header, token); by != "" {
		s.find(Nodes, a.op, at(a, "header "+by), "none that lets a cache keep the list",
			strconv.Quote(short(strings.Join(a.header[by], ", "))))
	}
}

// keptBy returns the header by which caches that callers share may use an answer again unasked (RFC 9111),
// empty for none. The answer to a call with a token has to allow that in words of its own (section 3.5).
func keptBy(header http.Header, token bool) string {
	directives := directivesOf(header)
	says := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { _, there := directives[name]; return there })
	}
	switch {
	case says("no-store", "no-cache", "private"), token && !says("public", "s-maxage", "must-revalidate"):
	case says("s-maxage", "max-age"):
		age := cmp.Or(directives["s-maxage"], directives["max-age"])
		if seconds, _ := strconv.ParseUint(age, 10, 64); seconds > 0 { // what is no number is no age
			return cacheControl
		}
	case header[expires] != nil:
		date, _ := http.ParseTime(header.Get("Date"))
		if end, err := http.ParseTime(header.Get(expires)); err == nil && !date.IsZero() && end.After(date) {
			return expires
		}
	case says("public"):
		return cacheControl
	}
	return ""
}

// directivesOf returns the directives for caches. Of one that comes twice, the first counts.
func directivesOf(header http.Header) map[string]string {
	directives := map[string]string{}
	for directive := range strings.SplitSeq(strings.ToLower(strings.Join(header[cacheControl], ",")), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if _, there := directives[name]; !there {
			directives[name] = strings.Trim(value, `"`)
		}
	}
	return directives
}
