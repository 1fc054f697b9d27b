package edition

import (
	"strings"
	"testing"
	"time"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// retain drops all months before the present one.
func (w *world) retain() {
	w.t.Helper()
	now := w.clock.Now()
	_, err := ledger.Finish(w.ctx, w.db, now)
	w.must(err)
	done, err := ledger.Retain(w.ctx, w.db, time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC), now)
	w.must(err)
	if len(done.Months) != 1 || done.Blocked != "" {
		w.t.Fatalf("dropped: %+v", done)
	}
}

// A list that leaves out another one gives nothing of what that one gave, also when nobody knows any more what that was.
func TestWhatCameBeforeTheFloorIsNeverPlannedAgain(t *testing.T) {
	t.Parallel()
	for _, retained := range []bool{false, true} {
		w := newWorld(t)
		w.set(func(l *subscribers.List) { l.Selection.Sections = []string{"News"} })
		w.subscribe("anna", "en", "weekly")
		other := w.press(nil, "anna")
		w.set(func(l *subscribers.List) { l.LeaveOut = []string{other.Slug} })
		w.publish("one en")
		w.planList(other, "weekly")
		w.plan("weekly")
		w.settle("sent")
		w.clock.Advance(50 * 24 * time.Hour)
		if retained {
			w.retain()
		}
		// As if the list had never selected it: it becomes due anew.
		w.exec(`DELETE FROM mailer.positions WHERE list_id = $1`, w.list().ID)
		w.exec(`UPDATE mailer.marks SET position = 0`)
		w.publish("two en")
		_, got := w.plan("weekly")
		same(t, "the later edition", got, []string{"anna: two en"})
		if !retained {
			continue
		}
		again := Handmade{List: w.list(), Articles: []articles.Article{w.article("one en")}, AtOnce: true}
		if _, err := w.desk().Make(w.ctx, again); errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "--repeat") {
			t.Errorf("made by hand: %v", err)
		}
		again.Repeat = true
		if _, err := w.desk().Make(w.ctx, again); err != nil {
			t.Errorf("repeated by hand: %v", err)
		}
	}
}

// What an editor added to an edition when its month was over counts as well, and who got it cannot be told of a mistake any more.
func TestTheFloorRisesAboveAllThatWasGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.review()
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	e, _ := w.plan("weekly")
	w.clock.Advance(30 * 24 * time.Hour)
	w.publish("late en")
	w.must(w.desk().Add(w.ctx, e.ID, AskFirst, w.article("late en")))
	w.must(w.desk().Approve(w.ctx, e.ID))
	w.settle("sent")
	w.retain()
	var closed bool
	w.must(w.db.Get(&closed, `SELECT `+ledger.Closed("$1"), w.article("late en").GroupID))
	same(t, "closed", closed, true)
	introduction := "It was wrong."
	_, err := w.desk().Correct(w.ctx, e.ID, map[string]Texts{"en": {Introduction: &introduction}}, true)
	same(t, "a correction", errs.KindOf(err), errs.Gone)
}
