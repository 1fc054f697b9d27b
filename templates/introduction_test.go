package templates

import (
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"
	"golang.org/x/net/html"
)

func TestIntroductions(t *testing.T) {
	t.Parallel()
	look := newLooks(Theme{})
	for source, want := range map[string]struct{ html, text string }{
		"One *word*,\ntwo **lines**": {"<p>One <em>word</em>,\ntwo <strong>lines</strong></p>", "One word, two lines"},
		"# Head\n\nand `code`":       {"<h2>Head</h2>\n<p>and <code>code</code></p>", "Head\n\nand code"},
		"[a](https://example.org/?a=1&b=2) [a](https://example.org/)": {
			`<p><a href="https://example.org/?a=1&amp;b=2">a</a> <a href="https://example.org/">a</a></p>`, "a [3] a [4]\n\n[3] https://example.org/?a=1&b=2\n[4] https://example.org/",
		},
		"https://example.org/ and a@example.org": {
			`<p><a href="https://example.org/">https://example.org/</a> and <a href="mailto:a@example.org">a@example.org</a></p>`,
			"https://example.org/ and a@example.org",
		},
		"[bad](javascript:alert(1)) [file](file:///etc/passwd) [here](/news)": {"<p>bad file here</p>", "bad file here"},
		"![A river](https://example.org/r.jpg)":                               {`<p><a href="https://example.org/r.jpg">A river</a></p>`, "A river [3]\n\n[3] https://example.org/r.jpg"},
		"<b>bold</b> &amp; &#8238; &lt;":                                      {"<p>&lt;b&gt;bold&lt;/b&gt; &amp;  &lt;</p>", "<b>bold</b> & <"},
		"- a\n- b\n\n3. c\n4. d": {
			"<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<ol start=\"3\">\n<li>c</li>\n<li>d</li>\n</ol>", "- a\n- b\n\n3. c\n4. d",
		},
		"> said\n>\n> twice":   {"<blockquote><p>said</p>\n<p>twice</p>\n</blockquote>", "> said\n>\n> twice"},
		"```\nx < y\n  z\n```": {"<p>x &lt; y<br>  z</p>", "x < y\nz"},
		"a\n\n***\n\nb":        {"<p>a</p>\n<p>* * *</p><p>b</p>", "a\n\n* * *\n\nb"},
		"学生们在\n河边":             {"<p>学生们在河边</p>", "学生们在河边"},
		"":                     {"", ""},
	} {
		got, err := introduce(source, "en", "en", &look)
		if err != nil {
			t.Fatal(err)
		}
		text, counted := got.text(2)
		if links := strings.Count(want.text, "\n["); counted != 2+links {
			t.Errorf("%q: %d links are counted", source, counted-2)
		}
		if bare := bared(string(got.HTML)); unbroken(bare) != unbroken(want.html) || text != want.text {
			t.Errorf("%q gives\n%s\n%s\nwant\n%s\n%s", source, bare, text, want.html, want.text)
		}
	}
}

// unbroken leaves out line breaks, which mean nothing between blocks.
func unbroken(s string) string { return strings.ReplaceAll(s, "\n", "") }

// bared returns HTML without class and style.
func bared(s string) string {
	var out strings.Builder
	for z := html.NewTokenizer(strings.NewReader(s)); z.Next() != html.ErrorToken; {
		token := z.Token()
		var kept []html.Attribute
		for _, a := range token.Attr {
			if a.Key != "class" && a.Key != "style" {
				kept = append(kept, a)
			}
		}
		token.Attr = kept
		out.WriteString(token.String())
	}
	return out.String()
}

func FuzzIntroduction(f *testing.F) {
	f.Add("# a\n\n- b\n  > c\n\n[d](https://example.org) `e` ![f](g) <h>&#8238;\n\n```\n1\n```")
	f.Add("1000000000. a\n" + strings.Repeat("> ", 40) + "deep")
	f.Fuzz(func(t *testing.T, source string) {
		look := newLooks(Theme{})
		got, err := introduce(source, "ar", "ar", &look)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := got.text(0)
		if strings.ContainsFunc(string(got.HTML)+text, overrides) {
			t.Errorf("%q turns round what follows: %q", source, text)
		}
		open := 0
		for z := html.NewTokenizer(strings.NewReader(string(got.HTML))); ; {
			switch z.Next() {
			case html.ErrorToken:
				if open != 0 {
					t.Errorf("%q leaves %d tags open: %s", source, open, got.HTML)
				}
				return
			case html.StartTagToken:
				token := z.Token()
				if token.Data != "br" {
					open++
				}
				for _, a := range token.Attr {
					if strings.HasPrefix(a.Key, "on") || a.Key == "src" {
						t.Errorf("%q has %s=%q", source, a.Key, a.Val)
					}
				}
			case html.EndTagToken:
				open--
			}
		}
	})
}

func TestIntroductionsAreWrapped(t *testing.T) {
	t.Parallel()
	look := newLooks(Theme{})
	words := strings.Repeat("International Federation of Science Centres ", 8)
	got, err := introduce("> 10. "+words+"\n>\n>     - "+words+"\n\n"+words, "en", "en", &look)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := got.text(0)
	for l := range strings.Lines(text) {
		if displaywidth.String(strings.TrimRight(l, "\n")) > columns {
			t.Errorf("%d columns: %s", displaywidth.String(l), l)
		}
	}
}
