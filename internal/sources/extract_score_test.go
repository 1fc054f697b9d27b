package sources

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/encoding/htmlindex"

	"silkpost/internal/articles"
)

// scored is what a page of the scored set, testdata/pages, is to give. The page is kept in UTF-8 and served in its Charset.
type scored struct {
	URL         string   `toml:"url"`
	ContentType string   `toml:"content_type"` // what its server says
	Charset     string   `toml:"charset"`      // "": UTF-8
	Title       string   `toml:"title"`
	Date        string   `toml:"date"` // RFC 3339; of another precision when it is one of day alone: 2006-01-02
	Language    string   `toml:"language"`
	Author      string   `toml:"author"`
	First       string   `toml:"first"` // the first sentence of the text
	Last        string   `toml:"last"`
	Without     []string `toml:"without"` // what must not be in the text
}

// score counts what was asked of a page and what of it was right.
type score struct {
	asked, right int
	wrong        []string
}

func (s *score) ask(what string, ok bool, got any) {
	s.asked++
	if ok {
		s.right++
		return
	}
	s.wrong = append(s.wrong, fmt.Sprintf("%s: %v", what, got))
}

// extractor is something that finds articles; see TestExtractionScore.
type extractor func(address string, body []byte, contentType string) (articles.Draft, error)

func (w scored) judge(t *testing.T, page []byte, extract extractor) score {
	t.Helper()
	var s score
	if w.Charset != "" {
		encoding, err := htmlindex.Get(w.Charset)
		if err != nil {
			t.Fatal(err)
		}
		if page, err = encoding.NewEncoder().Bytes(page); err != nil {
			t.Fatal(err)
		}
	}
	d, err := extract(w.URL, page, w.ContentType)
	if err != nil {
		s.ask("article", false, err)
	}
	text := d.Text
	if d.HTML != "" {
		text = articles.Text(articles.Clean(d.HTML, d.URL))
	}
	text = strings.Join(strings.Fields(text), " ")
	s.ask("title", d.Title == w.Title, d.Title)
	if w.Date != "" {
		day, _ := time.Parse(time.DateOnly, w.Date)
		at, _ := time.Parse(time.RFC3339, w.Date)
		s.ask("date", d.Published.Equal(at) || !day.IsZero() && d.Published.Format(time.DateTime) == day.Format(time.DateTime), d.Published.Format(time.RFC3339))
	}
	if w.Language != "" {
		s.ask("language", d.Language == w.Language, d.Language)
	}
	if w.Author != "" {
		s.ask("author", strings.Join(d.Authors, "; ") == w.Author, d.Authors)
	}
	s.ask("begins", strings.HasPrefix(text, w.First), text[:min(len(text), 150)])
	s.ask("ends", strings.HasSuffix(text, w.Last), text[max(0, len(text)-150):])
	for _, unwanted := range w.Without {
		s.ask("without "+unwanted, text != "" && !strings.Contains(text, unwanted), "it is there")
	}
	return s
}

// scoreFloor is what the scored set must give, in percent of what is asked.
const scoreFloor = 99

func TestExtractionScore(t *testing.T) {
	t.Parallel()
	s := scoreAll(t, "testdata/pages/*.html", Extract)
	percent := 100 * float64(s.right) / float64(s.asked)
	t.Logf("%d of %d facts are right: %.1f %%", s.right, s.asked, percent)
	if percent < scoreFloor {
		t.Errorf("the score is %.1f %%, less than %d %%", percent, scoreFloor)
	}
}

func scoreAll(t *testing.T, pattern string, extract extractor) (all score) {
	t.Helper()
	pages, err := filepath.Glob(pattern)
	if err != nil || len(pages) < 3 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, path := range pages {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		facts, err := os.ReadFile(strings.TrimSuffix(path, ".html") + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		var want scored
		if err := toml.NewDecoder(strings.NewReader(string(facts))).DisallowUnknownFields().Decode(&want); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		got := want.judge(t, page, extract)
		all.asked, all.right = all.asked+got.asked, all.right+got.right
		t.Logf("%2d/%2d %s", got.right, got.asked, filepath.Base(path))
		for _, wrong := range got.wrong {
			t.Logf("      %s", wrong)
		}
	}
	return all
}
