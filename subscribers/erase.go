package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// ContactByEmail returns the contact of an address, however it is written, or errs.NotFound.
func ContactByEmail(ctx context.Context, h database.Handle, email string) (Contact, error) {
	address, err := ParseAddress(email)
	if err != nil {
		return Contact{}, errs.New(errs.Invalid, "%q: %w", email, err)
	}
	var id int64
	err = h.GetContext(ctx, &id, `SELECT id FROM subscribers.contacts WHERE email_key = $1`, address.Key)
	if errors.Is(err, sql.ErrNoRows) {
		return Contact{}, errs.New(errs.NotFound, "no contact has the address %s", email)
	}
	if err != nil {
		return Contact{}, err
	}
	return ContactByID(ctx, h, id)
}

// Erase forgets a person: what names them goes, in every table of this room, and their subscriptions end. Left are ids in the account of
// messages and in the log of consents, so that counts stay what they are, and a keyed hash of the address and of former ones, so that an import
// does not bring it back. It is for a transaction.
func Erase(ctx context.Context, tx *sqlx.Tx, contact int64, now time.Time, actor string) (err error) {
	defer errs.Wrap(&err, "erase contact %d", contact)
	if _, err := tx.ExecContext(ctx, keepTurnsAway); err != nil { // an import must not find the address before, and write it after
		return err
	}
	var key sql.NullString
	err = tx.GetContext(ctx, &key, `SELECT email_key FROM subscribers.contacts WHERE id = $1 FOR UPDATE`, contact)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errs.New(errs.NotFound, "no contact %d", contact)
	case err != nil || !key.Valid: // gone already
		return err
	}
	hash, err := addressHash(ctx, tx, key.String)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{`WITH ended AS (
			UPDATE subscribers.subscriptions SET state = 'unsubscribed', paused_until = NULL, catch_up = false, topics = '{}'
			WHERE contact_id = $1 AND state <> 'unsubscribed' RETURNING id)
		INSERT INTO subscribers.consents (subscription_id, at, state, method, actor)
		SELECT id, $2, 'unsubscribed', 'erasure', $3 FROM ended ORDER BY id`, []any{contact, now, actor}},
		{`DELETE FROM subscribers.memberships WHERE contact_id = $1`, []any{contact}},
		{`DELETE FROM subscribers.suppressions WHERE address_key = $1`, []any{key.String}},
		{`INSERT INTO subscribers.suppressions (address_hash, reason, origin, at) VALUES ($1, 'erased', '', $2)
		  ON CONFLICT DO NOTHING`, []any{hash, now}},
		{`WITH gone AS (DELETE FROM subscribers.former_addresses WHERE contact_id = $1 RETURNING address_hash)
		INSERT INTO subscribers.suppressions (address_hash, reason, origin, at) SELECT address_hash, 'erased', '', $2 FROM gone
		  ON CONFLICT DO NOTHING`, []any{contact, now}},
		{`DELETE FROM subscribers.uploads`, nil}, // any of them may hold the address, and none is more than a day's work
		{`UPDATE subscribers.contacts SET email = NULL, email_key = NULL, name = '', languages = '{}', language_keys = '{}', time_zone = '',
			delivery_hour = NULL, attributes = '{}', erased_at = $2 WHERE id = $1`, []any{contact, now}},
	} {
		if _, err := tx.ExecContext(ctx, step.statement, step.args...); err != nil {
			return err
		}
	}
	return nil
}

// Mentions says where an address stands in what administrators wrote in their own words, which nothing erases by itself.
func Mentions(ctx context.Context, h database.Handle, address string) (places []string, err error) {
	err = h.SelectContext(ctx, &places, `
		SELECT 'the notes of the organisation ' || name FROM subscribers.organisations WHERE strpos(lower(notes), lower($1)) > 0
		UNION ALL SELECT 'the list ' || slug FROM subscribers.lists
		WHERE strpos(lower(concat_ws(' ', sender_address, reply_to, postal_address, name, description)), lower($1)) > 0
		UNION ALL (SELECT 'the log of consents' FROM subscribers.consents WHERE strpos(lower(statement || ' ' || origin), lower($1)) > 0 LIMIT 1)
		UNION ALL (SELECT 'what is held of contact ' || id FROM subscribers.contacts WHERE strpos(lower(name || attributes::text), lower($1)) > 0
			ORDER BY id LIMIT 10)
		UNION ALL (SELECT 'the origin of a suppression' FROM subscribers.suppressions WHERE strpos(lower(origin), lower($1)) > 0 LIMIT 1)`, address)
	errs.Wrap(&err, "look for an address in other words")
	return places, err
}
