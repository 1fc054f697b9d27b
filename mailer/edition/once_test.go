package edition

import (
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
)

// save saves drafts as a source gives them.
func (w *world) save(options articles.SaveOptions, drafts ...articles.Draft) {
	w.t.Helper()
	options.Now = w.clock.Now()
	w.must(database.Transact(w.ctx, w.db, func(tx *sqlx.Tx) error {
		_, err := w.store.Save(w.ctx, tx, w.source, drafts, options)
		return err
	}))
}

func written(key string, at time.Time) articles.Draft {
	return articles.Draft{ExternalKey: key, TranslationKey: key, Title: key, Text: "Text of " + key + ".", Language: "en", Section: "News", Published: at}
}

// No date decides: what is dated long before the last edition, or long after the next, is in the next.
func TestBackDatedArticles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	w.plan("weekly")
	w.save(articles.SaveOptions{}, written("old", monday.AddDate(-1, 0, 0)), written("ahead", monday.AddDate(0, 1, 0)))
	_, got := w.plan("weekly")
	same(t, "the next edition", got, []string{"anna: ahead, old"})
	e, _ := w.plan("weekly")
	same(t, "after that", e.State, Skipped)
}

// What is imported again is not new, whatever changed in it, not even its date.
func TestImportedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	draft := written("one", monday)
	w.save(articles.SaveOptions{}, draft)
	w.plan("weekly")
	draft.Text, draft.Title, draft.Section, draft.Published = "Another text.", "One, corrected", "Events", monday.AddDate(0, 0, 7)
	w.save(articles.SaveOptions{}, draft)
	e, _ := w.plan("weekly")
	same(t, "imported again", e.Reason, "nothing new")
}

// The articles that a new source had when it came are archive; those that come after are due.
func TestBackCatalogueOfANewSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.save(articles.SaveOptions{Archive: true}, written("old", monday.AddDate(-1, 0, 0)), written("older", monday.AddDate(-2, 0, 0)))
	e, _ := w.plan("weekly")
	same(t, "its back-catalogue", e.Reason, "nothing new")
	w.save(articles.SaveOptions{}, written("old", monday.AddDate(-1, 0, 0)), written("new", monday))
	_, got := w.plan("weekly")
	same(t, "what comes after", got, []string{"anna: new"})
}

// A translation that comes before its reader's edition is what they get; one that comes after is in feeds alone, for whoever got the original and
// for whoever did not read its language.
func TestTranslationsThatComeLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.list()
	list.FallbackLanguage = "zh-Hans"
	w.declare(list)
	w.subscribe("anna", "it;en", "weekly")
	w.subscribe("bo", "it;en", "daily")
	w.subscribe("cem", "it", "daily")
	w.publish("one en")
	_, got := w.plan("daily")
	same(t, "before", got, []string{"bo: one en"})
	w.publish("one it")
	e, _ := w.plan("daily")
	same(t, "after", e.Reason, "nothing new")
	_, got = w.plan("weekly")
	same(t, "in time", got, []string{"anna: one it"})
}

// Who pauses before their first edition, and is to catch up, misses nothing of what came meanwhile.
func TestCatchingUpBeforeTheFirstEdition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "en", "weekly")
	w.exec(`UPDATE subscribers.subscriptions SET state = 'paused', catch_up = contact_id = (SELECT min(id) FROM subscribers.contacts)`)
	w.publish("one en")
	w.plan("weekly")
	w.exec(`UPDATE subscribers.subscriptions SET state = 'active', activation = activation + CASE WHEN catch_up THEN 0 ELSE 1 END, catch_up = false`)
	w.publish("two en")
	_, got := w.plan("weekly")
	same(t, "after the pause", got, []string{"anna: two en, one en", "bo: two en"})
}
