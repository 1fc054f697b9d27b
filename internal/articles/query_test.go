package articles

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/errs"
)

func titles(all []Article) []string {
	found := []string{}
	for _, a := range all {
		found = append(found, a.Title)
	}
	return found
}

func TestSelect(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday,
		Draft{ExternalKey: "1", Title: "A", Text: "x", Language: "en", Section: "News", Tags: []string{"robots", "may"}, Published: monday},
		Draft{ExternalKey: "2", Title: "B", Text: "x", Language: "zh-Hans", Section: "新闻", Published: monday},
		Draft{ExternalKey: "3", Title: "C", Text: "x", Language: "en-GB", Section: "Events", Tags: []string{"robots"}, Published: monday.Add(-time.Hour)},
	)
	if _, err := b.try(t.Context(), b.folder(t, "other"), SaveOptions{Now: monday},
		Draft{ExternalKey: "1", Title: "D", Text: "x", Language: "sr-Latn", Section: "News", Published: monday.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		sel   Selection
		limit int
		want  []string
	}{
		{"everything, newest first, of one time the last to come", Selection{}, 0, []string{"D", "B", "A", "C"}},
		{"limit", Selection{}, 2, []string{"D", "B"}},
		{"section", Selection{Sections: []string{"News"}}, 0, []string{"D", "A"}},
		{"two sections", Selection{Sections: []string{"Events", "新闻"}}, 0, []string{"B", "C"}},
		{"tag", Selection{Tags: []string{"robots"}}, 0, []string{"A", "C"}},
		{"language by its key", Selection{Languages: []string{"en-US"}}, 0, []string{"A", "C"}},
		{"usual script", Selection{Languages: []string{"zh"}}, 0, []string{"B"}},
		{"another script", Selection{Languages: []string{"sr"}}, 0, []string{}},
		{"source", Selection{Sources: []string{"other"}}, 0, []string{"D"}},
		{"all fields must match", Selection{Sections: []string{"News"}, Sources: []string{"files"}}, 0, []string{"A"}},
		{"nothing", Selection{Sections: []string{"Sport"}}, 0, []string{}},
	}
	for _, tt := range tests {
		got, err := b.Select(t.Context(), b.db, tt.sel, tt.limit)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, titles(got)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestLookups(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday,
		Draft{ExternalKey: "1", Title: "Alpha", Text: "x", Language: "en", Section: "News"},
		Draft{ExternalKey: "2", Title: "Beta", Text: "x", Language: "it", Section: "News"},
		Draft{ExternalKey: "3", Title: "Gamma", Text: "x", Language: "en"})
	all := b.all(t)
	byID, err := b.ByIDs(t.Context(), b.db, []int64{all[2].ID, -1, all[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Article{all[2], all[0]}, byID); diff != "" {
		t.Error(diff)
	}
	withoutText := []Article{all[2], all[0]}
	for i := range withoutText {
		if withoutText[i].HTML == "" || withoutText[i].Text == "" {
			t.Fatalf("%q has not both HTML and text", withoutText[i].Title)
		}
		withoutText[i].Text = ""
	}
	if byID, err = b.HTMLByIDs(t.Context(), b.db, []int64{all[2].ID, -1, all[0].ID}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(withoutText, byID); diff != "" {
		t.Error(diff)
	}
	if got, err := b.BySlug(t.Context(), b.db, "beta"); err != nil || got.Title != "Beta" {
		t.Errorf("BySlug: %q, %v", got.Title, err)
	}
	if _, err := b.BySlug(t.Context(), b.db, "delta"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("BySlug of nothing: %v", err)
	}
}
