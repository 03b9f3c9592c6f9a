package house

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.*?) *$`)
	fenced  = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
)

// TestLinksLeadSomewhere follows the links between the pages of the repository: to files that
// are there, and to headings that they have.
func TestLinksLeadSomewhere(t *testing.T) {
	followed := 0
	for _, page := range sources(t, ".md") {
		for _, found := range link.FindAllStringSubmatch(prose(t, filepath.Join(root, page)), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			followed++
			file, anchor, _ := strings.Cut(found[1], "#")
			target := filepath.Join(root, page)
			if file != "" {
				target = filepath.Join(root, filepath.Dir(page), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", page, found[1])
			} else if anchor != "" && !slices.Contains(anchors(t, target), anchor) {
				t.Errorf("%s links to %s, which is no heading there", page, found[1])
			}
		}
	}
	if followed < 50 {
		t.Errorf("only %d links were found", followed)
	}
}

// prose returns a page without its blocks of code.
func prose(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return fenced.ReplaceAllString(string(text), "")
}

// anchors returns what links call the headings of a page.
func anchors(t *testing.T, file string) (names []string) {
	t.Helper()
	dropped := regexp.MustCompile(`[^\p{L}\p{N}\- _]`)
	for _, found := range heading.FindAllStringSubmatch(prose(t, file), -1) {
		name := dropped.ReplaceAllString(strings.ToLower(found[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}
