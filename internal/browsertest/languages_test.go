//go:build browser

package browsertest

import (
	"strings"
	"testing"
)

// TestLanguages looks at the form and at a digest in languages of many scripts, on a phone: every line keeps to the screen, and nothing is
// left in another language than the reader's.
func TestLanguages(t *testing.T) {
	browser, p := launch(t), start(t)
	for _, l := range []struct{ tag, direction, reader, subscribe, mayUnsubscribe string }{
		{"ur", "rtl", "secretariat@indus-science.example", "رکنیت لیں", "رکنیت ختم کریں"},
		{"th", "ltr", "office@tide-museum.example", "สมัครรับ", "ยกเลิกการรับ"},
		{"ja", "ltr", "jimukyoku@wangan-kagaku.example", "登録する", "配信停止"},
		{"uk", "ltr", "kantseliariia@stepovyi-instytut.example", "Підписатися", "Відписатися"},
		{"sr-Latn", "ltr", "volonteri@nauka-na-reci.example", "Prijavite se", "Odjava"},
	} {
		t.Run(l.tag, func(t *testing.T) {
			tb := open(t, browser, view{390, 844, "light"}, l.tag)
			tb.visit(p.url + "/s/partners")
			tb.picture("subscribe-in-" + l.tag)
			tb.accessible("the form in " + l.tag)
			tb.says("main form button", l.subscribe)
			tb.runs("html", l.tag, l.direction)
			for own, direction := range map[string]string{"ur": "rtl", "ar": "rtl", "ja": "ltr", "sr-Cyrl": "ltr"} {
				tb.runs(`.switch [lang="`+own+`"]`, own, direction)
			}
			tb.visit(p.mailTo(t, l.reader) + "/html")
			tb.picture("digest-in-" + l.tag)
			tb.runs("html", l.tag, l.direction)
			if !strings.Contains(tb.text("body"), l.mayUnsubscribe) {
				t.Errorf("the digest does not say %q", l.mayUnsubscribe)
			}
		})
	}
}

// runs fails when an element is not marked as being in a language, or does not run in its direction.
func (tb *tab) runs(selector, lang, direction string) {
	tb.t.Helper()
	got := eval[string](tb, `(e => e.lang + ' ' + getComputedStyle(e).direction)(document.querySelector('`+selector+`'))`)
	if want := lang + " " + direction; got != want {
		tb.t.Errorf("%s is %s, want %s", selector, got, want)
	}
}
