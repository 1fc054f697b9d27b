package articles

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"paragraphs", "<p>One\n line.</p><p>Two.</p>", "One line.\n\nTwo."},
		{"breaks", "<p>One<br/>two<br/><br/>three</p>", "One\ntwo\n\nthree"},
		{"inline", "<p>A <b>bold</b>, <i>word</i>s</p>", "A bold, words"},
		{"link", `<p>See <a href="https://example.org/a">the page</a>.</p>`, "See the page <https://example.org/a>."},
		{"bare link", `<a href="https://example.org/a">https://example.org/a</a>`, "https://example.org/a"},
		{
			"mail", `<a href="mailto:a@example.org">a@example.org</a> <a href="mailto:a@example.org">us</a>`,
			"a@example.org us <mailto:a@example.org>",
		},
		{"empty link", `<a href="https://example.org/a"><img src="https://example.org/i.png"/></a>b`, "b"},
		{"list", "<ul><li>a</li><li><p>b</p></li></ul><p>c</p>", "- a\n\n- b\n\nc"},
		{"numbers", `<ol start="3"><li>a</li> <li>b</li></ol>`, "3. a\n4. b"},
		{"table", "<table><tr><th>a</th><th>b</th></tr><tr><td>c</td><td>d</td></tr></table>", "a | b\nc | d"},
		{"pre", "<pre>a  b\n  c</pre>", "a  b\n  c"},
		{"reading", "<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>", "漢字"},
		{"entities", "<p>&lt;b&gt; &amp; c</p>", "<b> & c"},
		{"heading", "<h2>Title</h2>text", "Title\n\ntext"},
	}
	for _, tt := range tests {
		if got := Text(tt.in); got != tt.want {
			t.Errorf("%s: Text(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"Robots &amp; <em>people</em>": "Robots & people",
		"a\n  b\t":                     "a b",
		"5 < 6":                        "5 < 6",
		"AT&T":                         "AT&T",
		"<script>x</script>news":       "news",
	}
	for in, want := range tests {
		if got := Line(in); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParagraphsHTML(t *testing.T) {
	t.Parallel()
	got := paragraphsHTML("One <b>\r\ntwo\r\n \r\n\r\nThree & four\n")
	if want := "<p>One &lt;b&gt;<br/>two</p>\n<p>Three &amp; four</p>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if clean := Clean(got, ""); clean != got {
		t.Errorf("cleaning changes it: %s", cmp.Diff(got, clean))
	}
}
