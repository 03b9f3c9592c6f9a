package twoway

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/llama-orch/node-registration/contracts/pactfile"
)

// defaultFormats are what the matchers of dates and times stand for without a format.
var defaultFormats = map[string]string{
	"date": "yyyy-MM-dd", "time": "HH:mm:ss", "datetime": "yyyy-MM-dd'T'HH:mm:ss", "timestamp": "yyyy-MM-dd'T'HH:mm:ss",
}

// formatOf returns the format of a date or a time, as Java writes it.
func formatOf(m pactfile.Matcher) string {
	text, _ := m.Value.(string)
	return cmp.Or(m.Format, text, defaultFormats[m.Match])
}

// dateExpression returns the regular expression of what such a matcher lets through.
func dateExpression(m pactfile.Matcher) string {
	format := formatOf(m)
	if format == defaultFormats[m.Match] && m.Match != "date" && m.Format == "" {
		return `.*` // libraries differ in what they take for a time
	}
	var expression strings.Builder
	for _, part := range regexp.MustCompile(`'([^']*)'|([A-Za-z])+|.`).FindAllString(format, -1) {
		expression.WriteString(partExpression(part))
	}
	return expression.String()
}

func partExpression(part string) string {
	if part == "''" {
		return "'"
	}
	if strings.HasPrefix(part, "'") && len(part) > 1 {
		return regexp.QuoteMeta(strings.Trim(part, "'"))
	}
	var expression strings.Builder
	for _, run := range runs(part) {
		expression.WriteString(runExpression(run))
	}
	return expression.String()
}

// runs splits letters where they change: yyyyMMdd is yyyy, MM and dd.
func runs(letters string) []string {
	var found []string
	start := 0
	for i := range letters {
		if letters[i] != letters[start] {
			found, start = append(found, letters[start:i]), i
		}
	}
	return append(found, letters[start:])
}

func runExpression(run string) string {
	n := len(run)
	switch run[0] {
	case 'y', 'Y', 'u':
		return fmt.Sprintf(`\d{%d}`, max(n, 2))
	case 'M', 'L':
		if n > 2 {
			return `[A-Za-z]+`
		}
		return digits(n)
	case 'd', 'H', 'h', 'k', 'K', 'm', 's':
		return digits(n)
	case 'S', 'n':
		return fmt.Sprintf(`\d{%d}`, n)
	case 'a', 'E':
		return `[A-Za-z]+`
	case 'X':
		return `(?:Z|[+-]\d{2}(?::?\d{2})?)`
	case 'x', 'Z':
		return `(?:[+-]\d{2}:?\d{2})`
	case 'z', 'V', 'O':
		return `.+`
	}
	return regexp.QuoteMeta(run)
}

func digits(n int) string {
	if n == 1 {
		return `\d{1,2}`
	}
	return fmt.Sprintf(`\d{%d}`, n)
}
