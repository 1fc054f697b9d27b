package edition

import (
	"errors"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/subscribers"
)

func (w *world) audience(text string) subscribers.Audience {
	w.t.Helper()
	a, err := subscribers.ParseAudience(text)
	w.must(err)
	return a
}

// make makes an edition by hand and approves it.
func (w *world) make(m Handmade) *Edition {
	w.t.Helper()
	m.List, m.AtOnce, m.Approve = w.list(), true, true
	e, err := w.desk().Make(w.ctx, m)
	w.must(err)
	return e
}

func TestHandmade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly", "Events")
	w.subscribe("bo", "it", "daily")
	w.publish("one en", "one it", "two en")
	w.plan("daily") // bo
	w.settle("sent")
	w.publish("three en")
	one, two, three := w.article("one en"), w.article("two en"), w.article("three en")
	e := w.make(Handmade{Articles: []articles.Article{three, one}})
	same(t, "by hand", w.gets(e), []string{"anna: three en, one en", "bo: three en"})
	same(t, "edition", []any{e.Rhythm, e.Articles, e.Recipients, e.State}, []any{Once, 2, 2, Approved})
	// What was given by hand is not given again, what was not is: but anna has asked for events alone.
	_, got := w.plan("weekly")
	same(t, "weekly", got, []string(nil))
	_, got = w.plan("daily")
	same(t, "daily", got, []string(nil))
	if _, err := w.desk().Make(w.ctx, Handmade{List: w.list(), Articles: []articles.Article{three}}); errs.KindOf(err) != errs.Conflict {
		t.Errorf("everybody has it: %v", err)
	}
	again := w.make(Handmade{Articles: []articles.Article{two, three}, Repeat: true, Audience: w.audience("rhythm = daily")})
	same(t, "repeated", w.gets(again), []string{"bo: two en, three en"})
	if _, err := w.desk().Make(w.ctx, Handmade{List: w.list()}); errs.KindOf(err) != errs.Invalid {
		t.Errorf("nothing in it: %v", err)
	}
}

// An edition keeps what its list wanted when it was made: for how long it may be late, and what becomes of a delivery in doubt.
func TestEditionsKeepWhatTheirListWants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.list()
	list.LateAfter, list.InDoubt = subscribers.Duration(3*time.Hour), subscribers.InDoubtLeave
	w.declare(list)
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	w.plan("weekly")
	w.make(Handmade{Articles: []articles.Article{w.article("one en")}, Repeat: true})
	var kept []string
	w.must(w.db.Select(&kept, `SELECT format('%s %s %s', rhythm, late_after, in_doubt) FROM mailer.editions ORDER BY 1`))
	same(t, "kept", kept, []string{"once 03:00:00 leave", "weekly 03:00:00 leave"})
}

// What readers have from a list that is left out does not come to them by hand either, unless it is to be repeated.
func TestHandmadeLeavesOutAnotherList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.list()
	other := list
	other.Slug = "other"
	w.declare(other)
	list.LeaveOut = []string{"other"}
	w.declare(list)
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "en", "weekly")
	w.subscribeTo("other", "anna", "en", "weekly")
	w.publish("one en", "two en")
	w.planList(w.listed("other"), "weekly")
	w.settle("sent")
	w.publish("three en")
	one, three := w.article("one en"), w.article("three en")
	e := w.make(Handmade{Articles: []articles.Article{one, three}})
	same(t, "by hand", w.gets(e), []string{"anna: three en", "bo: one en, three en"})
	e = w.make(Handmade{Articles: []articles.Article{one}, Repeat: true})
	same(t, "repeated", w.gets(e), []string{"anna: one en", "bo: one en"})
}

// A repetition that fails is not due again; what it held for those who had not got it yet is.
func TestRepeatedAndFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "en", "daily")
	w.publish("one en")
	w.plan("daily")
	w.settle("sent")
	w.make(Handmade{Articles: []articles.Article{w.article("one en")}, Repeat: true})
	for _, d := range w.claim() {
		w.outcome(d, reply.Failed)
	}
	_, got := w.plan("daily")
	same(t, "bo has it", got, []string(nil))
	_, got = w.plan("weekly")
	same(t, "anna has not", got, []string{"anna: one en"})
}

func TestAnnouncementAndCorrection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"anna", "bo", "cem", "dana"} {
		w.subscribe(name, "en", "weekly")
	}
	words := "We move."
	texts := map[string]Texts{"en": {Introduction: &words}}
	e := w.make(Handmade{Texts: texts})
	same(t, "recipients", e.Recipients, 4)
	for _, d := range w.claim() {
		switch d.Email {
		case "anna@example.org":
			w.outcome(d, reply.Sent)
		case "bo@example.org":
			w.outcome(d, reply.InDoubt)
		case "cem@example.org":
			w.outcome(d, reply.Failed)
		default:
			w.must(ledger.PutBack(w.ctx, w.db, w.sender, []*ledger.Delivery{d}))
		}
	}
	if _, err := w.desk().Correct(w.ctx, e.ID, texts, true); errs.KindOf(err) != errs.Conflict {
		t.Errorf("corrected while it goes out: %v", err)
	}
	w.must(w.desk().Hold(w.ctx, e.ID, ""))
	notice, err := w.desk().Correct(w.ctx, e.ID, texts, true)
	w.must(err)
	same(t, "those who got it", w.gets(notice), []string{"anna: ", "bo: "})
}

// planFor makes an edition for an audience.
func (w *world) planFor(list subscribers.List, rhythm, audience string) *Edition {
	w.t.Helper()
	w.must(ledger.Prepare(w.ctx, w.db, w.clock.Now()))
	var e *Edition
	w.must(database.Transact(w.ctx, w.db, func(tx *sqlx.Tx) (err error) {
		e, err = w.planner.Plan(w.ctx, tx, Request{
			List: list, Rhythm: rhythm, CutOff: w.clock.Now(), ByHand: true, AtOnce: true, Audience: w.audience(audience),
		})
		return err
	}))
	w.clock.Advance(time.Minute)
	return e
}

func TestAnEditionIsNarrowedToAnAudience(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "it;en", "weekly")
	w.publish("one en")
	e := w.planFor(w.list(), "weekly", "language = it")
	same(t, "narrowed", w.gets(e), []string{"bo: one en"})
	none := w.planFor(w.list(), "daily", "language = it")
	same(t, "nobody", []any{none.State, none.Reason}, []any{Skipped, "nobody of the audience has an active subscription with this rhythm"})
	w.subscribe("cem", "en", "weekly") // new: gets what the next edition holds
	w.publish("two en")
	_, got := w.plan("weekly")
	same(t, "the next", got, []string{"anna: two en, one en", "bo: two en", "cem: two en, one en"})
}

// What a repetition holds back is given by others meanwhile.
func TestARepetitionThatWaitsKeepsNothingFromAnybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("one en", "two en")
	e, err := w.desk().Make(w.ctx, Handmade{List: w.list(), Articles: []articles.Article{w.article("one en"), w.article("two en")}, Repeat: true})
	w.must(err)
	w.clock.Advance(time.Minute)
	_, got := w.plan("weekly")
	same(t, "weekly", got, []string{"anna: one en, two en"})
	w.must(w.desk().Drop(w.ctx, e.ID, false, w.article("one en")))
	w.must(w.desk().Cancel(w.ctx, e.ID, ""))
	w.settle("sent")
	_, got = w.plan("weekly")
	same(t, "the next", got, []string(nil))
}

// A correction of an article is for those whose digest had it, also for those who may have got it by an attempt before the one that failed.
func TestCorrectionOfAnArticle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "it", "weekly")
	w.subscribe("cem", "en", "weekly", "Events")
	w.subscribe("dana", "en", "weekly")
	w.subscribe("eve", "en", "weekly")
	w.publish("one en", "one it", "Events/two en")
	e, _ := w.plan("weekly")
	for _, d := range w.claim() {
		switch d.Email {
		case "eve@example.org": // does not get it before it is withdrawn
			w.must(ledger.PutBack(w.ctx, w.db, w.sender, []*ledger.Delivery{d}))
		case "dana@example.org":
			w.outcome(d, reply.InDoubt)
		default:
			w.outcome(d, reply.Sent)
		}
	}
	one := w.article("one en")
	w.clock.Advance(time.Minute)
	for _, d := range w.claim() {
		if d.Email == "dana@example.org" {
			w.outcome(d, reply.Failed)
		} else {
			w.must(ledger.PutBack(w.ctx, w.db, w.sender, []*ledger.Delivery{d}))
		}
	}
	w.withdraw("one en")
	for _, d := range w.claim() {
		w.outcome(d, reply.Sent)
	}
	_, err := ledger.Finish(w.ctx, w.db, w.clock.Now())
	w.must(err)
	words := "It was wrong."
	texts := map[string]Texts{"en": {Introduction: &words}}
	w.clock.Advance(time.Minute)
	notice, err := w.desk().Correct(w.ctx, e.ID, texts, true, one)
	w.must(err)
	same(t, "those who got the article", w.gets(notice), []string{"anna: ", "dana: "})
	w.clock.Advance(time.Minute)
	notice, err = w.desk().Correct(w.ctx, e.ID, texts, true)
	w.must(err)
	same(t, "those who got anything", w.gets(notice), []string{"anna: ", "bo: ", "cem: ", "dana: ", "eve: "})
}

// What has neither articles nor words left is sent to nobody.
func TestNothingEmptyIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.review()
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	one := w.article("one en")
	e, err := w.desk().Make(w.ctx, Handmade{List: w.list(), Articles: []articles.Article{one}})
	w.must(err)
	w.must(w.desk().Drop(w.ctx, e.ID, false, one))
	same(t, "open", w.open(e.ID), []string(nil))
	words := "We move."
	w.must(w.desk().Write(w.ctx, e.ID, "en", Texts{Introduction: &words}))
	same(t, "with words", w.open(e.ID), []string{"anna: "})
	w.must(w.desk().Write(w.ctx, e.ID, "en", Texts{Introduction: new(string)}))
	same(t, "without them", w.open(e.ID), []string(nil))
	subject, blank := "Hello", " \n"
	if _, err := w.desk().Make(w.ctx, Handmade{List: w.list(), Texts: map[string]Texts{"en": {Subject: &subject}}}); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a subject alone: %v", err)
	}
	if _, err := w.desk().Make(w.ctx, Handmade{List: w.list(), Texts: map[string]Texts{"en": {Introduction: &blank}}}); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a blank introduction: %v", err)
	}
	w.must(w.desk().Cancel(w.ctx, e.ID, ""))
	if _, err := w.desk().Correct(w.ctx, e.ID, map[string]Texts{"en": {Subject: &subject, Introduction: &blank}}, true); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a correction without words: %v", err)
	}
}

// Adding an article to an edition of words alone leaves nobody out unbeknown: who was given it already gets the words alone, or nothing, as is said. Either
// way everybody is given it once.
func TestWhoHasWhatIsAddedIsNotLostUnbeknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.review()
	for _, name := range []string{"anna", "bo", "cem"} {
		w.subscribe(name, "en", map[bool]string{true: "daily", false: "weekly"}[name == "bo"])
	}
	w.publish("one en", "two en")
	daily, _ := w.plan("daily") // bo
	w.must(w.desk().Approve(w.ctx, daily.ID))
	w.settle("sent")
	one, two := w.article("one en"), w.article("two en")
	words := "We move."
	announced := func() *Edition {
		e, err := w.desk().Make(w.ctx, Handmade{List: w.list(), Texts: map[string]Texts{"en": {Introduction: &words}}, AtOnce: true})
		w.must(err)
		w.clock.Advance(time.Minute)
		return e
	}
	e := announced()
	var lost *LeavesOutError
	if err := w.desk().Add(w.ctx, e.ID, AskFirst, one); !errors.As(err, &lost) || errs.KindOf(err) != errs.Conflict || lost.Recipients != 1 {
		t.Fatalf("%v", err)
	}
	same(t, "who", lost.Some, []string{"bo@example.org"})
	same(t, "nothing was done", w.open(e.ID), []string{"anna: ", "bo: ", "cem: "})
	w.must(w.desk().Add(w.ctx, e.ID, LeaveOut, one))
	same(t, "left out", w.open(e.ID), []string{"anna: one en", "cem: one en"})
	w.must(w.desk().Add(w.ctx, e.ID, AskFirst, two)) // leaves out nobody more
	w.must(w.desk().Add(w.ctx, e.ID, WordsAlone, two))
	same(t, "the words alone", w.open(e.ID), []string{"anna: one en, two en", "bo: ", "cem: one en, two en"})
	counts, err := ledger.CountOf(w.ctx, w.db, e.ID)
	w.must(err)
	same(t, "accounted for", []int{counts.Recipients, counts.Pending}, []int{3, 3})
	w.must(w.desk().Approve(w.ctx, e.ID))
	w.settle("sent")
	weekly, got := w.plan("weekly")
	same(t, "given once", []any{weekly.State, got}, []any{Skipped, []string(nil)})

	e = announced()
	w.must(w.desk().Cancel(w.ctx, e.ID, ""))
	w.publish("three en")
	made, err := w.desk().Make(w.ctx, Handmade{
		List: w.list(), Articles: []articles.Article{one}, Texts: map[string]Texts{"en": {Introduction: &words}}, WordsAlone: true, AtOnce: true,
	})
	w.must(err)
	same(t, "made so", w.open(made.ID), []string{"anna: ", "bo: ", "cem: "})
}

// What is withdrawn while it goes out leaves what has not gone: those get the words alone, or nothing, as was chosen.
func TestWithdrawnInMidSend(t *testing.T) {
	t.Parallel()
	for alone, want := range map[bool][]string{true: {"bo: "}, false: nil} {
		w := newWorld(t)
		w.subscribe("anna", "en", "weekly")
		w.subscribe("bo", "en", "weekly")
		w.publish("one en")
		words := "Look at this."
		e := w.make(Handmade{Articles: []articles.Article{w.article("one en")}, Texts: map[string]Texts{"en": {Introduction: &words}}, WordsAlone: alone})
		for _, d := range w.claim() {
			if d.Email == "anna@example.org" {
				w.outcome(d, reply.Sent)
			} else {
				w.must(ledger.PutBack(w.ctx, w.db, w.sender, []*ledger.Delivery{d}))
			}
		}
		w.withdraw("one en")
		same(t, "still to go", w.open(e.ID), want)
		same(t, "of all", w.gets(e)[0], "anna: one en")
		counts, err := ledger.CountOf(w.ctx, w.db, e.ID)
		w.must(err)
		same(t, "accounted for", []int{counts.Recipients, counts.Sent, counts.Pending + counts.Cancelled}, []int{2, 1, 1})
	}
}
