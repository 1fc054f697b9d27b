package edition

import (
	"testing"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
)

// An article that turns out to be a translation of one that the list never selected has been sent all the same.
func TestATranslationFoundLaterIsNotSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.list()
	list.Selection.Sections = []string{"News"}
	w.declare(list)
	w.subscribe("reader", "en", "daily")
	save := func(drafts ...articles.Draft) {
		t.Helper()
		w.must(database.Transact(w.ctx, w.db, func(tx *sqlx.Tx) error {
			_, err := w.store.Save(w.ctx, tx, w.source, drafts, articles.SaveOptions{Now: w.clock.Now()})
			return err
		}))
	}
	hall := articles.Draft{ExternalKey: "hall", Title: "Hall", Text: "The hall opens.", Language: "en", Section: "News"}
	save(hall, articles.Draft{ExternalKey: "sala", Title: "Sala", Text: "Apre la sala.", Language: "it", Section: "Eventi", TranslationKey: "k"})
	_, got := w.plan("daily")
	same(t, "first digest", got, []string{"reader: Hall"})
	w.settle("sent")
	hall.TranslationKey = "k"
	save(hall)
	_, got = w.plan("daily")
	same(t, "second digest", got, []string(nil))
}
