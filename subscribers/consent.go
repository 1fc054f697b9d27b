package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Method is how a consent was given or taken back.
type Method string

// The methods.
const (
	ByImport        Method = "import"
	ByOneClick      Method = "one-click"    // RFC 8058
	ByPage          Method = "page"         // a button on a page that a link in a mail leads to
	ByForm          Method = "form"         // the form to subscribe, which anybody can fill in
	ByConfirmation  Method = "confirmation" // the link in the mail that asks whether it was them
	ByAdministrator Method = "administrator"
	BySchedule      Method = "schedule" // the end of a pause
	ByErasure       Method = "erasure"
	ByMail          Method = "mail" // to the address in List-Unsubscribe (RFC 2369); it only ends a subscription
)

// Evidence is what the log of consents keeps of a change: when and how it came about. It holds nothing that names a person.
type Evidence struct {
	At        time.Time
	Method    Method
	Statement string // the basis that was stated, or the words that were shown
	Origin    string // the file, the form or the page
	Network   string // of the person's address, cut by Network
	Actor     string // "" is the person, else the administrator's id
}

// personal are the methods by which a person says it. Whoever has the token that was mailed to an address is that person.
var personal = []Method{ByOneClick, ByPage, ByConfirmation}

// The state and its explanation change in one statement, so that neither is ever there alone. An erased contact stays as it is.
const changeState = `
WITH changed AS (
    UPDATE subscribers.subscriptions
    SET state = $2, paused_until = $4, activation = activation + CASE WHEN $5 THEN 1 ELSE 0 END, catch_up = $12
    WHERE id = $1 AND state = ANY ($3)
      AND ($2 = 'unsubscribed' OR contact_id NOT IN (SELECT id FROM subscribers.contacts WHERE erased_at IS NOT NULL))
    RETURNING id)
INSERT INTO subscribers.consents (subscription_id, at, state, method, statement, origin, network, actor)
SELECT id, $6, $2, $7, $8, $9, $10, $11 FROM changed`

// transition is a change of a subscription's state.
type transition struct {
	from    []State
	to      State
	until   *time.Time // of a pause
	catchUp bool       // of a pause: at its end
	enrols  bool       // it becomes active without catching up on what was missed
}

// change makes a transition. A subscription in a state that it does not begin from stays as it is; one that does not exist is
// errs.NotFound.
func change(ctx context.Context, h database.Handle, id int64, t transition, e Evidence) (err error) {
	changed, err := execCount(ctx, h, changeState, id, t.to, pq.Array(t.from), t.until, t.enrols, e.At, e.Method, e.Statement,
		e.Origin, e.Network, e.Actor, t.catchUp)
	if err == nil && changed == 0 {
		_, err = SubscriptionByID(ctx, h, id)
		return err
	}
	errs.Wrap(&err, "subscription %d becomes %s", id, t.to)
	return err
}

// Unsubscribe ends a subscription: its contact gets nothing more from this list. Doing it again changes nothing, and the log keeps the
// first time alone. There being no such subscription is errs.NotFound.
func Unsubscribe(ctx context.Context, h database.Handle, id int64, e Evidence) error {
	return change(ctx, h, id, transition{from: []State{Pending, Active, Paused}, to: Unsubscribed}, e)
}

// Confirm makes a subscription active because its person says so, whatever it was before, and lifts what only they may lift: a
// suppression for a hard bounce or a complaint. Somebody else's word is errs.Invalid; what a form asked for of a list that has ceased to be
// public is errs.Gone. What was published while it was not active is not
// caught up on.
func Confirm(ctx context.Context, h database.Handle, id int64, e Evidence) error {
	if err := fromPerson(e); err != nil {
		return err
	}
	if err := CheckOpen(ctx, h, id); err != nil {
		return err
	}
	if err := change(ctx, h, id, transition{from: []State{Pending, Unsubscribed, Paused}, to: Active, enrols: true}, e); err != nil {
		return err
	}
	if err := followOffer(ctx, h, id); err != nil {
		return err
	}
	return liftForPerson(ctx, h, id, e)
}

// CheckOpen refuses, with an error of kind errs.Gone, a subscription that a form asked for, that nobody has confirmed, and whose list has ceased to
// be public: whoever wrote into the form was let in by nobody.
func CheckOpen(ctx context.Context, h database.Handle, id int64) error {
	var closed bool
	err := h.GetContext(ctx, &closed, `
		SELECT EXISTS (
			SELECT FROM subscribers.subscriptions s JOIN subscribers.lists l ON l.id = s.list_id
			WHERE s.id = $1 AND s.state = 'pending' AND NOT l.public
			  AND (SELECT g.method FROM subscribers.consents g WHERE g.subscription_id = s.id ORDER BY g.id DESC LIMIT 1) = 'form')`, id)
	if err == nil && closed {
		err = errs.New(errs.Gone, "the list of subscription %d is not public any more", id)
	}
	return err
}

// followOffer gives a subscription its list's default rhythm if the list no longer offers its own, which may be while it is unsubscribed.
func followOffer(ctx context.Context, h database.Handle, id int64) error {
	_, err := h.ExecContext(ctx, `
		UPDATE subscribers.subscriptions s SET rhythm = l.default_rhythm FROM subscribers.lists l
		WHERE s.id = $1 AND l.id = s.list_id AND NOT s.rhythm = ANY (l.rhythms)`, id)
	return err
}

// Pause keeps mail from an active subscription until a time, or with nil until its person comes back. With catchUp the digest after its end
// holds what was published meanwhile. A pause can be made longer or shorter.
func Pause(ctx context.Context, h database.Handle, id int64, until *time.Time, catchUp bool, e Evidence) error {
	if until != nil && !until.After(e.At) {
		return errs.New(errs.Invalid, "a pause ends in the future")
	}
	return change(ctx, h, id, transition{from: []State{Active, Paused}, to: Paused, until: until, catchUp: catchUp}, e)
}

// Resume ends a pause. With catchUp the next digest holds what was published meanwhile, without it what comes from now on.
func Resume(ctx context.Context, h database.Handle, id int64, catchUp bool, e Evidence) error {
	return change(ctx, h, id, transition{from: []State{Paused}, to: Active, enrols: !catchUp}, e)
}

// ResumeDue ends the pauses whose time has come and returns how many that were. Those catch up on what they missed who asked for it.
func ResumeDue(ctx context.Context, h database.Handle, now time.Time) (int64, error) {
	return execCount(ctx, h, `
		WITH resumed AS (
			UPDATE subscribers.subscriptions
			SET state = 'active', paused_until = NULL, activation = activation + CASE WHEN catch_up THEN 0 ELSE 1 END, catch_up = false
			WHERE state = 'paused' AND paused_until <= $1
			RETURNING id)
		INSERT INTO subscribers.consents (subscription_id, at, state, method)
		SELECT id, $1, 'active', 'schedule' FROM resumed ORDER BY id`, now)
}

// LastMethod returns how a subscription came to be what it is, by the last line of its log.
func LastMethod(ctx context.Context, h database.Handle, id int64) (m Method, err error) {
	err = h.GetContext(ctx, &m, `SELECT method FROM subscribers.consents WHERE subscription_id = $1 ORDER BY id DESC LIMIT 1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", noSubscription(id)
	}
	errs.Wrap(&err, "read how subscription %d came to be", id)
	return m, err
}

func fromPerson(e Evidence) error {
	for _, m := range personal {
		if e.Method == m && e.Actor == "" {
			return nil
		}
	}
	return errs.New(errs.Invalid, "only the person can say so")
}

// CheckStatement refuses what cannot be kept in the log of consents as somebody's words.
func CheckStatement(text string) error {
	if err := checkText(text, maxText); err != nil {
		return errs.New(errs.Invalid, "the words: %w", err)
	}
	return nil
}
