package app_test

import (
	"strings"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/edition"
)

// An embargoed article is in no digest before its time. At its time it is published by itself, and is in the next digest, also where
// younger articles were in one before.
func TestAnEmbargoedArticleIsInTheDigestAfterItsTime(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(time.Date(2026, 5, 18, 9, 0, 0, 0, time.UTC))
	h := openOn(t, testkit.FreshURL(t), catchertest.Start(t, catcher.Config{}), app.Options{Clock: clock})
	h.apply(t, list)
	h.contacts(t, "anna@partner.example,Anna,en,weekly")
	source, err := h.Articles.EnsureSource(t.Context(), h.DB, app.FilesSource, clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	done, err := h.Articles.Save(t.Context(), h.DB, source, []articles.Draft{
		{ExternalKey: "later", Title: "The hall opens", Text: "It opens in May.", Language: "en", NotBefore: clock.Now().Add(time.Hour), Published: clock.Now().AddDate(0, 0, -3)},
	}, articles.SaveOptions{Now: clock.Now()})
	if err != nil || done.Waiting != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	h.articles(t, relayEn)
	h.send(t)
	if got := h.letters(t)["anna@partner.example"].Text; strings.Contains(got, "The hall opens") || !strings.Contains(got, relayEn.title) {
		t.Fatalf("the first digest:\n%s", got)
	}
	clock.Advance(2 * time.Hour)
	h.run(t, app.Parts{Worker: true})
	testkit.Eventually(t, patience, "its time has come", func() bool {
		return value[int](t, h, `SELECT count(*) FROM articles.articles WHERE title = 'The hall opens'`) == 1
	})
	sent := h.send(t)
	if len(sent.Editions) == 0 {
		t.Fatalf("%+v", sent)
	}
	titles := rows(t, h, `SELECT a.title FROM mailer.variants v, unnest(v.articles) id JOIN articles.articles a USING (id) ORDER BY v.id`)
	if strings.Join(titles, "; ") != relayEn.title+"; The hall opens" {
		t.Errorf("digests had %q", titles)
	}
}

// What readers were given as two articles stays two; what nobody was given yet can join what they have, and comes to nobody a second time.
func TestLinkedTranslationsAreGivenOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list)
	h.contacts(t, "anna@partner.example,Anna,en;it,weekly")
	one, other, third := relayEn, relayIt, seatsEn
	one.group, other.group = "", ""
	h.articles(t, one, third)
	h.send(t)
	h.articles(t, other)
	if _, _, _, err := h.LinkArticles(t.Context(), edition.CommandLine, "robots-pass-the-water-on", "thirty-seats-for-exchange"); errs.KindOf(err) != errs.Conflict {
		t.Errorf("two that were given: %v", err)
	}
	slug := value[string](t, h, `SELECT slug FROM articles.articles WHERE language = 'it'`)
	if _, _, change, err := h.LinkArticles(t.Context(), edition.CommandLine, slug, "robots-pass-the-water-on"); err != nil || change != database.Changed {
		t.Fatalf("%q, %v", change, err)
	}
	if groups := value[int](t, h, `SELECT count(DISTINCT group_id) FROM articles.articles`); groups != 2 {
		t.Errorf("%d groups", groups)
	}
	h.send(t)
	if n := value[int](t, h, `SELECT count(*) FROM mailer.deliveries`); n != 1 {
		t.Errorf("%d deliveries: the translation came to who has the article", n)
	}
}
