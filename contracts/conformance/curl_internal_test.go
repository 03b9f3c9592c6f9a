package conformance

import "testing"

// TestQuote has a shell read each text as one word.
func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"plain":        "'plain'",
		"it's":         `'it'\''s'`,
		"it's \xff, é": `$'it\'s \xff, é'`,
	} {
		if got := quote(text); got != want {
			t.Errorf("%q is quoted as %s, want %s", text, got, want)
		}
	}
}
