package browser_test

import (
	"slices"
	"testing"
)

// What asks as one has one load, which comes after all of it, and what asks while it loads has another.
func TestLoadsAreNotMoreThanAsked(t *testing.T) {
	t.Parallel()
	seen := eval[[]string](openScript(t), `import('./refresher.js').then(({ Refresher }) => new Promise((done) => {
		const seen = [];
		let asker = 'first';
		const refresher = new Refresher(async () => {
			seen.push(asker);
			if (seen.length === 2) return done(seen);
			asker = 'third';
			refresher.ask();
		}, 0);
		refresher.ask();
		asker = 'second';
		refresher.ask();
	}))`)
	if want := []string{"second", "third"}; !slices.Equal(seen, want) {
		t.Errorf("loads after %q, want %q", seen, want)
	}
}
