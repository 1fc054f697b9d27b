package edition

import (
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

func TestEachReaderGetsTheirLanguage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish("robots en", "robots it", "robots zh-Hans", "stars en", "poems ru")
	w.subscribe("anna", "it;en", "weekly")
	w.subscribe("bo", "zh", "weekly") // a region or script left out is the usual one
	w.subscribe("cem", "en-GB", "weekly")
	w.subscribe("dana", "uk", "weekly") // never Russian, but the marked fallback
	w.subscribe("eve", "sr-Latn;ru", "weekly")
	w.subscribe("finn", "", "weekly") // says nothing: the fallback is no fallback
	e, got := w.plan("weekly")
	same(t, "digests", got, []string{
		"anna: robots it, stars en", "bo: robots zh-Hans, stars en", "cem: robots en, stars en", "dana: robots en, stars en",
		"eve: robots en, stars en, poems ru", "finn: robots en, stars en",
	})
	same(t, "edition", []any{e.State, e.Articles, e.Recipients, e.Empty}, []any{Approved, 3, 6, 0})
	var variants []struct{ Language, Fallbacks string }
	w.must(w.db.Select(&variants, `SELECT language, cardinality(fallbacks)::text AS fallbacks FROM mailer.variants ORDER BY language, 2`))
	// anna reads English too; for bo one of two is the fallback, for dana both, for eve two.
	same(t, "variants", variants, []struct{ Language, Fallbacks string }{
		{"en", "0"}, {"en", "2"}, {"en", "2"}, {"it", "0"}, {"zh-Hans", "1"},
	})
}

func TestNothingTwiceAndNothingMissed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "en", "daily")
	w.publish("one en")
	_, got := w.plan("daily")
	same(t, "daily", got, []string{"bo: one en"})
	w.publish("two en")
	_, got = w.plan("weekly")
	same(t, "weekly", got, []string{"anna: two en, one en"})
	// bo switches to weekly in mid-week, anna to daily; neither loses or repeats anything.
	w.exec(`UPDATE subscribers.subscriptions SET rhythm = CASE rhythm WHEN 'daily' THEN 'weekly' ELSE 'daily' END`)
	w.publish("three en")
	_, got = w.plan("daily")
	same(t, "daily after the switch", got, []string{"anna: three en"})
	_, got = w.plan("weekly")
	same(t, "weekly after the switch", got, []string{"bo: three en, two en"})
	e, got := w.plan("weekly")
	same(t, "again", got, []string(nil))
	same(t, "why", []any{e.State, e.Reason}, []any{Skipped, "nothing new"})
	// A translation of what was given is not new, an edit neither.
	w.publish("one it", "three en")
	e, _ = w.plan("daily")
	same(t, "translation", e.State, Skipped)
}

func TestNewcomersAndReturners(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	w.plan("weekly")
	w.publish("two en")
	w.subscribe("bo", "en", "weekly") // between two editions: gets what the next one holds
	w.exec(`UPDATE subscribers.subscriptions SET state = 'unsubscribed' WHERE contact_id = (SELECT id FROM subscribers.contacts WHERE email LIKE 'anna%')`)
	_, got := w.plan("weekly")
	same(t, "newcomer", got, []string{"bo: two en"})
	w.publish("three en")
	w.exec(`UPDATE subscribers.subscriptions SET state = 'active', activation = activation + 1 WHERE state = 'unsubscribed'`)
	_, got = w.plan("weekly")
	same(t, "returner", got, []string{"anna: three en", "bo: three en"})
	// A rhythm that was never planned begins where the list is: it has no back-catalogue.
	w.subscribe("cem", "en", "monthly")
	w.publish("four en")
	_, got = w.plan("monthly")
	same(t, "first of its rhythm", got, []string{"cem: four en"})
}

func TestTopics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly", "Events")
	w.publish("News/one en", "Events/two en", "Termine/two de", "News/three en")
	_, got := w.plan("weekly")
	same(t, "topics", got, []string{"anna: Events/two en"})
	// What did not match was dealt with: widening the topics brings nothing back.
	w.exec(`UPDATE subscribers.subscriptions SET topics = '{}'`)
	e, _ := w.plan("weekly")
	same(t, "widened", e.State, Skipped)
}

func TestFailedIsDueAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	w.plan("weekly")
	w.settle("failed")
	w.publish("two en")
	_, got := w.plan("weekly")
	same(t, "after a failure", got, []string{"anna: two en, one en"})
	w.settle("sent")
	e, _ := w.plan("weekly")
	same(t, "after that", e.State, Skipped)
}

func TestWhoWasAwayIsNotSentWhatOnceFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	w.plan("weekly")
	w.settle("failed")
	w.exec(`UPDATE subscribers.subscriptions SET activation = activation + 1`) // left and came back
	w.publish("two en")
	_, got := w.plan("weekly")
	same(t, "after coming back", got, []string{"anna: two en"})
}

// meanwhile does something in the midst of planning, when the readers have been read.
type meanwhile struct {
	Languages
	do func()
}

func (m meanwhile) Language(wanted []string, fallback string) string {
	m.do()
	return m.Languages.Language(wanted, fallback)
}

func TestWhatFailsWhileAnEditionIsPlannedIsInTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	w.plan("weekly")
	w.publish("two en")
	calm := w.planner.Languages
	w.planner.Languages = meanwhile{calm, func() { w.settle("failed") }}
	_, got := w.plan("weekly")
	same(t, "the edition in the making", got, []string{"anna: two en"})
	w.planner.Languages = calm
	w.settle("sent")
	_, got = w.plan("weekly")
	same(t, "the next", got, []string{"anna: one en"})
}

func TestACutOffMovedToLaterOnItsDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.list()
	list.EditorialHour = "13:00"
	w.declare(list)
	w.subscribe("anna", "en", "daily")
	w.subscribe("bo", "en", "immediate")
	plan := func() (made []string) {
		t.Helper()
		planned, _, err := w.planner.PlanDue(w.ctx, w.db, w.list())
		w.must(err)
		for _, e := range planned {
			made = append(made, e.Rhythm)
		}
		return made
	}
	plan() // the first sight starts the clocks
	w.publish("one en")
	w.clock.Set(monday.Add(2 * time.Hour))
	same(t, "at 14:00", plan(), []string{"immediate", "daily", "weekly"})
	list.EditorialHour = "15:00"
	w.declare(list)
	w.publish("two en")
	w.clock.Set(monday.Add(4 * time.Hour))
	same(t, "at 16:00, after a move to 15:00", plan(), []string{"immediate"})
	w.clock.Set(monday.Add(27 * time.Hour))
	same(t, "the day after", plan(), []string{"daily"})
}

func TestImmediateWithoutReadersMakesNoNoise(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish("one en")
	due := func() int {
		t.Helper()
		planned, _, err := w.planner.PlanDue(w.ctx, w.db, w.list())
		w.must(err)
		return len(planned)
	}
	w.subscribe("anna", "en", "daily")
	same(t, "nobody reads at once", due(), 0)
	// Nobody who was on the list misses anything by switching now.
	w.subscribe("bo", "en", "immediate")
	w.exec(`UPDATE subscribers.subscriptions SET rhythm = 'immediate'`)
	w.publish("two en")
	planned, _, err := w.planner.PlanDue(w.ctx, w.db, w.list())
	w.must(err)
	same(t, "at once", w.gets(planned[0]), []string{"anna: one en, two en", "bo: two en"})
}

func TestReleaseDatesAnewWhatWasNotBegun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "en", "weekly")
	w.publish("one en")
	e, _ := w.plan("weekly")
	w.exec(`UPDATE mailer.deliveries SET begun = true WHERE contact_id = (SELECT min(contact_id) FROM mailer.deliveries)`)
	w.clock.Set(monday.Add(48 * time.Hour))
	w.must(w.desk().Release(w.ctx, e.ID))
	var dates []string
	w.must(w.db.Select(&dates, `SELECT to_char(not_before, 'DD HH24:MI') FROM mailer.deliveries ORDER BY contact_id`))
	same(t, "dates", dates, []string{"14 12:00", "16 12:00"})
}

func TestArchiveIsNeverDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("old en")
	w.exec(`UPDATE articles.articles SET archive = true`)
	w.publish("new en")
	_, got := w.plan("weekly")
	same(t, "digest", got, []string{"anna: new en"})
}

func TestSelectionOfAList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.list()
	list.Selection.Sections = []string{"News"}
	list.Selection.Languages = []string{"it"}
	list.FallbackLanguage = "it"
	w.declare(list)
	w.subscribe("anna", "en", "weekly")
	w.publish("News/one en", "News/one it", "Events/two it", "News/three en")
	_, got := w.plan("weekly")
	same(t, "digest", got, []string{"anna: News/one it"})
}

func TestWhoCannotBeMailedFrom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.list()
	list.PostalAddress = ""
	_, err := w.planner.Plan(w.ctx, w.db, Request{List: list, Rhythm: "weekly", CutOff: monday})
	if errs.KindOf(err) != errs.Invalid {
		t.Errorf("without a postal address: %v", err)
	}
}

func TestApprovalAndLateness(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.list()
	list.Approval = true
	w.declare(list)
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	e, _ := w.plan("weekly")
	same(t, "needs approval", e.State, Review)
	w.must(w.desk().Approve(w.ctx, e.ID))
	if err := w.desk().Approve(w.ctx, e.ID); errs.KindOf(err) != errs.Conflict {
		t.Errorf("approved twice: %v", err)
	}
}

func TestPlanDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.list()
	list.TimeZone, list.Rhythms = "Asia/Shanghai", []string{subscribers.Immediate, subscribers.Daily, subscribers.Weekly}
	w.declare(list)
	w.subscribe("anna", "en", "daily", "", "Europe/Rome")
	w.subscribe("bo", "en", "weekly", "", "Asia/Tokyo")
	w.subscribe("cem", "en", "immediate")
	due := func() (made []string) {
		t.Helper()
		planned, _, err := w.planner.PlanDue(w.ctx, w.db, w.list())
		w.must(err)
		for _, e := range planned {
			made = append(made, e.Rhythm+" "+string(e.State)+" "+e.LocalDate.Format("2006-01-02"))
		}
		return made
	}
	w.clock.Set(monday.Add(-24 * time.Hour)) // Sunday, 20:00 in Shanghai
	same(t, "first sight", due(), []string(nil))
	w.publish("one en")
	same(t, "at once", due(), []string{"immediate approved 2026-09-13"})
	same(t, "only once", due(), []string(nil))
	w.clock.Set(time.Date(2026, 9, 14, 9, 0, 0, 0, time.UTC)) // Monday, 17:00 in Shanghai: both cut-offs
	same(t, "cut-off", due(), []string{"daily approved 2026-09-14", "weekly approved 2026-09-14"})
	same(t, "only once", due(), []string(nil))
	var hours []time.Time
	w.must(w.db.Select(&hours, `SELECT not_before FROM mailer.deliveries ORDER BY contact_id`))
	for i, want := range []string{"2026-09-15T06:00:00Z", "2026-09-14T23:00:00Z", "2026-09-13T12:00:00Z"} {
		same(t, "hour", hours[i].UTC().Format(time.RFC3339), want)
	}
	w.clock.Set(time.Date(2026, 9, 15, 9, 0, 0, 0, time.UTC))
	same(t, "a day without news", due(), []string{"daily skipped 2026-09-15"})
	// Three days without a worker: one edition, for the last cut-off, and not late; then one planned too late.
	w.publish("two en")
	w.clock.Set(time.Date(2026, 9, 18, 10, 0, 0, 0, time.UTC))
	same(t, "after a gap", due(), []string{"immediate held 2026-09-15", "daily approved 2026-09-18"})
	w.publish("three en")
	w.clock.Set(time.Date(2026, 9, 20, 8, 0, 0, 0, time.UTC)) // 23 hours after the cut-off of the 19th
	same(t, "late", due(), []string{"immediate held 2026-09-18", "daily held 2026-09-19"})
}

// An alert waits for what comes along, as long as its list wants, and no longer.
func TestAlertsWaitForOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.list()
	list.Rhythms, list.DefaultRhythm = []string{subscribers.Immediate}, subscribers.Immediate
	list.ImmediateAfter, list.LateAfter = subscribers.Duration(time.Minute), subscribers.Duration(time.Hour)
	w.declare(list)
	w.subscribe("anna", "en", "immediate")
	look := func() string {
		t.Helper()
		planned, next, err := w.planner.PlanDue(w.ctx, w.db, w.list())
		w.must(err)
		switch {
		case len(planned) > 0:
			return fmt.Sprint(planned[0].State, planned[0].CutOff.Sub(monday), w.gets(planned[0]))
		case !next.IsZero():
			return fmt.Sprint("look again at ", next.Sub(monday))
		}
		return ""
	}
	same(t, "nothing", look(), "")
	w.publish("one en")
	same(t, "at once", look(), "look again at 1m0s")
	w.clock.Set(monday.Add(40 * time.Second))
	w.publish("two en")
	same(t, "the second", look(), "look again at 1m0s")
	w.clock.Set(monday.Add(time.Minute))
	same(t, "the minute is over", look(), "approved1m0s [anna: two en, one en]")
	w.publish("three en")
	w.exec(`UPDATE articles.articles SET withdrawn_at = now() WHERE title = 'three en'`)
	same(t, "withdrawn meanwhile", look(), "")
	w.publish("four en")
	w.clock.Set(monday.Add(62*time.Minute + time.Second))
	same(t, "nobody planned for an hour", look(), "held2m0s [anna: four en]")
	list.Approval = true
	w.declare(list)
	w.publish("five en")
	w.clock.Set(monday.Add(64 * time.Minute))
	same(t, "with approval", look(), "review1h3m1s [anna: five en]")
}

// A list that somebody plans already is left to them.
func TestPlannersDoNotWaitForOneAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := subscribers.NewList("press")
	other.Sender, other.PostalAddress, other.LeaveOut = w.list().Sender, w.list().PostalAddress, []string{"partners"}
	w.declare(other)
	other, err := subscribers.ListBySlug(w.ctx, w.db, "press")
	w.must(err)
	w.must(database.Transact(w.ctx, w.db, func(tx *sqlx.Tx) error {
		w.must(w.planner.begin(tx, Request{List: w.list()}, monday, nil).lock(w.ctx))
		for _, list := range []subscribers.List{w.list(), other} {
			planned, next, err := w.planner.PlanDue(w.ctx, w.db, list)
			same(t, list.Slug, []any{len(planned), next, err}, []any{0, monday.Add(busyFor), error(nil)})
		}
		return nil
	}))
}
