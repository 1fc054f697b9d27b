package articles

import (
	"strings"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		draft Draft
		says  string
	}{
		{"text", Draft{ExternalKey: "a", Title: "T", Text: "x"}, ""},
		{"words in markup", Draft{ExternalKey: "a", Title: "T", HTML: "<p>x"}, ""},
		{"a picture", Draft{ExternalKey: "a", Title: "T", HTML: `<p><img src="https://www.example.org/i.png">`}, ""},
		{"a page", Draft{ExternalKey: "a", Title: "T", URL: "https://www.example.org/a"}, ""},
		{"no key", Draft{ExternalKey: " \x00", Title: "T", Text: "x"}, "has no key"},
		{"no title", Draft{ExternalKey: "a", Title: " \n", Text: "x"}, "has no title"},
		{"no title to see", Draft{ExternalKey: "a", Title: "\u202e", Text: "x"}, "has no title"},
		{"nothing", Draft{ExternalKey: "a", Title: "T", Text: " \x00", URL: "javascript:x()"}, "has no text"},
		{"a script", Draft{ExternalKey: "a", Title: "T", HTML: "<script>x</script><p>&nbsp;</p>"}, "has no text"},
		{"a picture nowhere", Draft{ExternalKey: "a", Title: "T", HTML: `<img src="i.png">`}, "has no text"},
		{"a pixel", Draft{ExternalKey: "a", Title: "T", HTML: `<img width="1" src="https://www.example.org/i.png">`}, "has no text"},
		{"language", Draft{ExternalKey: "a", Title: "T", Text: "x", Language: "elvish!"}, "elvish!"},
	}
	for _, tt := range tests {
		switch err := tt.draft.Check(); {
		case tt.says == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.says)
		}
	}
}

func TestPrepareMakesLabels(t *testing.T) {
	t.Parallel()
	const dirty, clean = "\u202e a\x1b\u0085\n\u2067b\u2069 \u200fג \x07", "a b \u200fג"
	r, err := prepare(Source{}, Draft{
		ExternalKey: "a", Title: dirty, Section: dirty, Tags: []string{dirty}, Authors: []string{dirty}, ImageAlt: dirty, Summary: dirty,
		HTML: "<p>\u2067b\u2069</p>",
	}, nil, known{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{
		"title": r.Title, "section": r.Section, "tag": r.Tags[0], "author": r.Authors[0], "alternative text": r.ImageAlt, "summary": r.Summary,
	} {
		if got != clean {
			t.Errorf("%s %q, want %q", name, got, clean)
		}
	}
	if r.HTML != "<p>\u2067b\u2069</p>" {
		t.Errorf("the text became %q", r.HTML)
	}
	r, err = prepare(Source{}, Draft{ExternalKey: "a", Title: "T", Text: "\u2067b\u2069"}, nil, known{}, time.Time{})
	if err != nil || r.Summary != "b" || r.Text != "\u2067b\u2069" {
		t.Errorf("summary %q, text %q, error %v", r.Summary, r.Text, err)
	}
}

func TestPrepareCutsTitles(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		strings.Repeat("t", 300):          strings.Repeat("t", 300),
		strings.Repeat("title, ", 500):    strings.Repeat("title, ", 41) + "title…",
		strings.Repeat("科", 301):          strings.Repeat("科", 299) + "…",
		strings.Repeat("t", 296) + " and": strings.Repeat("t", 296) + " and",
	} {
		r, err := prepare(Source{}, Draft{ExternalKey: "a", Title: title, Text: "x"}, nil, known{}, time.Time{})
		if err != nil || r.Title != want {
			t.Errorf("title %q, want %q; %v", r.Title, want, err)
		}
	}
}

// What is taken because there is something to see in it has something to see when it is clean.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"<p>x", "<script>x</script>", `<img src="https://www.example.org/i.png">`, "<title>x</title>", "<p>&nbsp;", "<table>x", "<option>x", "<img src=mailto:x>", "<a src=a:>", "&#1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, markup string) {
		d := Draft{ExternalKey: "a", Title: "T", HTML: markup}
		if d.Check() != nil {
			return
		}
		r, err := prepare(Source{}, d, nil, known{}, time.Time{})
		if err != nil || r.HTML == "" {
			t.Errorf("HTML %q, %v", r.HTML, err)
		}
	})
}
