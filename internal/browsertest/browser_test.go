//go:build browser

package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"silkpost/internal/testkit"
)

// patience is for how long a page may take.
const patience = 30 * time.Second

// names are what Chromium is called; the last is where macOS has it.
var names = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
	"/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
}

// findBrowser returns the program that CHROMIUM names, else the first that is there.
func findBrowser(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no Chromium: install it with  script/setup chromium  or set CHROMIUM to where it is")
	return ""
}

// launch starts a browser, which ends with the test.
func launch(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(findBrowser(t)), chromedp.DisableGPU,
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("font-render-hinting", "none"), chromedp.Flag("lang", "en-GB"))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses root
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, closeBrowser := chromedp.NewContext(ctx)
	t.Cleanup(closeBrowser)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	return ctx
}

// view is how a page is looked at.
type view struct {
	width, height int64
	scheme        string // light or dark
}

func (v view) String() string { return fmt.Sprintf("%d-%s", v.width, v.scheme) }

// phone reports whether the view is one of a device that is held in a hand.
func (v view) phone() bool { return v.width < 640 }

// tab is a page in a view. What the browser complains about fails the test.
type tab struct {
	t      *testing.T
	ctx    context.Context
	view   view
	errors bool // pages are opened that answer with a status of errors, which the browser tells its console
}

// open opens an empty tab that asks for pages in a language.
func open(t *testing.T, browser context.Context, v view, language string) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	tb := &tab{t: t, ctx: ctx}
	tb.listen(ctx)
	tb.resize(v)
	command(tb, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
		Headers: network.Headers{"Accept-Language": language},
	})
	return tb
}

// resize makes the tab look at pages in a view.
func (tb *tab) resize(v view) {
	tb.t.Helper()
	tb.view = v
	var options []chromedp.EmulateViewportOption
	if v.phone() {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	tb.do(chromedp.EmulateViewport(v.width, v.height, options...))
	command(tb, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}},
	})
}

// listen takes note of what goes wrong on a page or in its frame.
func (tb *tab) listen(ctx context.Context) {
	tb.t.Helper()
	heard := &complaints{}
	if err := chromedp.Listen(ctx, heard.hear); err != nil {
		tb.t.Fatal(err)
	}
	tb.t.Cleanup(func() {
		for _, complaint := range heard.all() {
			if tb.errors && strings.Contains(complaint, "the server responded with a status of") {
				continue
			}
			tb.t.Errorf("the console says: %s", complaint)
		}
	})
}

// do runs an action, within limits.
func (tb *tab) do(action chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	result(tb, action)
}

// result runs an action, within limits, and returns what it gives.
func result[T any](tb *tab, action chromedp.Action[T]) T {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		tb.t.Fatal(err)
	}
	return value
}

// command gives the browser a command that no action stands for.
func command[P, R any](tb *tab, command cdp.Command[P, R], params P) {
	tb.t.Helper()
	if _, err := chromedp.Call(tb.ctx, command, params); err != nil {
		tb.t.Fatal(err)
	}
}

// text returns the words of an element.
func (tb *tab) text(selector chromedp.CSS) string {
	tb.t.Helper()
	return strings.TrimSpace(result(tb, chromedp.Text(selector)))
}

// eval returns what an expression gives on the page.
func eval[T any](tb *tab, expression string) T {
	tb.t.Helper()
	return result(tb, chromedp.Evaluate[T](expression))
}

// visit opens an address and checks what must hold for every page: it is there, and nothing of it is wider than the screen.
func (tb *tab) visit(address string) {
	tb.t.Helper()
	tb.open(address, 200)
}

// open opens an address that answers with a status.
func (tb *tab) open(address string, status int64) {
	tb.t.Helper()
	tb.leads(chromedp.Navigate(address), status)
	tb.fits(address)
}

// fits fails when the page can be scrolled to the side.
func (tb *tab) fits(what string) {
	tb.t.Helper()
	if width := eval[int64](tb, `document.documentElement.scrollWidth`); width > tb.view.width {
		tb.t.Errorf("%s: %d px wide on a screen of %d px", what, width, tb.view.width)
	}
}

// frame returns the page in the tab's frame, which a browser keeps apart from the page around it.
func (tb *tab) frame(address string) *tab {
	tb.t.Helper()
	var found target.ID
	testkit.Eventually(tb.t, patience, "the frame shows "+address, func() bool {
		targets, err := chromedp.Targets(tb.ctx)
		if err != nil {
			tb.t.Fatal(err)
		}
		for _, info := range targets {
			if info.Type == "iframe" && info.URL == address {
				found = info.TargetID
			}
		}
		return found != ""
	})
	ctx, leave := chromedp.NewContext(tb.ctx, chromedp.WithTargetID(found))
	tb.t.Cleanup(leave)
	inside := &tab{t: tb.t, ctx: ctx, view: tb.view}
	inside.listen(ctx)
	return inside
}

// picture keeps a picture of the whole page if pictures are wanted.
func (tb *tab) picture(name string) {
	tb.t.Helper()
	if *keep != "" {
		tb.save(filepath.Join(*keep, name+"-"+tb.view.String()+".png"), chromedp.FullScreenshot(100))
	}
}

func (tb *tab) save(path string, take chromedp.Action[[]byte]) {
	tb.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.t.Fatal(err)
	}
	if err := os.WriteFile(path, result(tb, take), 0o644); err != nil {
		tb.t.Fatal(err)
	}
}

// complaints collects what a browser's console shows in red.
type complaints struct {
	mu    sync.Mutex
	heard []string
}

func (c *complaints) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		c.add(e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		c.add("a page without scripts wrote to the console: " + string(e.Type))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			c.add(e.Entry.Text + " " + e.Entry.URL)
		}
	}
}

func (c *complaints) add(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, text)
}

func (c *complaints) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard
}
