package edition

import (
	"testing"
	"time"

	"silkpost/subscribers"
)

func TestUrgentAndPinnedArticlesComeFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("one en", "two en", "three en", "four en")
	w.exec(`UPDATE articles.articles SET pinned = title IN ('one en', 'three en'), urgent = title = 'two en'`)
	_, plain := w.plan("weekly")
	w.publish("five en", "six en")
	w.exec(`UPDATE articles.articles SET urgent = title = 'six en'`)
	_, urgent := w.plan("weekly")
	same(t, "urgent, pinned, the others", plain, []string{"anna: two en, one en, three en, four en"})
	same(t, "urgent alone", urgent, []string{"anna: six en, five en"})
}

func TestAnUrgentAlertDoesNotWaitForOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(func(l *subscribers.List) { l.ImmediateAfter = subscribers.Duration(time.Hour) })
	w.subscribe("anna", "en", "immediate")
	w.publish("one en")
	planned, next, err := w.planner.PlanDue(w.ctx, w.db, w.list())
	w.must(err)
	if len(planned) != 0 || next.IsZero() {
		t.Fatalf("%d editions, next at %v: the list does not wait for others", len(planned), next)
	}
	w.exec(`UPDATE articles.articles SET urgent = true`)
	planned, _, err = w.planner.PlanDue(w.ctx, w.db, w.list())
	w.must(err)
	same(t, "editions", len(planned), 1)
	same(t, "at once", w.gets(planned[0]), []string{"anna: one en"})
}
