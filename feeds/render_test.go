package feeds_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

func TestRenderGolden(t *testing.T) {
	t.Parallel()
	for name, d := range cases() {
		for _, format := range feeds.Formats() {
			t.Run(name+"."+string(format), func(t *testing.T) {
				t.Parallel()
				testkit.Golden(t, filepath.Join("testdata", name+"."+string(format)), render(t, format, d))
			})
		}
	}
}

func render(t testing.TB, format feeds.Format, d document) []byte {
	t.Helper()
	body, err := feeds.Render(format, &d.frame, d.items, publicURL)
	if err != nil {
		t.Fatalf("Render(%s): %v", format, err)
	}
	return body
}

// A document made of fragments has the bytes that gorilla's writers would give.
func TestFragmentsMakeTheWhole(t *testing.T) {
	t.Parallel()
	for name, d := range cases() {
		for _, format := range feeds.Formats() {
			checkWhole(t, name, format, d)
		}
	}
}

func checkWhole(t *testing.T, name string, format feeds.Format, d document) {
	t.Helper()
	want, err := feeds.Whole(format, &d.frame, d.items, publicURL)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(render(t, format, d))); diff != "" {
		t.Errorf("%s.%s differs (-whole +fragments):\n%s", name, format, diff)
	}
}

// A document that is made again has the same bytes, in whatever zone its times come.
func TestSameContentSameBytes(t *testing.T) {
	t.Parallel()
	for name, d := range cases() {
		for _, format := range feeds.Formats() {
			want := render(t, format, d)
			for range 10 {
				if diff := cmp.Diff(string(want), string(render(t, format, elsewhere(d)))); diff != "" {
					t.Fatalf("%s.%s differs (-first +again):\n%s", name, format, diff)
				}
			}
		}
	}
}

// Processes in other time zones make the same goldens.
func TestTimeZoneOfProcess(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Asia/Kathmandu", "America/St_Johns"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^(TestRenderGolden|TestSameContentSameBytes)$")
		cmd.Env = append(os.Environ(), "TZ="+zone)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("TZ=%s: %v\n%s", zone, err, out)
		}
	}
}

func TestRenderRefusesUnknownFormat(t *testing.T) {
	t.Parallel()
	for name, items := range map[string][]feeds.Item{"no items": nil, "items": multilingual()} {
		body, err := feeds.Render("opml", &feeds.Frame{}, items, publicURL)
		if errs.KindOf(err) != errs.Invalid || body != nil {
			t.Errorf("%s: got %q and %v, want an Invalid error", name, body, err)
		}
	}
}

// Every element and attribute belongs to a namespace that its document declares, and is one of those that readers know.
func TestNamespaces(t *testing.T) {
	t.Parallel()
	known := map[string]bool{
		"": true, "xmlns": true, "http://www.w3.org/XML/1998/namespace": true, "http://www.w3.org/2005/Atom": true,
		"http://purl.org/rss/1.0/modules/content/": true, "http://purl.org/dc/elements/1.1/": true, "http://search.yahoo.com/mrss/": true,
		"http://purl.org/syndication/history/1.0": true, "http://purl.org/atompub/tombstones/1.0": true,
	}
	for name, d := range cases() {
		for _, format := range []feeds.Format{feeds.RSS, feeds.Atom} {
			for token := range tokens(t, render(t, format, d)) {
				start, ok := token.(xml.StartElement)
				if !ok {
					continue
				}
				for _, attr := range append(start.Attr, xml.Attr{Name: start.Name}) {
					if !known[attr.Name.Space] || attr.Name.Space == "xmlns" && attr.Value == "" {
						t.Errorf("%s.%s: %s has the namespace %q", name, format, attr.Name.Local, attr.Name.Space)
					}
				}
			}
		}
	}
}

// tokens reads doc, whose every byte must be well-formed.
func tokens(t *testing.T, doc []byte) func(yield func(xml.Token) bool) {
	t.Helper()
	return func(yield func(xml.Token) bool) {
		for dec := xml.NewDecoder(bytes.NewReader(doc)); ; {
			token, err := dec.Token()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, doc)
			}
			if !yield(token) {
				return
			}
		}
	}
}

// Nothing of a foreign page that runs, styles or spies gets into a document, and its addresses are whole.
func TestForeignMarkupIsHarmless(t *testing.T) {
	t.Parallel()
	const page = "https://www.example.org/news/1.html"
	const foreign = `<style>p{background:url(//evil.example/s)}</style><link rel="stylesheet" href="https://evil.example/l">
		<p style="position:fixed" class="evil" id="evil" onclick="evil()">Kept <a href="../2.html" onmouseover="evil()">words</a>.</p>
		<script src="//evil.example/x"></script><script>evil()</script><iframe src="https://evil.example/"></iframe>
		<object data="https://evil.example/o"></object><svg onload="evil()"><script>evil()</script></svg>
		<form action="https://evil.example/"><input name="evil"></form><a href="javascript:evil()">link</a>
		<a href="data:text/html,evil">data</a><img src="https://evil.example/open.gif" width="1" height="1">
		<img src="https://evil.example/t.gif" style="display:none"><img src="hall.jpg" onerror="evil()" alt="The hall">
		<!-- evil --><meta http-equiv="refresh" content="0;url=https://evil.example/"><base href="https://evil.example/">
		<video src="https://evil.example/v" autoplay></video>]]><script>evil()</script>`
	html := articles.Clean(foreign, page)
	item := feeds.Item{Article: articles.Article{
		GUID: page, URL: page, Title: "Foreign", Summary: articles.Summary(articles.Text(html)), HTML: html, Text: articles.Text(html), Language: "en",
	}}
	for _, format := range feeds.Formats() {
		body := render(t, format, framed(all(), item))
		if bytes.Contains(body, []byte("evil")) {
			t.Errorf("%s holds what it must not:\n%s", format, body)
		}
		got := read(t, format, body).Content
		for _, kept := range []string{`Kept <a href="https://www.example.org/2.html">words</a>`, `<img src="https://www.example.org/news/hall.jpg" alt="The hall"/>`} {
			if !strings.Contains(got, kept) {
				t.Errorf("%s lost %s:\n%s", format, kept, got)
			}
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "",
		"a\tb\nc 新闻 😀 \x7f\u0085\u2028\ufffd\ue000\U0010ffff": "a\tb\nc 新闻 😀 \x7f\u0085\u2028\ufffd\ue000\U0010ffff",
		"a\x00b\x08\x0b\x0c\x0e\x1fc":                         "abc",
		"a\ufffeb":                                            "ab",
		"a\uffffb":                                            "ab",
		"a\r\nb\rc":                                           "a\nb\nc",
		"a\xffb":                                              "a\ufffdb",
		"a\xed\xa0\x80b":                                      "a\ufffdb", // half of a pair of surrogates
		"a\xc0\x80b":                                          "a\ufffdb", // NUL in two bytes
	} {
		if got := feeds.Clean(text); got != want {
			t.Errorf("clean(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                         "",
		"https://www.example.org/a?b=%20c&d#e":     "https://www.example.org/a?b=%20c&d#e",
		"https://www.example.org/新闻?x=1~'()":       "https://www.example.org/新闻?x=1~'()",
		"https://www.example.org/a b\"<>\\^`{|}":   "https://www.example.org/a%20b%22%3C%3E%5C%5E%60%7B%7C%7D",
		"a\x00\x01b\nc\rd\te\x7f":                  "ab%0Ac%0Ad%09e%7F",
		"https://[2001:db8::1]:8443/[a]?b[]=c#[d]": "https://[2001:db8::1]:8443/%5Ba%5D?b%5B%5D=c#%5Bd%5D",
		"http://[::1]":                             "http://[::1]",
		"/?q=//[1]":                                "/?q=//%5B1%5D",
		"/100%?a=%zz%2&b=%2f":                      "/100%25?a=%25zz%252&b=%2f",
		"/a#b#c":                                   "/a#b%23c",
		"/\u3000a\u00a0":                           "/%E3%80%80a%C2%A0",
		"/\u0080\ue000\ufdd0\ufffd\U0001fffe\U000e0001\U000f0000😀": "/%C2%80%EE%80%80%EF%B7%90%EF%BF%BD%F0%9F%BF%BE%F3%A0%80%81%F3%B0%80%80😀",
	} {
		if got := feeds.Address(text); got != want {
			t.Errorf("address(%q) = %q, want %q", text, got, want)
		}
		if again := feeds.Address(want); again != want {
			t.Errorf("address(%q) = %q, want it as it is", want, again)
		}
	}
}

func TestAtomID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"https://www.example.org/1", "urn:uuid:0b1f6a52-4a0e-5d2b-9f0e-0d5d5bd3a001", "tag:example.org,2026:1", "tag:office@example.org,2026-05-18:",
		"urn:isbn:0451450523", "https://www.example.org/新闻", "mailto:office@example.org",
	} {
		if got := feeds.AtomID(id); got != id {
			t.Errorf("atomID(%q) = %q, want it as it is", id, got)
		}
	}
	seen := map[string]bool{}
	for _, id := range []string{
		"", "7", "post 7", "/relative", "https://", "https://www.example.org/a b", "https://www.example.org/<b>", "urn:", "a:\"",
		"http:a", "https://:80/", "https://www.example.org/?a[]=1", "https://www.example.org/100%", "tag:example.org:1", "tag:1", "urn:x", "urn:x:1", "urn:isbn:",
		"urn:uuid:7",
	} {
		got := feeds.AtomID(id)
		if !strings.HasPrefix(got, "urn:uuid:") || seen[got] || got != feeds.AtomID(id) {
			t.Errorf("atomID(%q) = %q, want a URN of its own", id, got)
		}
		seen[got] = true
	}
}

func TestIsPage(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"https://www.example.org/1": true, "http://www.example.org": true, "https://www.example.org/a b": false, "https://": false,
		"ftp://www.example.org/1": false, "urn:uuid:0b1f6a52-4a0e-5d2b-9f0e-0d5d5bd3a001": false, "www.example.org/1": false, "": false,
	} {
		if got := feeds.IsPage(id); got != want {
			t.Errorf("isPage(%q) = %t", id, got)
		}
	}
}

func TestImageType(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://www.example.org/a.jpg": "image/jpeg", "https://www.example.org/a.b/C.PNG?x=.gif#.svg": "image/png",
		"https://www.example.org/a.svg": "image/svg+xml", "https://www.example.org/a": "", "https://www.example.org/a.php?f=a.jpg": "",
		"https://www.example.org/a.jpg/": "", "https://www.example.org/.jpg%zz": "", "": "",
	} {
		if got := feeds.ImageType(address); got != want {
			t.Errorf("imageType(%q) = %q, want %q", address, got, want)
		}
	}
}

func decodeXML(t *testing.T, doc []byte, into any) {
	t.Helper()
	for range tokens(t, doc) { // xml.Unmarshal does not look behind the root
		continue
	}
	if err := xml.Unmarshal(doc, into); err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
}

func decodeJSON(t *testing.T, doc []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(doc, into); err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
}
