package app_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"silkpost/feeds"
	"silkpost/feeds/validate"
	"silkpost/internal/app"
	"silkpost/internal/app/sample"
	"silkpost/internal/errs"
)

// checked returns the documents that were seen, and what was found in them.
func (h *house) checked(t *testing.T, slugs []string, formats ...feeds.Format) (names []string, found []validate.Finding) {
	t.Helper()
	err := h.ValidateFeeds(t.Context(), slugs, formats, func(doc app.CheckedDocument) error {
		names, found = append(names, doc.Name), append(found, doc.Findings...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, found
}

// The demo's feeds keep to their specifications without so much as a warning, their archives too.
func TestSampleFeedsAreValid(t *testing.T) {
	t.Parallel()
	h := open(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, sample.FS); err != nil {
		t.Fatal(err)
	}
	settings, err := os.ReadFile(filepath.Join(dir, sample.Settings))
	if err != nil {
		t.Fatal(err)
	}
	h.apply(t, string(settings))
	if _, err := h.ImportArticles(t.Context(), app.ArticleImport{Paths: []string{filepath.Join(dir, sample.Articles)}}); err != nil {
		t.Fatal(err)
	}
	whole, found := h.checked(t, nil)
	h.apply(t, "[[feed]]\nslug = \"all\"\nlimit = 2\ncontent = \"summary\"\n[[feed]]\nslug = \"robotics\"\nlimit = 1\n")
	cut, more := h.checked(t, nil)
	for _, f := range append(found, more...) {
		t.Error(f)
	}
	if len(whole) < 40 || len(cut) < len(whole)+20 || !slices.ContainsFunc(cut, func(name string) bool { return strings.HasPrefix(name, "all/before-") }) {
		t.Errorf("documents %v, with small limits %v", whole, cut)
	}
}

func TestValidateFeeds(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, smallFeed)
	h.articles(t, relayEn)
	if _, err := h.RenameFeed(t.Context(), "small", "tiny"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		slugs   []string
		formats []feeds.Format
		want    []string
	}{
		{[]string{"all"}, nil, []string{"all.rss", "all.atom", "all.json"}},
		{[]string{"tiny", "all", "small", "all"}, []feeds.Format{feeds.Atom}, []string{"tiny.atom", "all.atom"}},
		{nil, []feeds.Format{feeds.JSON}, []string{"all.json", "tiny.json", "section-events.json", "lang-en.json", "tag-robotics.json", "source-files.json"}},
	} {
		names, found := h.checked(t, tt.slugs, tt.formats...)
		if diff := cmp.Diff(tt.want, names); diff != "" || len(found) > 0 {
			t.Errorf("%v: found %v, documents (-want +got):\n%s", tt.slugs, found, diff)
		}
	}
	seen := 0
	err := h.ValidateFeeds(t.Context(), []string{"all", "nothing"}, nil, func(app.CheckedDocument) error { seen++; return nil })
	if errs.KindOf(err) != errs.NotFound || !strings.Contains(err.Error(), `"nothing"`) || seen > 0 {
		t.Errorf("an unknown slug: %v, after %d documents", err, seen)
	}
	enough := errors.New("enough")
	if err := h.ValidateFeeds(t.Context(), nil, nil, func(app.CheckedDocument) error { seen++; return enough }); !errors.Is(err, enough) || seen != 1 {
		t.Errorf("who has seen enough: %v, after %d documents", err, seen)
	}
	h.DB.MustExec(`INSERT INTO feeds.hubs VALUES ('hub', 0)`)
	_, found := h.checked(t, []string{"all"}, feeds.JSON)
	if len(found) != 1 || found[0].Severity != validate.Error || !strings.Contains(found[0].What, `"hub"`) {
		t.Errorf("a hub without an address: %v", found)
	}
	doc, err := h.Feeds.Load(t.Context(), h.DB, "small", feeds.JSON, h.PublicURL())
	if err != nil || !bytes.Contains(doc.Body, []byte("/feeds/tiny.json")) {
		t.Errorf("an old slug: %v\n%s", err, doc.Body)
	}
}
