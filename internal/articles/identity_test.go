package articles

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"silkpost/internal/slug"
)

func TestTitleSlug(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"Robots, people & 3 cats":         "robots-people-3-cats",
		"Über Straßen – über Łódź":        "uber-strassen-uber-lodz",
		"The museum's “new” hall":         "the-museums-new-hall",
		"Città più antiche d’Italia":      "citta-piu-antiche-ditalia",
		"科学中心":                            "",
		"科学中心 AI 新闻报道":                    "",
		"Музей":                           "",
		"5":                               "",
		"2020":                            "2020",
		"!!!":                             "",
		"Nobel forum 诺贝尔":                 "nobel-forum",
		strings.Repeat("word and ", 20):   "word-and-word-and-word-and-word-and-word-and-word-and-word-and-word-and-word",
		strings.Repeat("donaudampf", 20):  strings.Repeat("donaudampf", 8),
		"The Ⅳ congress … ﬁnds its place": "the-iv-congress-finds-its-place",
	}
	for title, want := range tests {
		got := titleSlug(title)
		if got != want {
			t.Errorf("titleSlug(%q) = %q, want %q", title, got, want)
		}
		if got != "" && !slug.Valid(got) {
			t.Errorf("titleSlug(%q) = %q is no slug", title, got)
		}
	}
}

func FuzzTitleSlug(f *testing.F) {
	f.Add("Über die Brücke")
	f.Fuzz(func(t *testing.T, title string) {
		if got := titleSlug(title); got != "" && (!slug.Valid(got) || len(got) > slugLimit) {
			t.Errorf("titleSlug(%q) = %q", title, got)
		}
	})
}

// The ids that readers have seen must never change, whatever becomes of the code.
func TestDerivedGUIDIsForEver(t *testing.T) {
	t.Parallel()
	if got, want := derivedGUID("site", "a/b.md", 0), "urn:uuid:8bc2e433-fc7a-5470-a156-16928b0fa268"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if derivedGUID("site", "a", 0) == derivedGUID("sit", "ea", 0) {
		t.Error("source and key run together")
	}
}

func TestContentHash(t *testing.T) {
	t.Parallel()
	at := time.Date(2020, 5, 11, 8, 0, 0, 0, time.UTC)
	base := Draft{ExternalKey: "a", Title: "T", Text: "x", Published: at}
	hash := func(edit func(*Draft)) []byte {
		d := base
		edit(&d)
		sum, err := contentHash(d)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	same := hash(func(*Draft) {})
	for name, edit := range map[string]func(*Draft){
		"a date of editing":  func(d *Draft) { d.Updated = at },
		"another time zone":  func(d *Draft) { d.Published = at.In(time.FixedZone("", 3600)) },
		"nothing whatsoever": func(*Draft) {},
	} {
		if !bytes.Equal(hash(edit), same) {
			t.Errorf("%s changes the hash", name)
		}
	}
	for name, edit := range map[string]func(*Draft){
		"title":   func(d *Draft) { d.Title = "U" },
		"text":    func(d *Draft) { d.Text = "y" },
		"date":    func(d *Draft) { d.Published = at.Add(time.Hour) },
		"section": func(d *Draft) { d.Section = "News" },
		"tags":    func(d *Draft) { d.Tags = []string{"a"} },
	} {
		if bytes.Equal(hash(edit), same) {
			t.Errorf("another %s does not change the hash", name)
		}
	}
}
