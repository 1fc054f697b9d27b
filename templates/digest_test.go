package templates_test

import (
	"strings"
	"testing"
	"time"

	"github.com/clipperhouse/displaywidth"
	"golang.org/x/net/html"

	"silkpost/internal/testkit"
	"silkpost/templates"
)

func TestDigestGoldens(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for lang := range templates.Examples {
		mail, err := set.Digest(digest(lang))
		if err != nil {
			t.Fatal(err)
		}
		testkit.Golden(t, "testdata/digest."+lang+".html", []byte(mail.HTML))
		testkit.Golden(t, "testdata/digest."+lang+".txt", []byte("Subject: "+mail.Subject+"\n\n"+mail.Text))
	}
}

func TestDigestsOfEveryShape(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for _, lang := range set.Catalogues() {
		for name, d := range digests(lang) {
			t.Run(lang+"/"+name, func(t *testing.T) {
				t.Parallel()
				mail, err := set.Digest(d)
				if err != nil {
					t.Fatal(err)
				}
				checkDigest(t, d, mail)
			})
		}
	}
}

// checkDigest holds for every digest, whatever its data.
func checkDigest(t *testing.T, d templates.Digest, mail templates.Mail) {
	t.Helper()
	root := parse(t, mail.HTML)
	checkHarmless(t, root)
	checkOverrides(t, mail.Subject+mail.HTML+mail.Text)
	if strings.ContainsFunc(mail.Subject, func(r rune) bool { return r < ' ' }) {
		t.Errorf("the subject %q is more than one line", mail.Subject)
	}
	for _, n := range find(root, "a") {
		href := attribute(n, "href")
		if href != d.UnsubscribeURL && href != d.PreferencesURL && href != d.ViewURL && !strings.HasPrefix(href, "http") && !strings.HasPrefix(href, "mailto:") {
			t.Errorf("a link leads to %q", href)
		}
	}
	for _, n := range find(root, "img") {
		if !strings.HasPrefix(attribute(n, "src"), "http") || !has(n, "alt") || attribute(n, "width") == "" {
			t.Errorf("a picture from %q without alt or width", attribute(n, "src"))
		}
	}
	if d.Introduction == "" && len(d.More) == 0 && len(find(root, "h2")) != len(d.Articles) {
		t.Errorf("%d headings for %d articles", len(find(root, "h2")), len(d.Articles))
	}
	for l := range strings.Lines(mail.Text) {
		if l = strings.TrimRight(l, "\n"); displaywidth.String(l) > 72 && !strings.Contains(l, "://") {
			t.Errorf("%d columns: %s", displaywidth.String(l), l)
		}
	}
	if d.ListName != "" && strings.Contains(mail.Text, "\n\n\n") {
		t.Error("two empty lines in a row")
	}
}

func has(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

func TestDigestKeepsPlaceholders(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for _, lang := range set.Catalogues() {
		mail, err := set.Digest(digest(lang))
		if err != nil {
			t.Fatal(err)
		}
		for where, count := range map[string]int{
			`>SPLICE0ADDRESS0<`:           strings.Count(mail.HTML, ">SPLICE0ADDRESS0<"),
			`href="SPLICE0UNSUBSCRIBE0"`:  strings.Count(mail.HTML, `href="SPLICE0UNSUBSCRIBE0"`) - 1, // on top and below
			`href="SPLICE0VIEW0"`:         strings.Count(mail.HTML, `href="SPLICE0VIEW0"`) - 1,
			"a line with the page":        strings.Count(mail.Text, "] SPLICE0VIEW0\n"),
			`href="SPLICE0PREFERENCES0"`:  strings.Count(mail.HTML, `href="SPLICE0PREFERENCES0"`) - 1,
			"a line with the preferences": strings.Count(mail.Text, "] SPLICE0PREFERENCES0\n"),
			"a line with the address":     strings.Count(mail.Text, "\nSPLICE0ADDRESS0\n"),
			"a line with the unsubscribe": strings.Count(mail.Text, "] SPLICE0UNSUBSCRIBE0\n"),
		} {
			if count != 1 {
				t.Errorf("%s: %s is there %d times", lang, where, count)
			}
		}
	}
}

// Where a mail comes from by post must stand in it, whether or not the sender has a name.
func TestDigestSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for _, sender := range []string{"Example Association", ""} {
		d := digest("en")
		d.SenderName = sender
		mail, err := set.Digest(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"1 Example Street", "00000 Exampletown"} {
			if !strings.Contains(mail.HTML, `<span dir="auto">`+line+`</span>`) || !strings.Contains(mail.Text, "\n"+line+"\n") {
				t.Errorf("sender %q: %q is missing in\n%s\n%s", sender, line, mail.HTML, mail.Text)
			}
		}
		if got := strings.Contains(mail.Text, "Sent by"); got != (sender != "") {
			t.Errorf("sender %q: %s", sender, mail.Text)
		}
	}
}

func TestDigestMarksFallbacks(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for lang, words := range map[string]string{
		"en": "In Arabic", "it": "In inglese", "zh-Hans": "语言：英语", "ar": "باللغة الإنجليزية", "de": "Auf Englisch", "ur": "زبان: انگریزی",
	} {
		mail, err := set.Digest(digest(lang))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(mail.HTML, words) != 2 || strings.Count(mail.Text, words) != 2 { // an article and one more
			t.Errorf("%s: %q does not stand twice in each part", lang, words)
		}
		other := fallback(lang).Language
		direction := map[string]string{"en": "ltr", "ar": "rtl"}[other]
		if !strings.Contains(mail.HTML, `<div lang="`+other+`" dir="`+direction+`"`) {
			t.Errorf("%s: the fallback's own language is not said", lang)
		}
	}
}

func TestDigestSubject(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	several, none, endless, given := digest("en"), digest("en"), digest("en"), digest("en")
	given.Subject = "Three things\r\nBcc: everybody@example.org"
	none.Articles = nil
	endless.Articles[0].Title = strings.Repeat("河", 400)
	for want, d := range map[string]templates.Digest{
		"News for our partners: A hundred schools measure the water of their river": several,
		"News for our partners, 24 November 2026":                                   none,
		"News for our partners: " + strings.Repeat("河", 59) + "…":                   endless,
		"Three things Bcc: everybody@example.org":                                   given,
	} {
		mail, err := set.Digest(d)
		if err != nil {
			t.Fatal(err)
		}
		if mail.Subject != want {
			t.Errorf("subject %q, want %q", mail.Subject, want)
		}
	}
}

func TestDigestIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	first, err := newSet(t).Digest(digest("ar"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := newSet(t).Digest(digest("ar"))
	if err != nil {
		t.Fatal(err)
	}
	if first != second {
		t.Error("two renderings differ")
	}
}

// A digest of forty articles stays well under the 102 kB at which Gmail cuts a mail off.
func TestDigestStaysSmall(t *testing.T) {
	t.Parallel()
	d := digest("zh-Hans")
	for len(d.Articles) < 40 {
		d.Articles = append(d.Articles, d.Articles[0])
	}
	mail, err := newSet(t).Digest(d)
	if err != nil {
		t.Fatal(err)
	}
	if len(mail.HTML) > 102_000 {
		t.Errorf("%d bytes", len(mail.HTML))
	}
}

func FuzzDigest(f *testing.F) {
	set := newSet(f)
	f.Add(hostile, "https://www.example.org/", "en", "Text\n\nmore")
	f.Add("\u202eعنوان", "javascript:alert(1)", "ar-Latn-x-ü", "\x00\xff")
	f.Add("標題「引用」。", "https://例え.example/ä b", "zh-Hant", strings.Repeat("漢", 200))
	f.Fuzz(func(t *testing.T, title, url, lang, summary string) {
		d := digest("ar")
		d.Articles = []templates.DigestArticle{{
			Title: title, URL: url, Section: title, Summary: summary, Language: lang, Fallback: true, ImageURL: url, ImageAlt: title,
		}}
		d.ListName, d.SenderName, d.PostalAddress, d.Date = title, title, summary, time.Unix(0, 0).UTC()
		d.Introduction, d.Subject, d.Preheader = summary+"\n\n["+title+"]("+url+")\n\n![x]("+url+")", title, summary
		mail, err := set.Digest(d)
		if err != nil {
			t.Fatal(err)
		}
		checkDigest(t, d, mail)
	})
}

func BenchmarkDigest(b *testing.B) {
	set := newSet(b)
	d := digest("en")
	for len(d.Articles) < 10 {
		d.Articles = append(d.Articles, d.Articles[0])
	}
	for b.Loop() {
		if _, err := set.Digest(d); err != nil {
			b.Fatal(err)
		}
	}
}
