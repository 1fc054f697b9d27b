package sources

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"silkpost/internal/articles"
)

func TestReadHTML(t *testing.T) {
	t.Parallel()
	chinese, err := simplifiedchinese.GBK.NewEncoder().String(`<html lang="zh-cn"><meta charset="gbk"><title>科学中心</title><p>开放`)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, in string
		want     articles.Draft
	}{
		{
			"head", `<!doctype html><html lang="en-gb"><head><title>The hall opens | Example Museum</title>
			<meta name="Description" content="It opens."><meta name="author" content="Press office">
			<meta property="article:published_time" content="2020-05-11T08:00:00+02:00">
			<meta property="article:modified_time" content="2020-05-12">
			<meta property="article:section" content="News"><meta property="article:tag" content="robots"><meta property="article:tag" content="may">
			<meta property="og:image" content="https://www.example.org/i.jpg">
			<link rel="canonical" href="https://www.example.org/hall"></head>
			<body><header>Example Museum</header><nav>Home</nav><h1>The <em>hall</em> opens</h1><p>Text.</p><aside>More</aside><footer>Legal</footer></body></html>`,
			articles.Draft{
				Title: "The hall opens", Summary: "It opens.", Language: "en-GB", URL: "https://www.example.org/hall", Section: "News",
				Authors: []string{"Press office"}, Tags: []string{"robots", "may"}, ImageURL: "https://www.example.org/i.jpg",
				Published: time.Date(2020, 5, 11, 6, 0, 0, 0, time.UTC), Updated: time.Date(2020, 5, 12, 0, 0, 0, 0, time.UTC),
				HTML: "<p>Text.</p>",
			},
		},
		{"title only", `<title> The &amp; hall </title><p>Text.</p>`, articles.Draft{Title: "The & hall", HTML: "<p>Text.</p>"}},
		{"heading only", `<h1>Hall</h1><h1>Other</h1><p>Text.</p>`, articles.Draft{Title: "Hall", HTML: "<h1>Other</h1><p>Text.</p>"}},
		{"one article", `<title>Hall</title><div>Menu</div><article><p>Text.</p></article><div>More</div>`, articles.Draft{Title: "Hall", HTML: "<p>Text.</p>"}},
		{"main", `<title>Hall</title><div>Menu</div><main><p>Text.</p></main>`, articles.Draft{Title: "Hall", HTML: "<p>Text.</p>"}},
		{
			"claims that cannot be", `<html lang="??"><title>Hall</title><link rel="canonical" href="javascript:x"><meta property="article:published_time" content="soon"><p>Text.</p>`,
			articles.Draft{Title: "Hall", HTML: "<p>Text.</p>"},
		},
		{"UTF-16", "\xff\xfe<\x00t\x00i\x00t\x00l\x00e\x00>\x00T\x00<\x00/\x00t\x00i\x00t\x00l\x00e\x00>\x00x\x00", articles.Draft{Title: "T", HTML: "x"}},
		{"another character set", chinese, articles.Draft{Title: "科学中心", Language: "zh-CN", HTML: "<p>开放</p>"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := readHTML(file{body: []byte(tt.in)})
			if err != nil {
				t.Fatal(err)
			}
			got.HTML, got.Published = strings.TrimSpace(got.HTML), got.Published.UTC()
			if got.Published.IsZero() {
				got.Published = time.Time{}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHeadline(t *testing.T) {
	t.Parallel()
	const p = "<p>Text of the hall.</p>"
	tests := []struct{ name, in, title, html string }{
		{
			"the site's name in a header",
			`<title>The new hall opens - Example Museum</title><header><h1><a href="/">Example Museum</a></h1></header><div><h2>The new hall opens</h2>` + p + `</div>`,
			"The new hall opens", "<div>" + p + "</div>",
		},
		{
			"the site's name in a div, the headline beside it",
			`<title>The new hall opens - Example Museum</title><div><h1><a href="https://www.example.org/">Example Museum</a></h1></div><h1>The new hall opens</h1>` + p,
			"The new hall opens", "<div></div>" + p,
		},
		{"around it a link", `<title>Hall | Museum</title><a href="index.html"><h1>Museum</h1></a><h1>Hall</h1>` + p, "Hall", `<a href="index.html"></a>` + p},
		{"the article's own", `<title>Museum</title><h1>Museum</h1><article><header><h1>Hall</h1></header>` + p + `<h1>More</h1></article>`, "Hall", "<header></header>" + p + "<h1>More</h1>"},
		{"before og:title", `<meta property="og:title" content="Else"><main><h1>Hall</h1>` + p + `</main>`, "Hall", p},
		{"og:title", `<title>x</title><meta property="og:title" content=" Hall &amp; co "><h1>Museum</h1><h2>Hall &amp; co</h2>` + p, "Hall & co", "<h1>Museum</h1>" + p},
		{"og:title with the site's name", `<meta property="og:title" content="Hall – Museum"><h1>Museum</h1><h2>Hall</h2>` + p, "Hall", "<h1>Museum</h1>" + p},
		{"a heading above the main part", `<title>x</title><h1>Hall</h1><main>` + p + `</main>`, "Hall", p},
		{"a headline that is a link", `<title>x</title><h1><a href="/2020/hall">Hall</a></h1>` + p, "Hall", p},
		{"a headline with an anchor", `<title>x</title><h1><a href="#hall">Hall</a></h1>` + p, "Hall", p},
		{"several headings, the title tells which", `<title>Museum: Hall</title><h1>Today</h1><h1>Hall</h1>` + p, "Hall", "<h1>Today</h1>" + p},
		{"the header's heading in the title", `<title>Hall - Museum</title><header><h1>Museum</h1></header><main>` + p + `</main>`, "Hall - Museum", p},
		{"part of a word is no part of the title", `<title>Hallway - Museum</title><h1>a</h1><h1>b</h1><h2>Hall</h2>` + p, "Hallway - Museum", "<h1>a</h1><h1>b</h1><h2>Hall</h2>" + p},
		{"nor is a part of a phrase", `<title>Hall of fame - Museum</title><h1>a</h1><h1>b</h1><h2>Hall</h2>` + p, "Hall of fame - Museum", "<h1>a</h1><h1>b</h1><h2>Hall</h2>" + p},
		{"nor of a word with a hyphen", `<title>Hall-keeper</title><h1>a</h1><h1>b</h1><h2>Hall</h2>` + p, "Hall-keeper", "<h1>a</h1><h1>b</h1><h2>Hall</h2>" + p},
		{"the longest that fits", `<title>Hall: a tour - Museum</title><h1>Hall</h1><h1>Hall: a tour</h1>` + p, "Hall: a tour", "<h1>Hall</h1>" + p},
		{"a second heading as last resort", `<title>Museum</title><nav>Menu</nav><h2>Hall</h2>` + p + `<h2>Floor</h2>` + p, "Hall", p + "<h2>Floor</h2>" + p},
		{"a second heading within the text", `<title>Hall</title>` + p + `<h2>Floor</h2>` + p, "Hall", p + "<h2>Floor</h2>" + p},
		{"nothing but the site's name", `<header><h1><a href="/">Museum</a></h1></header>` + p, "Museum", p},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := readHTML(file{body: []byte(tt.in)})
			if err != nil || got.Title != tt.title || strings.TrimSpace(got.HTML) != tt.html {
				t.Errorf("title %q, text %q, error %v", got.Title, got.HTML, err)
			}
		})
	}
}
