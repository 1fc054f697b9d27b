package edition

import (
	"fmt"
	"testing"
)

// BenchmarkDesk pins an article of an edition for many contacts, which lays all of it out again.
func BenchmarkDesk(b *testing.B) {
	for _, contacts := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(contacts), func(b *testing.B) {
			if testing.Short() && contacts > 10_000 {
				b.Skip("takes a while to set up")
			}
			w := crowd(b, contacts)
			list := w.list()
			list.Approval = true
			w.declare(list)
			w.publishTopics()
			w.planAll()
			var e Edition
			w.must(w.db.Get(&e, `SELECT `+columns+` FROM mailer.editions ORDER BY id DESC LIMIT 1`))
			items, err := Items(w.ctx, w.db, e.ID)
			w.must(err)
			var title string
			w.must(w.db.Get(&title, `SELECT title FROM articles.articles WHERE group_id = $1 LIMIT 1`, items[0].GroupID))
			pinned := w.article(title)
			for b.Loop() {
				w.must(w.desk().Pin(w.ctx, e.ID, pinned))
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/1000, "s/act")
		})
	}
}
