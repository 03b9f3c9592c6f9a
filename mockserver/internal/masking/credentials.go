package masking

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// maxName is the longest name that is looked at, in bytes.
const maxName = 128

// sensitive are words in the names of headers and fields whose values are credentials.
var sensitive = [...]string{
	"auth", "bearer", "cookie", "credential", "jwt", "key", "pass", "secret", "session", "signature", "token",
}

// Common reports whether a header is one of nearly every request, and its value neither is nor
// names a credential.
func Common(header, value string) bool {
	if header == "Www-Authenticate" { // which asks for credentials, and names their schemes
		return true
	}
	return isCommon(header) && !mayName(value) && Scheme(value) == ""
}

// isCommon reports whether nearly every request or answer has a header, whose name is not that of a
// credential.
func isCommon(header string) bool {
	switch header {
	case "Accept", "Accept-Encoding", "Allow", "Content-Length", "Content-Type", "Date", "Retry-After",
		"Traceparent", "User-Agent", "X-Content-Type-Options", "X-Correlation-Id":
		return true
	}
	return false
}

// secretive reports whether the value of a header or field is a credential, going by its
// name. A name that is too long to be looked at counts as one that says so.
func secretive[T string | []byte](name T) bool {
	if len(name) > maxName {
		return true
	}
	for i := range len(name) {
		if begins(name[i:]) {
			return true
		}
	}
	return false
}

// begins reports whether a text begins with a word for a credential, in letters of either case.
func begins[T string | []byte](text T) bool {
	for _, word := range sensitive {
		same := 0
		for same < min(len(word), len(text)) && text[same]|0x20 == word[same] {
			same++
		}
		if same == len(word) {
			return true
		}
	}
	return false
}

// schemes are the ways to authenticate whose names stay. Any other word in front of a
// secret may be part of it.
var schemes = []string{"Bearer", "Basic", "Digest", "Negotiate"}

// Scheme returns the scheme that a value begins with, and the space after it, or nothing if
// there is none.
func Scheme[T string | []byte](value T) T {
	for _, scheme := range schemes {
		if end := len(scheme); len(value) > end && value[end] == ' ' && strings.EqualFold(string(value[:end]), scheme) {
			return value[:end+1]
		}
	}
	return value[:0]
}

// AuthorizationScheme returns the word by which the value of Authorization says how credentials are sent, and the space
// after it. It returns nothing if the word is no well-known one: any other may be part of the secret.
func AuthorizationScheme(authorization string) string {
	word, _, more := strings.Cut(authorization, " ")
	for _, known := range [...]string{
		"Basic", "Bearer", "Digest", "Negotiate", "NTLM", "DPoP", "Token", "ApiKey",
	} {
		if strings.EqualFold(word, known) && more {
			return authorization[:len(word)+1]
		} else if strings.EqualFold(word, known) {
			return word
		}
	}
	return ""
}

// Carries reports whether the value of a header that is not Common is a credential.
func Carries(name, value string) bool { return secretive(name) || Scheme(value) != "" }

// Secrets are the credentials of one exchange. They are masked wherever they turn up.
type Secrets []string

// MaxSecrets is how many secrets of an exchange are looked for. Nobody sends that many by
// accident: of an exchange that has more, no text is kept.
const MaxSecrets = 64

// Full reports whether there is no room for another secret.
func (s Secrets) Full() bool { return len(s) == MaxSecrets }

// OfHeader appends the credentials in a header, those for the node first.
func (s Secrets) OfHeader(header http.Header) Secrets {
	for _, value := range header["Authorization"] {
		s = s.add(value)
	}
	for name, values := range header {
		named := !isCommon(name) && secretive(name) // once a name, which may have 100,000 values
		for _, value := range values {
			switch {
			case name == "Authorization":
			case Common(name, value):
				s = s.OfURLs([]byte(value))
			case name == "Set-Cookie": // whose attributes are no secrets
				cookie, _, _ := strings.Cut(value, ";")
				s = s.add(cookie)
			case named || Scheme(value) != "":
				s = s.add(value)
			case mayName(value):
				s = s.OfText([]byte(value))
			}
		}
	}
	return s
}

// OfText appends the values in a text that names them as credentials, and those in its URLs.
func (s Secrets) OfText(text []byte) Secrets {
	s = s.OfURLs(text)
	fields(text, func(value []byte, quoted bool) {
		s = s.add(string(value))
		if plain := ""; quoted && json.Unmarshal([]byte(`"`+string(value)+`"`), &plain) == nil &&
			plain != string(value) {
			s = s.add(plain)
		}
	})
	return s
}

// OfURLs appends the credentials in the URLs of a text, and the passwords in them.
func (s Secrets) OfURLs(text []byte) Secrets {
	for _, at := range foreign.Userinfo(text) {
		user, password, both := strings.Cut(string(text[at[0]:at[1]]), ":")
		if s = s.one(string(text[at[0]:at[1]])); !both {
			password = user
		}
		s = s.one(password)
		if plain, err := url.PathUnescape(password); err == nil {
			s = s.one(plain)
		}
	}
	return s
}

// OfPath appends the credentials in the path of a URL.
func (s Secrets) OfPath(path string) Secrets {
	if !mayName(path) {
		return s
	}
	return s.OfText([]byte(path))
}

// OfQuery appends the credentials in the query of a URL.
func (s Secrets) OfQuery(query string) Secrets {
	for more := query != ""; more && !s.Full(); {
		var pair string
		pair, query, more = strings.Cut(query, "&")
		name, value, assigned := strings.Cut(pair, "=")
		if !assigned { // as in ?token:hunter2
			name, value = "", pair
		}
		plain, err := url.QueryUnescape(value)
		if err != nil {
			plain = value
		}
		if secretive(unescapedName([]byte(name))) {
			s = s.add(value).add(plain)
		}
		s = s.OfText([]byte(plain))
	}
	return s
}

// add appends a credential, and its parts: what follows a scheme, the values of cookies and
// of parameters, and what Basic spells in base64.
func (s Secrets) add(value string) Secrets {
	value = strings.TrimSpace(value)
	s = s.one(value)
	known := Scheme(value)
	credentials := strings.TrimSpace(value[len(known):])
	s = s.one(credentials)
	if end := strings.IndexAny(credentials, ", \t"); end > 0 && known == "" {
		credentials = strings.TrimSpace(credentials[end+1:])
		s = s.one(credentials)
	}
	if strings.EqualFold(known, "Basic ") {
		plain, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(credentials, "="))
		user, password, _ := strings.Cut(string(plain), ":")
		if s = s.one(password); password == "" { // such as a token in the place of a user
			s = s.one(user)
		}
	}
	return s.parameters(value)
}

// parameters appends the values of cookies and of the parameters of a scheme.
func (s Secrets) parameters(rest string) Secrets {
	const separators = ",;& \t"
	for more := true; more && !s.Full(); {
		var name, value string
		if name, rest, more = strings.Cut(rest, "="); !more {
			break
		}
		name = name[strings.LastIndexAny(name, separators)+1:]
		end := strings.IndexAny(rest, separators)
		if end < 0 {
			end = len(rest)
		}
		if value, rest = rest[:end], rest[end:]; !describes(name) {
			s = s.one(strings.Trim(value, `"'`))
		}
	}
	return s
}

// describes reports whether a parameter of a credential says what that is for, and is none.
func describes(name string) bool {
	switch strings.ToLower(name) {
	case "realm", "algorithm", "qop", "uri", "nc", "charset", "userhash", "signedheaders", "version":
		return true
	}
	return false
}

// one appends a secret, if it is distinct enough from other words and there is room for it.
func (s Secrets) one(text string) Secrets {
	isScheme := slices.ContainsFunc(schemes, func(scheme string) bool { return strings.EqualFold(text, scheme) })
	if isScheme || len(text) < shortest || s.Full() || slices.Contains(s, text) {
		return s
	}
	return append(s, text)
}
