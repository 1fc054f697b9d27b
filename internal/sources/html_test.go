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
