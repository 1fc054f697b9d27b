package edition

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

func (w *world) desk() *Desk {
	return &Desk{DB: w.db, Clock: w.clock, Languages: w.planner.Languages, By: CommandLine}
}

// article returns the article of a title.
func (w *world) article(title string) articles.Article {
	w.t.Helper()
	var slug string
	w.must(w.db.Get(&slug, `SELECT slug FROM articles.articles WHERE title = $1`, title))
	a, err := w.store.BySlug(w.ctx, w.db, slug)
	w.must(err)
	return a
}

func (w *world) withdraw(title string) {
	w.t.Helper()
	a := w.article(title)
	w.must(database.Transact(w.ctx, w.db, func(tx *sqlx.Tx) error {
		if _, _, err := w.store.Withdraw(w.ctx, tx, a.Slug, w.clock.Now()); err != nil {
			return err
		}
		return w.desk().Withdrawn(w.ctx, tx, a.GroupID)
	}))
}

// review makes the list want approval.
func (w *world) review() {
	w.t.Helper()
	list := w.list()
	list.Approval = true
	w.declare(list)
}

// open returns what each open delivery of an edition is to bring, as gets does.
func (w *world) open(id uuid.UUID) (got []string) {
	w.t.Helper()
	var closed []string
	w.must(w.db.Select(&closed, `SELECT split_part(a.email, '@', 1) FROM mailer.deliveries d JOIN subscribers.addresses a USING (contact_id)
		WHERE d.edition_id = $1 AND d.due_at IS NULL`, id))
	for _, line := range w.gets(&Edition{ID: id}) {
		name, _, _ := strings.Cut(line, ":")
		if !contains(closed, name) {
			got = append(got, line)
		}
	}
	return got
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

func (w *world) stateOf(id uuid.UUID) State {
	w.t.Helper()
	e, err := ByID(w.ctx, w.db, id)
	w.must(err)
	return e.State
}

// claim hands a new sender what is due.
func (w *world) claim() []*ledger.Delivery {
	w.t.Helper()
	sender, err := ledger.Enlist(w.ctx, w.db, w.clock.Now())
	w.must(err)
	claimed, err := ledger.Claim(w.ctx, w.db, sender, w.clock.Now(), 1000)
	w.must(err)
	w.sender = sender
	return claimed
}

func (w *world) outcome(d *ledger.Delivery, o reply.Outcome) {
	w.t.Helper()
	a := ledger.Attempt{Sender: w.sender, Delivery: d, At: w.clock.Now(), Outcome: o, Reply: reply.Reply{Phase: reply.Dot}}
	if o == reply.Deferred || o == reply.InDoubt {
		a.DueAt = w.clock.Now().Add(time.Minute)
	}
	w.must(ledger.Settle(w.ctx, w.db, []ledger.Attempt{a}))
}

func TestArrangement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.review()
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "it;en", "weekly")
	w.publish("one en", "two en", "two it", "three en")
	e, _ := w.plan("weekly")
	w.publish("late en")
	d := w.desk()
	w.must(d.Add(w.ctx, e.ID, AskFirst, w.article("late en")))
	same(t, "added", w.gets(e), []string{"anna: late en, one en, two en, three en", "bo: late en, one en, two it, three en"})
	w.must(d.Pin(w.ctx, e.ID, w.article("two it")))
	w.must(d.Pin(w.ctx, e.ID, w.article("three en")))
	same(t, "pinned", w.gets(e), []string{"anna: three en, two en, late en, one en", "bo: three en, two it, late en, one en"})
	w.must(d.Order(w.ctx, e.ID, w.article("one en"), w.article("late en")))
	same(t, "ordered", w.gets(e), []string{"anna: one en, late en, two en, three en", "bo: one en, late en, two it, three en"})
	w.must(d.Drop(w.ctx, e.ID, false, w.article("three en")))
	w.must(d.Drop(w.ctx, e.ID, true, w.article("one en")))
	same(t, "dropped", w.gets(e), []string{"anna: late en, two en", "bo: late en, two it"})
	now, err := ByID(w.ctx, w.db, e.ID)
	w.must(err)
	same(t, "counted", []int{now.Articles, now.Variants, now.Recipients}, []int{2, 2, 2})
	w.must(d.Approve(w.ctx, e.ID))
	w.settle("sent")
	_, got := w.plan("weekly")
	same(t, "the next", got, []string{"anna: three en", "bo: three en"})
	log, err := Log(w.ctx, w.db, e.ID)
	w.must(err)
	var what []string
	for _, entry := range log {
		word, _, _ := strings.Cut(entry.What, ":")
		what = append(what, entry.Actor+" "+word)
	}
	same(t, "the log", what, []string{
		"command line added", "command line pinned", "command line pinned", "command line ordered", "command line dropped (later)",
		"command line dropped (never)", "command line approved",
	})
}

func TestWhatIsAddedGoesToWhoHasNotGotIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("old en")
	w.plan("weekly")
	w.settle("sent")
	w.review()
	w.subscribe("bo", "en", "weekly") // came too late for it
	w.publish("new en")
	e, _ := w.plan("weekly")
	w.must(w.desk().Add(w.ctx, e.ID, AskFirst, w.article("old en")))
	same(t, "added", w.gets(e), []string{"anna: new en", "bo: new en, old en"})
	// What was added fails: it is due again, once.
	w.publish("later en")
	w.must(w.desk().Add(w.ctx, e.ID, AskFirst, w.article("later en")))
	w.must(w.desk().Approve(w.ctx, e.ID))
	for _, d := range w.claim() {
		w.outcome(d, reply.Failed)
	}
	_, got := w.plan("weekly")
	same(t, "after a failure", got, []string{"anna: later en, new en", "bo: later en, new en, old en"})
}

func TestWithdrawnLeavesWhatIsNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"anna", "bo", "cem", "dana"} {
		w.subscribe(name, "en", "weekly")
	}
	w.subscribe("eve", "it;en", "weekly")
	w.publish("wrong en", "right en", "wrong it")
	e, _ := w.plan("weekly")
	var held *ledger.Delivery
	for i, d := range w.claim() {
		name, _, _ := strings.Cut(d.Email, "@")
		switch name {
		case "anna":
			w.outcome(d, reply.Sent)
		case "bo":
			w.outcome(d, reply.Deferred)
		case "cem":
			w.outcome(d, reply.InDoubt)
		case "dana":
			held = d // in flight
		default:
			w.must(ledger.PutBack(w.ctx, w.db, w.sender, []*ledger.Delivery{d}))
		}
		_ = i
	}
	w.withdraw("wrong en")
	same(t, "withdrawn", w.gets(e), []string{
		"anna: wrong en, right en", "bo: right en", "cem: wrong en, right en", "dana: wrong en, right en", "eve: wrong it, right en",
	})
	w.must(ledger.PutBack(w.ctx, w.db, w.sender, []*ledger.Delivery{held}))
	w.clock.Advance(2 * time.Minute)
	for _, d := range w.claim() {
		if d.ContactID == held.ContactID {
			t.Errorf("the withdrawn article goes out to %s", d.Email)
		}
		w.must(ledger.PutBack(w.ctx, w.db, w.sender, []*ledger.Delivery{d}))
	}
	n, err := w.desk().Sweep(w.ctx)
	w.must(err)
	same(t, "swept editions", n, 1)
	same(t, "swept", w.open(e.ID), []string{"bo: right en", "dana: right en", "eve: wrong it, right en"})
	if n, err := w.desk().Sweep(w.ctx); n != 0 || err != nil {
		t.Errorf("swept again: %d, %v", n, err)
	}
}

func TestADeliveryThatIsEmptiedComesBackWithWhatIsAdded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.review()
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	e, _ := w.plan("weekly")
	w.must(w.desk().Drop(w.ctx, e.ID, false, w.article("one en")))
	same(t, "emptied", w.open(e.ID), []string(nil))
	if err := w.desk().Approve(w.ctx, e.ID); errs.KindOf(err) != errs.Conflict {
		t.Errorf("an edition with nothing in it is approved: %v", err)
	}
	w.publish("two en")
	w.must(w.desk().Add(w.ctx, e.ID, AskFirst, w.article("two en"), w.article("one en")))
	same(t, "back", w.open(e.ID), []string{"anna: two en, one en"})
	w.must(w.desk().Approve(w.ctx, e.ID))
	w.settle("sent")
	e, got := w.plan("weekly")
	same(t, "the next", got, []string(nil))
	same(t, "the next", e.State, Skipped)
}

func TestStates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.review()
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	e, _ := w.plan("weekly")
	d := w.desk()
	for _, step := range []struct {
		name string
		do   error
		kind errs.Kind
		want State
	}{
		{"resume what runs", d.Resume(w.ctx, e.ID), 0, Review},
		{"hold", d.Hold(w.ctx, e.ID, "let me see"), 0, Held},
		{"approve what is held", d.Approve(w.ctx, e.ID), errs.Conflict, Held},
		{"release", d.Release(w.ctx, e.ID), 0, Approved},
		{"cancel", d.Cancel(w.ctx, e.ID, "a mistake"), 0, Cancelled},
		{"cancel again", d.Cancel(w.ctx, e.ID, ""), errs.Conflict, Cancelled},
		{"unknown", d.Hold(w.ctx, uuid.New(), ""), errs.NotFound, Cancelled},
	} {
		if got := errs.KindOf(step.do); (step.do != nil) != (step.kind != 0) || step.do != nil && got != step.kind {
			t.Errorf("%s: %v", step.name, step.do)
		}
	}
	same(t, "in the end", w.stateOf(e.ID), Cancelled)
	_, got := w.plan("weekly")
	same(t, "what was cancelled is due again", got, []string{"anna: one en"})
}

func TestNothingIsClaimedOfWhatIsPausedOrHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	e, _ := w.plan("weekly")
	d := w.desk()
	claims := func(what string, want int) (got []*ledger.Delivery) {
		t.Helper()
		got = w.claim()
		same(t, what, len(got), want)
		return got
	}
	w.must(d.Pause(w.ctx, e.ID))
	claims("paused", 0)
	w.must(d.Resume(w.ctx, e.ID))
	pause := func(list int64) {
		t.Helper()
		_, err := d.PauseList(w.ctx, list)
		w.must(err)
		claims("list paused", 0)
		_, err = d.ResumeList(w.ctx, list)
		w.must(err)
	}
	pause(0)
	pause(w.list().ID)
	w.must(d.Hold(w.ctx, e.ID, ""))
	claims("held", 0)
	w.must(d.Release(w.ctx, e.ID))
	got := claims("released", 1)
	// What is in flight already is asked for once more before it goes.
	may := func() bool {
		t.Helper()
		may, err := ledger.Recheck(w.ctx, w.db, w.sender, got[0], w.clock.Now())
		w.must(err)
		return may
	}
	same(t, "may go", may(), true)
	w.must(d.Pause(w.ctx, e.ID))
	same(t, "may go when paused", may(), false)
}

func TestCancelledInFlight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"anna", "bo", "cem", "dana"} {
		w.subscribe(name, "en", "weekly")
	}
	w.publish("one en")
	e, _ := w.plan("weekly")
	claimed := w.claim()
	w.outcome(claimed[0], reply.InDoubt)
	w.must(w.desk().Cancel(w.ctx, e.ID, "a mistake"))
	w.outcome(claimed[1], reply.Sent)
	w.outcome(claimed[2], reply.Deferred)
	_, err := ledger.Finish(w.ctx, w.db, w.clock.Now())
	w.must(err)
	states := func() (s []string) {
		w.must(w.db.Select(&s, `SELECT state || CASE WHEN due_at IS NULL THEN '' ELSE ' open' END FROM mailer.deliveries
			WHERE edition_id = $1 ORDER BY contact_id`, e.ID))
		return s
	}
	same(t, "states", states(), []string{"in_doubt", "sent", "cancelled", "in_flight open"})
	w.must(ledger.PutBack(w.ctx, w.db, w.sender, claimed[3:]))
	_, err = ledger.Finish(w.ctx, w.db, w.clock.Now())
	w.must(err)
	same(t, "states", states(), []string{"in_doubt", "sent", "cancelled", "cancelled"})
	_, got := w.plan("weekly")
	same(t, "due again", got, []string{"cem: one en", "dana: one en"})
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	for _, tt := range []struct {
		unapproved string
		want       State
	}{{"hold", Held}, {"cancel", Cancelled}, {"send", Approved}} {
		list := w.list()
		list.Approval, list.ApprovalWithin = true, 4*3600e9
		list.Unapproved = tt.unapproved
		w.declare(list)
		e, got := w.plan("weekly")
		same(t, tt.unapproved, got, []string{"anna: one en"})
		w.clock.Advance(3 * time.Hour)
		n, err := w.desk().Deadlines(w.ctx)
		w.must(err)
		same(t, "too early", n, 0)
		w.clock.Advance(time.Hour)
		n, err = w.desk().Deadlines(w.ctx)
		w.must(err)
		same(t, "in time", n, 1)
		same(t, tt.unapproved, w.stateOf(e.ID), tt.want)
		if tt.want == Held {
			w.must(w.desk().Cancel(w.ctx, e.ID, ""))
		}
	}
}

// What readers get in the second of their languages is not translated into the first.
func TestNotYetTranslated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.review()
	w.subscribe("anna", "it;en", "weekly")
	w.subscribe("bo", "zh;en", "weekly")
	w.publish("one en", "one it", "two en", "three zh")
	e, _ := w.plan("weekly")
	tongues, err := Tongues(w.ctx, w.db, e.ID)
	w.must(err)
	got := map[string][2]int{}
	for _, tongue := range tongues {
		got[tongue.Language] = [2]int{tongue.Articles, tongue.Untranslated}
	}
	same(t, "articles, and not yet translated", got, map[string][2]int{"it": {2, 1}, "zh-Hans": {3, 2}})
}

func TestTranslatedAtTheDesk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.review()
	w.subscribe("anna", "it", "weekly")
	w.subscribe("bo", "en", "weekly")
	w.publish("one en", "two en")
	e, _ := w.plan("weekly")
	untranslated := func(want int) {
		t.Helper()
		tongues, err := Tongues(w.ctx, w.db, e.ID)
		w.must(err)
		for _, tongue := range tongues {
			if tongue.Language == "it" {
				same(t, "not yet translated", tongue.Untranslated, want)
			}
		}
	}
	untranslated(2)
	w.must(database.Transact(w.ctx, w.db, func(tx *sqlx.Tx) error {
		made, _, err := w.store.Translate(w.ctx, tx, w.article("one en").Slug, articles.Translation{Language: "it", Title: "uno", Summary: "Uno."}, w.clock.Now())
		if err != nil {
			return err
		}
		return w.desk().Translated(w.ctx, tx, made.GroupID)
	}))
	same(t, "translated", w.gets(e), []string{"anna: uno, two en", "bo: one en, two en"})
	untranslated(1)
	// The source's own takes its place; time brings it to the desk.
	w.publish("one it")
	_, err := w.desk().Sweep(w.ctx)
	w.must(err)
	same(t, "replaced", w.gets(e), []string{"anna: one it, two en", "bo: one en, two en"})
	w.withdraw("one en") // the Italian version is there still
	same(t, "withdrawn", w.gets(e), []string{"anna: one it, two en", "bo: two en"})
}
