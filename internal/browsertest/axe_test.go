//go:build browser

package browsertest

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// axeFile is where script/setup keeps axe-core.
const axeFile = "../../bin/axe.min.js"

// runAxe checks the page against WCAG 2.2 A and AA and against what is good practice, and gives what it finds, a line each.
const runAxe = `axe.run(document, {
	runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
	rules: {'target-size': {enabled: true}},
	resultTypes: ['violations'],
}).then(found => found.violations.flatMap(v => v.nodes.slice(0, 3).map(n => v.id + ': ' + v.help + ': ' + n.html.slice(0, 200) + ' ' + n.failureSummary)))`

// accessibleMail is accessible for a mail, which a mail program shows inside a page of its own: the landmarks are that page's.
func (tb *tab) accessibleMail(what string) {
	tb.t.Helper()
	tb.finds(what, strings.Replace(runAxe, "rules: {", "rules: {'landmark-one-main': {enabled: false}, 'region': {enabled: false}, ", 1))
}

// accessible fails with what axe-core finds on the page.
func (tb *tab) accessible(what string) {
	tb.t.Helper()
	tb.finds(what, runAxe)
}

func (tb *tab) finds(what, run string) {
	tb.t.Helper()
	if !eval[bool](tb, `'axe' in window`) {
		tb.do(chromedp.Evaluate[chromedp.Void](axe(tb.t)))
	}
	for _, violation := range result(tb, chromedp.Evaluate[[]string](run, chromedp.EvalAwaitPromise)) {
		tb.t.Errorf("%s: %s", what, violation)
	}
}

func axe(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile(axeFile)
	if err != nil {
		t.Fatalf("there is no axe-core: fetch it with  script/setup axe  (%v)", err)
	}
	return string(script)
}

// focused is the element with the focus: its markup and how it is marked out.
const focused = `(() => {
	const e = document.activeElement, style = getComputedStyle(e);
	return e === document.body ? '' : [style.outlineStyle, parseFloat(style.outlineWidth) >= 2, e.outerHTML.slice(0, 120)].join(' ');
})()`

// tabbable walks through the page by keyboard, up to a number of steps, and fails when it cannot be seen where one is.
func (tb *tab) tabbable(what string, steps int) {
	tb.t.Helper()
	if n := eval[int](tb, `document.querySelectorAll('a[href], button, input:not([type=hidden])').length`); n < steps {
		steps = n
	}
	for i := range steps {
		tb.do(chromedp.KeyEvent(kb.Tab))
		if at := eval[string](tb, focused); !strings.HasPrefix(at, "solid true ") {
			tb.t.Errorf("%s: after %d tabs the focus is not to be seen: %q", what, i+1, at)
		}
	}
}
