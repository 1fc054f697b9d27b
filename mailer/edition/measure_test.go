package edition

import (
	"testing"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// set changes the list's settings.
func (w *world) set(change func(l *subscribers.List)) {
	w.t.Helper()
	list := w.list()
	change(&list)
	w.declare(list)
}

func TestFewArticlesWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(func(l *subscribers.List) { l.MinArticles = 2 })
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "en", "weekly", "Events")
	w.subscribe("cem", "en", "weekly", "Poems")
	w.publish("Events/one en")
	e, got := w.plan("weekly")
	same(t, "one article", got, []string(nil))
	same(t, "why", []any{e.State, e.Reason, e.Waiting, e.Empty}, []any{Skipped, "fewer than 2 articles for anybody: they wait", 2, 1})
	w.publish("News/two en")
	e, got = w.plan("weekly")
	same(t, "two articles", got, []string{"anna: News/two en, Events/one en"})
	same(t, "counts", []any{e.State, e.Recipients, e.Waiting, e.Empty, e.Articles}, []any{Approved, 1, 1, 1, 2})
	w.publish("Events/three en")
	_, got = w.plan("weekly")
	same(t, "two events", got, []string{"bo: Events/three en, Events/one en"})
	w.publish("News/four en")
	_, got = w.plan("weekly")
	same(t, "what waited is not given to others twice", got, []string{"anna: News/four en, Events/three en"})
}

// What a failed delivery gave back waits like the rest, and is not lost by that.
func TestReturnsWaitForTheMinimum(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	w.plan("weekly")
	w.settle("failed")
	w.set(func(l *subscribers.List) { l.MinArticles = 2 })
	e, _ := w.plan("weekly")
	same(t, "one that came back", []any{e.State, e.Waiting}, []any{Skipped, 1})
	w.publish("two en")
	_, got := w.plan("weekly")
	same(t, "and a new one", got, []string{"anna: two en, one en"})
}

// What came back and does not fit while all of a reader's articles wait is not done with: nothing passed it by. That is so whether it is withdrawn for
// a while or on another topic, and what was never given before behaves alike.
func TestReturnsThatDoNotFitWhileAllWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("Events/one en", "Poems/two en")
	w.plan("weekly")
	w.settle("failed")
	w.set(func(l *subscribers.List) { l.MinArticles = 5 })
	w.publish("Poems/three en", "News/four en")
	w.withdraw("Events/one en")
	w.exec(`UPDATE subscribers.subscriptions SET topics = '{News}'`)
	e, _ := w.plan("weekly")
	same(t, "what fits", []any{e.State, e.Waiting}, []any{Skipped, 1})
	w.exec(`UPDATE articles.articles SET withdrawn_at = NULL`)
	w.exec(`UPDATE subscribers.subscriptions SET topics = '{}'`)
	w.publish("News/five en")
	_, got := w.plan("weekly")
	same(t, "all of it fits", got, []string{"anna: News/five en, Poems/three en, News/four en, Events/one en, Poems/two en"})
}

// What came back lies where it was: a full digest passes by what does not fit before its last article, and leaves what lies behind that.
func TestReturnsThatDoNotFitAFullDigest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("Events/one en", "News/two en", "News/three en", "Events/four en")
	w.plan("weekly")
	w.settle("failed")
	w.set(func(l *subscribers.List) { l.MaxArticles = 1 })
	w.exec(`UPDATE subscribers.subscriptions SET topics = '{News}'`)
	_, got := w.plan("weekly")
	same(t, "full", got, []string{"anna: News/two en"})
	w.exec(`UPDATE subscribers.subscriptions SET topics = '{}'`)
	w.set(func(l *subscribers.List) { l.MaxArticles = 0 })
	_, got = w.plan("weekly")
	same(t, "the rest", got, []string{"anna: News/three en, Events/four en"})
	e, _ := w.plan("weekly")
	same(t, "after that", e.Reason, "nothing new")
}

// A digest that holds exactly as many as it may leaves no rest: what did not fit counts as given, like in any other.
func TestAnExactlyFullDigestLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(func(l *subscribers.List) { l.MaxArticles = 2 })
	w.subscribe("anna", "en", "weekly", "News")
	w.publish("News/one en", "News/two en", "Events/three en")
	_, got := w.plan("weekly")
	same(t, "full", got, []string{"anna: News/one en, News/two en"})
	w.exec(`UPDATE subscribers.subscriptions SET topics = '{}'`)
	e, _ := w.plan("weekly")
	same(t, "after that", e.Reason, "nothing new")
}

// The rest waits, first come, first served.
func TestTheRestWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(func(l *subscribers.List) { l.MaxArticles = 2 })
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "en", "weekly", "Events")
	w.publish("Events/one en", "News/two en", "Events/three en", "Events/four en", "News/five en")
	e, got := w.plan("weekly")
	same(t, "the first two", got, []string{"anna: Events/one en, News/two en", "bo: Events/one en, Events/three en"})
	same(t, "counts", []any{e.Articles, e.Recipients, e.Waiting}, []any{3, 2, 0})
	w.settle("failed")
	w.publish("Events/six en")
	_, got = w.plan("weekly")
	same(t, "what came back was due before", got, []string{"anna: Events/one en, News/two en", "bo: Events/one en, Events/three en"})
	w.settle("sent")
	_, got = w.plan("weekly")
	same(t, "the next two", got, []string{"anna: Events/three en, Events/four en", "bo: Events/six en, Events/four en"})
	w.set(func(l *subscribers.List) { l.MaxArticles = 0 })
	_, got = w.plan("weekly")
	same(t, "without a maximum", got, []string{"anna: Events/six en, News/five en"})
}

// Whoever changes the rhythm, or the topics, while articles wait for them misses none of those that match.
func TestWhatWaitsFollowsItsReader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(func(l *subscribers.List) { l.MaxArticles = 1 })
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "en", "daily")
	w.publish("Events/one en", "News/two en", "Events/three en")
	w.plan("weekly")
	w.plan("daily")
	w.exec(`UPDATE subscribers.subscriptions SET rhythm = 'daily', topics = '{Events}' WHERE rhythm = 'weekly'`)
	_, got := w.plan("daily")
	same(t, "her next", got, []string{"anna: Events/three en", "bo: News/two en"})
	_, got = w.plan("daily")
	same(t, "the last", got, []string{"bo: Events/three en"})
}

// Or all is given, and the rest shown as links.
func TestTheRestIsMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(func(l *subscribers.List) { l.MaxArticles, l.Rest = 2, subscribers.RestMore })
	w.subscribe("anna", "en", "weekly")
	w.publish("one en", "two en", "three en")
	e, got := w.plan("weekly")
	same(t, "in its order", got, []string{"anna: one en, two en, three en"})
	var shown struct{ Articles, More int }
	w.must(w.db.Get(&shown, `SELECT cardinality(articles) AS articles, cardinality(more) AS more FROM mailer.variants WHERE edition_id = $1`, e.ID))
	same(t, "shown", shown, struct{ Articles, More int }{2, 1})
	same(t, "given", e.Articles, 3)
	sender, err := ledger.Enlist(w.ctx, w.db, w.clock.Now())
	w.must(err)
	claimed, err := ledger.Claim(w.ctx, w.db, sender, w.clock.Now(), 9)
	w.must(err)
	var archived int
	w.must(w.db.Get(&archived, `SELECT count(*) FROM mailer.archived WHERE edition_id = $1`, e.ID))
	same(t, "claimed and archived", []int{len(claimed), archived}, []int{1, 3})
	e, _ = w.plan("weekly")
	same(t, "after that", e.Reason, "nothing new")
	w.settle("failed")
	_, got = w.plan("weekly")
	same(t, "what failed comes back whole", got, []string{"anna: one en, two en, three en"})
}

// What is shown as a link and withdrawn leaves what is not sent, like any article.
func TestMoreWithoutWhatWasWithdrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(func(l *subscribers.List) { l.MaxArticles, l.Rest = 1, subscribers.RestMore })
	w.subscribe("anna", "en", "weekly")
	w.publish("one en", "two en", "three en")
	e, _ := w.plan("weekly")
	var id int64
	w.must(w.db.Get(&id, `UPDATE articles.articles SET withdrawn_at = now() WHERE title = 'two en' RETURNING group_id`))
	desk := &Desk{DB: w.db, Clock: w.clock, Languages: w.planner.Languages, By: CommandLine}
	w.must(database.Transact(w.ctx, w.db, func(tx *sqlx.Tx) error { return desk.Withdrawn(w.ctx, tx, id) }))
	same(t, "what is left", w.gets(e), []string{"anna: one en, three en"})
}

// Alerts wait for nothing: one article is enough, and all that there is goes.
func TestAlertsKnowNoLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(func(l *subscribers.List) { l.MinArticles, l.MaxArticles = 2, 2 })
	w.subscribe("anna", "en", "immediate")
	w.publish("one en")
	_, got := w.plan("immediate")
	same(t, "one", got, []string{"anna: one en"})
	w.publish("two en", "three en", "four en")
	e, got := w.plan("immediate")
	same(t, "many", got, []string{"anna: two en, three en, four en"})
	var more int
	w.must(w.db.Get(&more, `SELECT cardinality(more) FROM mailer.variants WHERE edition_id = $1`, e.ID))
	same(t, "as links", more, 1)
}

// press makes a second list that takes the same articles, and puts readers on it.
func (w *world) press(leaveOut []string, names ...string) subscribers.List {
	w.t.Helper()
	press := subscribers.NewList("press")
	press.Sender, press.PostalAddress, press.LeaveOut = w.list().Sender, w.list().PostalAddress, leaveOut
	w.declare(press)
	press, err := subscribers.ListBySlug(w.ctx, w.db, "press")
	w.must(err)
	for _, name := range names {
		w.exec(`INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, created_at)
			SELECT $1, id, 'active', 'weekly', $3 FROM subscribers.contacts WHERE email = $2`, press.ID, name+"@example.org", w.clock.Now())
	}
	return press
}

func TestTwoListsThatShareArticles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "en", "weekly", "Events")
	press := w.press([]string{"partners"}, "anna", "bo")
	w.publish("News/one en", "Events/two en")
	w.plan("weekly")
	_, got := w.planList(press, "weekly") // still open: that counts as well
	same(t, "what they do not have", got, []string{"bo: News/one en"})
	w.settle("failed")
	w.publish("News/three en")
	_, got = w.planList(press, "weekly")
	same(t, "what was left out counts as given", got, []string{"anna: News/three en", "bo: News/three en, News/one en"})
	_, got = w.plan("weekly")
	same(t, "the other list repeats", got, []string{"anna: News/three en, News/one en, Events/two en", "bo: Events/two en"})
}

// Each of two lists may leave out what comes from the other.
func TestListsThatLeaveOutOneAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(func(l *subscribers.List) { l.LeaveOut = []string{"press"} })
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "en", "weekly")
	press := w.press([]string{"partners"}, "anna")
	w.publish("one en")
	_, got := w.planList(press, "weekly")
	same(t, "the press", got, []string{"anna: one en"})
	w.settle("sent")
	_, got = w.plan("weekly")
	same(t, "partners", got, []string{"bo: one en"})
	w.subscribe("cem", "en", "weekly")
	_, _, titles := w.last("cem")
	same(t, "the last edition to somebody new", titles, []string{"one en"})
	w.exec(`UPDATE mailer.deliveries d SET contact_id = c.id FROM subscribers.contacts c, mailer.editions e
		WHERE c.email = 'cem@example.org' AND e.id = d.edition_id AND e.list_id = $1`, press.ID)
	w.exec(`DELETE FROM mailer.marks WHERE activation = 0`)
	_, _, titles = w.last("cem")
	same(t, "to somebody new who has it from the press", titles, []string(nil))
}
