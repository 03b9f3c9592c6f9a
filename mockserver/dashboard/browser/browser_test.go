package browser_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"
)

var browserFlag = flag.String("browser", "", "`path` of Chromium or Chrome; empty for CHROME_BIN, or to look for one")

const (
	noBrowser = "no browser for the dashboard's tests: `make browser` installs Chromium, CHROME_BIN or -browser " +
		"names another; " +
		"`make test` notices a new one, go test alone needs -count=1"
	patience = 3 * time.Minute // against hanging: for something on the page to happen, on the busiest machine
)

func TestMain(m *testing.M) {
	flag.Parse()
	status := m.Run()
	if err := shared.close(); err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		status = 1
	}
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// shared is the one browser of all tests, which each have a tab in it.
var shared browser

type browser struct {
	once    sync.Once
	ctx     context.Context
	end     context.CancelFunc
	profile string
	err     error
}

// tabs returns the context to open tabs in. Without a browser the test is skipped, but in
// CI, where that would pass unseen, it fails.
func (b *browser) tabs(t *testing.T) context.Context {
	t.Helper()
	b.once.Do(func() {
		if b.err = b.start(); b.err != nil && b.ctx != nil {
			_ = b.close() // Chromium may crash as it starts on a very busy machine; twice is no accident
			b.err = b.start()
		}
	})
	switch {
	case errors.Is(b.err, exec.ErrNotFound) && os.Getenv("CI") == "":
		t.Skip(noBrowser)
	case errors.Is(b.err, exec.ErrNotFound):
		t.Fatal(noBrowser)
	case b.err != nil:
		t.Fatal(b.err)
	}
	return b.ctx
}

func (b *browser) start() error {
	path, err := findBrowser()
	if err != nil {
		return err
	}
	if b.profile, err = os.MkdirTemp("", "dashboard-test-"); err != nil {
		return err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(b.profile),
		chromedp.NoSandbox, // which a container does not allow, and root does not have
		chromedp.DisableGPU,
		// Tabs share processes, as many as there are tests at once: one that is warm loads the page in less time
		// than one of its own takes to start. What a page keeps is kept apart by the port of its mock.
		chromedp.Flag("renderer-process-limit", strconv.Itoa(runtime.GOMAXPROCS(0))),
		chromedp.Flag("incognito", true), // in memory
		chromedp.Env("TZ=UTC"),
		// The browser asks no server but the mock for anything.
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("no-pings", true),
		chromedp.Flag("ignore-certificate-errors", true), // nobody vouches for that of a test's mock
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	)
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, endBrowser := chromedp.NewContext(allocator)
	b.ctx, b.end = ctx, func() { endBrowser(); endAllocator() }
	return chromedp.Do(ctx) // starts it
}

func (b *browser) close() error {
	if b.ctx == nil {
		return nil
	}
	err := chromedp.Cancel(b.ctx)
	b.end()
	// Its processes may write on for a moment.
	for range 50 {
		if os.RemoveAll(b.profile) == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

func findBrowser() (string, error) {
	names := []string{
		"chromium-headless-shell", "headless-shell", // half the time of a browser with windows
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
		"/Applications/Chromium.app/Contents/MacOS/Chromium",
	}
	if named := cmp.Or(*browserFlag, os.Getenv("CHROME_BIN")); named != "" {
		names = []string{named}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}

// look is how a tab shows the page.
type look struct {
	width, height int64  // in CSS pixels, 1280 × 900 if zero
	scheme        string // light or dark, light if empty
	moves         bool   // whether anything is animated, which keeps all processors busy
}

// tab is a page in the browser. Whatever a test does with it, the page must say nothing on
// the console, and open no dialog.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// open shows a URL in a new tab, which is closed with the test.
func open(t *testing.T, url string, how look) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(shared.tabs(t))
	t.Cleanup(closeTab)
	p := &tab{t, ctx}
	p.listen()
	// chromedp has asked for five events of each request, and a page makes fifty.
	call(p, network.Disable, cdp.Empty{})
	p.show(how)
	p.do(chromedp.Navigate(url))
	return p
}

// show changes how the tab shows the page.
func (p *tab) show(how look) {
	p.t.Helper()
	if how.width == 0 {
		how.width, how.height = 1280, 900
	}
	motion := "reduce"
	if how.moves {
		motion = "no-preference"
	}
	p.do(chromedp.EmulateViewport(how.width, how.height))
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: cmp.Or(how.scheme, "light")},
		{Name: "prefers-reduced-motion", Value: motion},
	}})
}

// listen collects what the page must not do, for the end of the test.
func (p *tab) listen() {
	var mu sync.Mutex
	var unwanted []string
	add := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		unwanted = append(unwanted, what)
	}
	messages := chromedp.Console(p.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for message, err := range messages {
			if err != nil {
				return
			}
			if message.Source != "network" { // the browser's message about an answer that is an error
				add(fmt.Sprintf("console %s: %s %s", message.Type, message.Text, message.URL))
			}
		}
	}()
	err := chromedp.Listen(p.ctx, func(event any) {
		if dialog, ok := event.(*page.EventJavascriptDialogOpening); ok {
			add("dialog: " + dialog.Message)
		}
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = chromedp.Cancel(p.ctx)
		<-done
		mu.Lock()
		defer mu.Unlock()
		if len(unwanted) > 0 {
			p.t.Errorf("the page did what it must not:\n%s", strings.Join(unwanted, "\n"))
		}
	})
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.fail(err)
	}
}

// clicking clicks an element that can be seen, works, and has nothing lying over it. The page does
// it in one go, since a mouse misses what moves between the look and the click.
const clicking = `((element) => {
	if (!element?.checkVisibility() || element.disabled) return false;
	element.scrollIntoView({ block: 'nearest', behavior: 'instant' });
	const { left, top, width, height } = element.getBoundingClientRect();
	if (!element.contains(document.elementFromPoint(left + width / 2, top + height / 2))) return false;
	element.focus();
	element.click();
	return true;
})(document.querySelector(%q))`

// click clicks what a CSS selector finds first.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.wait(fmt.Sprintf(clicking, selector))
}

// clickWords clicks the first element that a selector finds and that shows these words and no others.
func (p *tab) clickWords(selector, words string) {
	p.t.Helper()
	found := fmt.Sprintf("[...document.querySelectorAll(%q)].find((e) => e.checkVisibility() && e.innerText === %q)",
		selector, words)
	p.wait(found + " !== undefined")
	eval[bool](p, "("+found+").click(), true")
}

// press presses keys, as a person does, wherever the focus is.
func (p *tab) press(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		p.do(chromedp.KeyEvent(key))
	}
}

// wait waits until a JavaScript expression is true.
func (p *tab) wait(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	poll := chromedp.Poll[bool](expression, chromedp.WithPollingInterval(50*time.Millisecond),
		chromedp.WithPollingTimeout(patience))
	if _, err := chromedp.Run(ctx, poll); err != nil {
		p.fail(fmt.Errorf("waited for %s: %w", expression, err))
	}
}

// waitText waits until what a selector finds shows some words.
func (p *tab) waitText(selector, words string) {
	p.t.Helper()
	p.wait(
		fmt.Sprintf(
			"[...document.querySelectorAll(%q)].some((e) => e.checkVisibility() && e.innerText.replaceAll('\u00a0', "+
				"' ').includes(%q))", selector, words))
}

// fail ends the test, with a picture of the page where CI keeps such things.
func (p *tab) fail(err error) {
	p.t.Helper()
	if picture, e := chromedp.Run(p.ctx, chromedp.CaptureScreenshot()); e == nil {
		name := p.t.ArtifactDir() + "/page.png"
		if os.WriteFile(name, picture, 0o600) == nil {
			p.t.Logf("the page: %s", name)
		}
	}
	p.t.Fatal(err)
}

// eval returns the value of a JavaScript expression, or what a promise comes to.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.fail(fmt.Errorf("%s: %w", expression, err))
	}
	return value
}

// call runs a command of the DevTools protocol.
func call[P, R any](p *tab, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	result, err := chromedp.Call(p.ctx, command, params)
	if err != nil {
		p.fail(err)
	}
	return result
}
