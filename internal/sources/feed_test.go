package sources

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
)

func readTestdata(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestParseFeed(t *testing.T) {
	t.Parallel()
	published := time.Date(2020, 5, 11, 6, 0, 0, 0, time.UTC)
	hall := articles.Draft{
		ExternalKey: "tag:example.org,2020:hall", GUID: "tag:example.org,2020:hall", URL: "https://www.example.org/hall",
		Title: "The hall & its machines", Summary: "It opens in May.", HTML: `<p>The hall <a href="/x">opens</a>.</p>`, Language: "it",
		Tags: []string{"robots", "may"}, Authors: []string{"Press office"}, ImageURL: "https://www.example.org/hall.jpg", Published: published,
	}
	tests := []struct {
		file string
		want []articles.Draft
	}{
		{"feed.rss", []articles.Draft{
			{
				ExternalKey: "https://www.example.org/plain", URL: "https://www.example.org/plain", Title: "Plain words only, 5 < 6.",
				Text: "Plain words only, 5 < 6.", Language: "en",
			},
			hall,
		}},
		{"feed.atom", []articles.Draft{
			{
				ExternalKey: "urn:x:2", GUID: "urn:x:2", URL: "https://www.example.org/two", Title: "Second", HTML: "<p>Short.</p>",
				Language: "it", Authors: []string{"Museum"}, Updated: published.Add(time.Hour),
			},
			func() articles.Draft { d := hall; d.ImageURL, d.Updated = "", published.Add(time.Hour); return d }(),
		}},
		{"feed.json", []articles.Draft{
			{
				ExternalKey: "2", GUID: "2", URL: "https://www.example.org/two", Title: "First line.", Text: "First line.\n\nSecond line.",
				Language: "it", Authors: []string{"Museum"},
			},
			hall,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			got, err := ParseFeed(readTestdata(t, tt.file), "", "https://www.example.org/feeds/all")
			if err != nil {
				t.Fatal(err)
			}
			utc := cmp.Transformer("utc", func(at time.Time) string { return at.UTC().String() })
			if diff := cmp.Diff(tt.want, got, utc); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseFeedRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                                 "cannot be read as an RSS, Atom or JSON feed",
		"hello":                            "cannot be read as an RSS, Atom or JSON feed",
		"<!doctype html><title>x</title>":  "is a web page, not a feed",
		"<rss><channel><item><title>\nx":   "cannot be read as an RSS, Atom or JSON feed",
		`{"version": "https://jsonfeed`:    "cannot be read as an RSS, Atom or JSON feed",
		"\x00\x01\x02\x03":                 "cannot be read as an RSS, Atom or JSON feed",
		"<?xml version='1.0'?><svg></svg>": "cannot be read as an RSS, Atom or JSON feed",
	}
	for in, says := range tests {
		_, err := ParseFeed([]byte(in), "", "https://www.example.org/feed")
		if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") ||
			!strings.HasPrefix(err.Error(), "https://www.example.org/feed") {
			t.Errorf("%q: error %v, want %q", in, err, says)
		}
	}
}

func TestParseFeedPassesOverNothing(t *testing.T) {
	t.Parallel()
	got, err := ParseFeed([]byte(`<rss version="2.0"><channel><title>x</title>
		<item></item>
		<item><guid>1</guid><title>New</title><link>https://www.example.org/1</link>
			<description>&lt;img src="/count.gif" width="1"&gt;Text.</description></item>
		<item><guid>1</guid><title>Old</title><link>https://www.example.org/1</link></item>
		<item><guid>2</guid><description>&lt;script&gt;x&lt;/script&gt;</description></item>
	</channel></rss>`), "", "https://www.example.org/feed")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Title != "New" || got[0].ImageURL != "" {
		t.Errorf("got %+v", got)
	}
}

func FuzzParseFeed(f *testing.F) {
	for _, name := range []string{"feed.rss", "feed.atom", "feed.json"} {
		f.Add(readTestdata(f, name))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		drafts, err := ParseFeed(body, "", "https://www.example.org/feed")
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("the error has several lines: %q", err)
		}
		for _, d := range drafts {
			if err := d.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
