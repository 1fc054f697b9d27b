package edition

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

// Senders go on while the desk works: nobody gets anything twice, nothing is lost, and nothing of what was withdrawn is claimed afterwards.
func TestTheDeskBesideSenders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const people = 120
	for i := range people {
		w.subscribe(fmt.Sprintf("p%d", i), "en", "weekly")
	}
	w.publish("one en", "two en", "three en")
	e, _ := w.plan("weekly")
	w.publish("four en")
	var mu sync.Mutex
	var wrong []string
	got := map[int64][]string{}
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for range 3 {
		sender, err := ledger.Enlist(w.ctx, w.db, w.clock.Now().Add(time.Hour))
		w.must(err)
		senders.Go(func() {
			for over := false; ; {
				select { // asked before the claim: one that began before the last release may find nothing
				case <-stop:
					over = true
				default:
				}
				claimed, err := ledger.Claim(w.ctx, w.db, sender, w.clock.Now(), 4)
				if over && len(claimed) == 0 && err == nil {
					return
				}
				for _, d := range claimed {
					var titles []string
					err = w.db.SelectContext(w.ctx, &titles, `SELECT a.title FROM mailer.variants v, unnest(v.articles) id JOIN articles.articles a USING (id)
						WHERE v.id = $1`, d.VariantID)
					if err == nil {
						err = ledger.Settle(w.ctx, w.db, []ledger.Attempt{{Sender: sender, Delivery: d, At: w.clock.Now(), Outcome: reply.Sent}})
					}
					mu.Lock()
					got[d.ContactID] = append(got[d.ContactID], titles...)
					mu.Unlock()
				}
				if err != nil {
					mu.Lock()
					wrong = append(wrong, err.Error())
					mu.Unlock()
					return
				}
			}
		})
	}
	d := w.desk()
	for _, do := range []func() error{
		func() error { return d.Pause(w.ctx, e.ID) },
		func() error { return d.Resume(w.ctx, e.ID) },
		func() error { return d.Hold(w.ctx, e.ID, "") },
		func() error { return d.Add(w.ctx, e.ID, AskFirst, w.article("four en")) },
		func() error { return d.Release(w.ctx, e.ID) },
		func() error { w.withdraw("one en"); return nil },
		func() error { return d.Hold(w.ctx, e.ID, "") },
		func() error { return d.Drop(w.ctx, e.ID, false, w.article("two en")) },
		func() error { return d.Release(w.ctx, e.ID) },
	} {
		if err := do(); err != nil && errs.KindOf(err) != errs.Conflict { // it may all be sent already
			t.Fatal(err)
		}
	}
	close(stop)
	senders.Wait()
	same(t, "errors of senders", wrong, []string(nil))
	counts, err := ledger.CountOf(w.ctx, w.db, e.ID)
	w.must(err)
	same(t, "sent", counts.Sent, people)
	next, _ := w.plan("weekly")
	for _, entry := range w.entries(next) {
		got[entry.ContactID] = append(got[entry.ContactID], entry.titles...)
	}
	for contact, titles := range got {
		slices.Sort(titles)
		rest := slices.DeleteFunc(titles, func(title string) bool { return title == "one en" })
		if !slices.Equal(rest, []string{"four en", "three en", "two en"}) {
			t.Errorf("contact %d gets %q", contact, titles)
		}
	}
	same(t, "people", len(got), people)
}

// entry is a delivery with its titles.
type entry struct {
	ledger.Entry
	titles []string
}

func (w *world) entries(e *Edition) (all []entry) {
	w.t.Helper()
	found, err := ledger.Entries(w.ctx, w.db, e.ID)
	w.must(err)
	for _, f := range found {
		shown, err := w.store.ByIDs(w.ctx, w.db, f.Articles)
		w.must(err)
		var titles []string
		for _, a := range shown {
			titles = append(titles, a.Title)
		}
		all = append(all, entry{f, titles})
	}
	return all
}
