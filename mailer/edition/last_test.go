package edition

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/mailer/notice"
	"silkpost/subscribers"
)

// last asks for the last edition for a reader, writes down the notice that sends it, and returns what it holds for them.
func (w *world) last(name string) (id uuid.UUID, c Contents, titles []string) {
	w.t.Helper()
	var subscription int64
	w.must(w.db.Get(&subscription, `
		SELECT s.id FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id WHERE c.email = $1`, name+"@example.org"))
	w.must(database.Transact(w.ctx, w.db, func(tx *sqlx.Tx) error {
		titles = nil
		var found bool
		var err error
		if id, found, err = Last(w.ctx, tx, subscription); err != nil || !found {
			return err
		}
		sub, err := subscribers.SubscriptionByID(w.ctx, tx, subscription)
		if err != nil {
			return err
		}
		n := notice.Of(notice.LastEdition, &sub)
		n.EditionID = uuid.NullUUID{UUID: id, Valid: true}
		if made, err := n.Make(w.ctx, tx, w.clock.Now()); err != nil || !made {
			w.t.Errorf("the last edition of %s is one too many (%v)", name, err)
		}
		if c, err = w.planner.Read(w.ctx, tx, id, w.list(), subscription); err != nil {
			return err
		}
		shown, err := w.store.ByIDs(w.ctx, tx, c.Articles)
		for _, a := range shown {
			titles = append(titles, a.Title)
		}
		return err
	}))
	return id, c, titles
}

// A newcomer gets the last edition of their rhythm in their own languages and topics, once, and none of it again.
func TestLastEdition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.subscribe("dana", "en", "daily")
	w.subscribe("finn", "ru", "weekly")
	w.publish("old en")
	w.plan("weekly")
	w.publish("one en", "one it", "Events/two ru", "three en")
	e, _ := w.plan("weekly")
	w.publish("four en")
	w.plan("daily")

	w.subscribe("bo", "it;en", "weekly")
	id, c, titles := w.last("bo")
	same(t, "bo's last edition", titles, []string{"one it", "three en"})
	same(t, "its language and date", []any{id, c.Language, c.LocalDate.Equal(e.LocalDate), len(c.Fallbacks)}, []any{e.ID, "it", true, 0})
	w.subscribe("cem", "ru", "weekly", "Events")
	_, _, titles = w.last("cem")
	same(t, "cem's last edition", titles, []string{"Events/two ru"})
	w.subscribe("eve", "uk", "weekly", "poems")
	id, _, titles = w.last("eve")
	same(t, "eve has no such topics", []any{id, titles}, []any{e.ID, []string(nil)})

	// bo turns to a rhythm whose last edition ended before: still nothing comes twice.
	w.exec(`UPDATE subscribers.subscriptions SET rhythm = 'monthly' WHERE contact_id = (SELECT id FROM subscribers.contacts WHERE email = 'bo@example.org')`)
	w.publish("five en")
	_, got := w.plan("monthly")
	same(t, "monthly", got, []string{"bo: five en, four en"})
	_, got = w.plan("weekly")
	same(t, "weekly", got, []string{"anna: five en, four en", "finn: five en, four en"}) // cem and eve have other topics
}

// Who is no newcomer has had a part of it, or is still to get it.
func TestLastEditionIsForNewcomers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	if _, _, titles := w.last("anna"); titles != nil {
		t.Errorf("there is no edition, but %v", titles)
	}
	w.publish("one en")
	e, _ := w.plan("weekly")
	again := func(name, why string) {
		t.Helper()
		if id, _, titles := w.last(name); id != uuid.Nil || titles != nil {
			t.Errorf("%s: %v", why, titles)
		}
	}
	again("anna", "she has it")
	w.exec(`UPDATE subscribers.subscriptions SET activation = activation + 1`)
	again("anna", "she has come back")
	w.subscribe("bo", "en", "weekly")
	w.plan("daily") // from now on bo is counted with
	again("bo", "he is enrolled")
	w.subscribe("cem", "en", "daily")
	again("cem", "of another rhythm there is none")
	w.subscribe("dana", "en", "weekly")
	w.exec(`UPDATE mailer.editions SET state = 'held' WHERE id = $1`, e.ID)
	again("dana", "it does not go out")
	w.exec(`UPDATE mailer.editions SET state = 'sent' WHERE id = $1`, e.ID)
	w.exec(`INSERT INTO subscribers.suppressions (address_key, reason, at) VALUES ('dana@example.org', 'manual', $1)`, w.clock.Now())
	again("dana", "she must not be mailed")
	w.exec(`DELETE FROM subscribers.suppressions`)
	if _, _, titles := w.last("dana"); len(titles) != 1 {
		t.Errorf("dana, who is new, gets %v", titles)
	}
	again("dana", "she had it")
}

// Whoever was on the list without getting anything, and comes back, begins behind the last edition like anybody new.
func TestLastEditionForWhoWasHereInVain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "en", "weekly")
	w.plan("weekly") // nothing in it, but everybody is enrolled
	w.exec(`UPDATE subscribers.subscriptions SET state = 'unsubscribed' WHERE contact_id = (SELECT id FROM subscribers.contacts WHERE email = 'bo@example.org')`)
	w.publish("one en")
	w.plan("weekly")
	w.exec(`UPDATE subscribers.subscriptions SET state = 'active', activation = activation + 1 WHERE state = 'unsubscribed'`)
	_, _, titles := w.last("bo")
	same(t, "bo's last edition", titles, []string{"one en"})
	w.publish("two en")
	_, got := w.plan("weekly")
	same(t, "the next one", got, []string{"anna: two en", "bo: two en"})
}

// Whoever had a last edition, leaves before any digest and comes back has had it: the one of another rhythm may hold the same.
func TestLastEditionIsForOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.subscribe("dana", "en", "monthly")
	w.publish("one en")
	w.plan("weekly")
	w.plan("monthly")
	w.subscribe("bo", "en", "monthly")
	_, _, titles := w.last("bo")
	same(t, "bo's last edition", titles, []string{"one en"})
	w.exec(`UPDATE subscribers.subscriptions SET state = 'unsubscribed' WHERE contact_id = (SELECT id FROM subscribers.contacts WHERE email = 'bo@example.org')`)
	w.exec(`UPDATE subscribers.subscriptions SET state = 'active', activation = activation + 1, rhythm = 'weekly' WHERE state = 'unsubscribed'`)
	_, _, titles = w.last("bo")
	same(t, "bo's second last edition", titles, []string(nil))
	w.publish("two en")
	_, got := w.plan("weekly")
	same(t, "the next one", got, []string{"anna: two en", "bo: two en"})
}

// What went to an audience alone is still to come to everybody else, also to newcomers: it is not their last edition.
func TestLastEditionIsForEverybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "it;en", "weekly")
	w.publish("one en")
	w.plan("weekly")
	w.publish("two en")
	w.planFor(w.list(), "weekly", "language = it")
	w.subscribe("cem", "en", "weekly")
	_, _, titles := w.last("cem")
	same(t, "cem's last edition", titles, []string{"one en"})
	_, got := w.plan("weekly")
	same(t, "the next", got, []string{"anna: two en", "cem: two en"})
}

// What an editor added to the last edition ahead of its time comes to newcomers with the edition that it is due in, and once.
func TestLastEditionWithAnAddition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.review()
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	e, _ := w.plan("weekly")
	w.publish("two en")
	w.must(w.desk().Add(w.ctx, e.ID, AskFirst, w.article("two en")))
	w.must(w.desk().Approve(w.ctx, e.ID))
	w.subscribe("cem", "en", "weekly")
	_, _, titles := w.last("cem")
	same(t, "cem's last edition", titles, []string{"one en"})
	w.publish("three en")
	_, got := w.plan("weekly")
	same(t, "the next", got, []string{"anna: three en", "cem: two en, three en"})
}
