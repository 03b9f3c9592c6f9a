package foreign

import (
	"regexp"
	"strings"
)

// userinfo matches the start of a URL up to the @ that ends its credentials. The slashes and
// the colon before them may be escaped, as in JSON or in another URL, and have what browsers drop
// in between. Without a scheme, as in //user:password@host, there must be a password.
var userinfo = regexp.MustCompile(`(?i)` +
	slashes + `([^\s"/?#@:]+` + colon + `[^\s"/?#]*)` + at + `|` +
	colon + dropped + slashes + `([^\s"/?#]+)` + at)

const (
	slashes = slash + dropped + slash
	slash   = `(?:\\?/|%2f|` + spelled + `2f)`
	colon   = `(?::|%3a|` + spelled + `3a)`
	at      = `(?:@|%40|` + spelled + `40)`
	spelled = backslash + `(?:u00|x)`
	// backslash and dropped also match what [Line] shows of them.
	backslash = `(?:\\|<U\+005C>)`
	dropped   = `(?:[\t\r\n]|<U\+000[9AD]>)*`
)

// Userinfo returns where the URLs in a text hold credentials, user:password in
// http://user:password@host: the start and the end of each, in bytes. It allocates only if
// there may be any.
func Userinfo[T string | []byte](text T) [][2]int {
	if !holdsAt(text) {
		return nil
	}
	var found [][2]int
	for _, match := range userinfo.FindAllStringSubmatchIndex(string(text), -1) {
		found = append(found, [2]int{max(match[2], match[4]), max(match[3], match[5])})
	}
	return found
}

// holdsAt reports whether a text holds an @, or what may begin an escaped one.
func holdsAt[T string | []byte](text T) bool {
	for i := range len(text) {
		if beginsAt[text[i]] {
			return true
		}
	}
	return false
}

// beginsAt are the bytes that begin what matches at. Most texts have none: a table is the quickest look.
var beginsAt = [256]bool{'@': true, '%': true, '\\': true, '<': true}

// hideUserinfo replaces the credentials in the URLs of a text by ***.
func hideUserinfo(text string) string {
	found := Userinfo(text)
	if found == nil {
		return text
	}
	var safe strings.Builder
	shown := 0
	for _, at := range found {
		safe.WriteString(text[shown:at[0]] + "***")
		shown = at[1]
	}
	safe.WriteString(text[shown:])
	return safe.String()
}
