package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// Enrolment is somebody who agreed elsewhere to be on a list, as an administrator or a program states.
type Enrolment struct {
	Address   Address
	Name      string   // "" when not said
	Languages []string // the best first; none when not said
	List      string   // slug
	Rhythm    string   // "" is the list's default
	Topics    []string // sections or tags; none is all
	Evidence  Evidence // its Statement says on what basis
}

// canonical checks what can be checked without knowing whose address it is.
func (r Enrolment) canonical() (_ Enrolment, err error) {
	join, err := JoinRequest{Name: r.Name, Languages: r.Languages, Wants: []Want{{Topics: r.Topics}}}.canonical()
	if err != nil {
		return r, err
	}
	r.Name, r.Languages, r.Topics = join.Name, join.Languages, join.Wants[0].Topics
	r.Evidence.Statement, r.Evidence.Origin = tidy(r.Evidence.Statement), tidy(r.Evidence.Origin)
	if r.Evidence.Statement == "" {
		return r, errs.New(errs.Invalid, "consent: say on what basis they may be mailed")
	}
	for _, text := range []string{r.Evidence.Statement, r.Evidence.Origin} {
		if err := checkText(text, maxText); err != nil {
			return r, errs.New(errs.Invalid, "consent: %w", err)
		}
	}
	return r, nil
}

// Enrol puts somebody on a list who agreed to it elsewhere, and keeps the statement of that in the log of consents. What is known of them stays; a
// subscription that waits becomes active, and one that is active or paused is left as it is (Unchanged). Nobody's no is weakened: whoever left the list, is
// suppressed, was erased or has changed to another address is errs.Conflict, and nothing is written.
func Enrol(ctx context.Context, tx *sqlx.Tx, r Enrolment) (subscription int64, _ database.Change, err error) {
	if r, err = r.canonical(); err != nil {
		return 0, "", err
	}
	list, err := ListBySlug(ctx, tx, r.List)
	if err == nil {
		err = tx.GetContext(ctx, &list, selectLists+` WHERE id = $1 FOR SHARE`, list.ID)
	}
	if err != nil {
		return 0, "", err
	}
	if r.Rhythm == "" {
		r.Rhythm = list.DefaultRhythm
	}
	if err := list.offers(r.Rhythm); err != nil {
		return 0, "", err
	}
	defer errs.Wrap(&err, "put somebody on a list")
	contact, err := r.contact(ctx, tx)
	if err != nil {
		return 0, "", err
	}
	if err := r.refuse(ctx, tx); err != nil {
		return 0, "", err
	}
	return r.subscribe(ctx, tx, contact, list.ID)
}

// contact returns the contact of the address, which is made if there is none, and holds it.
func (r Enrolment) contact(ctx context.Context, tx *sqlx.Tx) (id int64, err error) {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO subscribers.contacts (email, email_key, name, languages, language_keys, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (email_key) DO NOTHING`,
		r.Address.Given, r.Address.Key, r.Name, present(r.Languages), pq.StringArray(language.Keys(r.Languages)), r.Evidence.At); err != nil {
		return 0, err
	}
	err = tx.GetContext(ctx, &id, `SELECT id FROM subscribers.contacts WHERE email_key = $1 FOR UPDATE`, r.Address.Key)
	return id, err
}

// refuse looks for what speaks against mail to the address. The contact is held: who is being erased, or changes the address, is waited for.
func (r Enrolment) refuse(ctx context.Context, tx *sqlx.Tx) error {
	hash, err := addressHash(ctx, tx, r.Address.Key)
	if err != nil {
		return err
	}
	var gone struct{ Erased, Former bool }
	if err := tx.GetContext(ctx, &gone, `
		SELECT EXISTS (SELECT FROM subscribers.suppressions WHERE address_hash = $1 AND lifted_at IS NULL) AS erased,
		       EXISTS (SELECT FROM subscribers.former_addresses WHERE address_hash = $1) AS former`, hash); err != nil {
		return err
	}
	reasons, err := suppressedFor(ctx, tx, target{address: r.Address.Key, domain: r.Address.domain()})
	switch {
	case err != nil:
		return err
	case gone.Erased:
		return errs.New(errs.Conflict, "%s", erasedReason)
	case gone.Former:
		return errs.New(errs.Conflict, "%s", formerReason)
	case slices.Contains(reasons, Manual):
		return errs.New(errs.Conflict, "the address or its domain is suppressed: lift that first")
	case len(reasons) > 0:
		return errs.New(errs.Conflict, "the address is suppressed for a %s: only they can lift that, by confirming a subscription", reasons[0])
	}
	return nil
}

func (r Enrolment) subscribe(ctx context.Context, tx *sqlx.Tx, contact, list int64) (id int64, _ database.Change, err error) {
	e := r.Evidence
	err = tx.GetContext(ctx, &id, `
		WITH added AS (
			INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, topics, activation, created_at)
			VALUES ($1, $2, 'active', $3, $4, 1, $5) ON CONFLICT (list_id, contact_id) DO NOTHING RETURNING id),
		logged AS (
			INSERT INTO subscribers.consents (subscription_id, at, state, method, statement, origin, network, actor)
			SELECT id, $5, 'active', $6, $7, $8, $9, $10 FROM added)
		SELECT id FROM added`, list, contact, r.Rhythm, present(r.Topics), e.At, e.Method, e.Statement, e.Origin, e.Network, e.Actor)
	if err == nil {
		return id, database.Added, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return 0, "", err
	}
	var there struct {
		ID    int64
		State State
	}
	if err := tx.GetContext(ctx, &there, `SELECT id, state FROM subscribers.subscriptions WHERE list_id = $1 AND contact_id = $2 FOR UPDATE`, list, contact); err != nil {
		return 0, "", err
	}
	switch there.State {
	case Unsubscribed:
		return 0, "", errs.New(errs.Conflict, "they have left this list: only they can come back, by subscribing themselves")
	case Pending:
		if err := SetDelivery(ctx, tx, there.ID, r.Rhythm, r.Topics); err != nil {
			return 0, "", err
		}
		return there.ID, database.Changed, change(ctx, tx, there.ID, transition{from: []State{Pending}, to: Active, enrols: true}, e)
	}
	return there.ID, database.Unchanged, nil
}
