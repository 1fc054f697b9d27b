package edition

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// Last finds the last edition of a subscription's rhythm, for somebody who is new to the list, and fixes that they begin behind it: what it holds
// counts as given, whichever rhythm they change to before their first digest (P1). It reports false when there is none, and for whoever had
// anything of the list before or is waited for by its next edition: a part of it might be theirs already, or still to come. One that went to an
// audience alone does not count: what it held is still to come to everybody else. The caller writes the notice that sends it down in the same
// transaction: by that it is known later, also to whoever leaves and comes back, that they had one.
func Last(ctx context.Context, h handle, subscription int64) (id uuid.UUID, found bool, err error) {
	err = h.GetContext(ctx, &id, `
		WITH reader AS (
			SELECT subscription_id, list_id, rhythm, activation FROM subscribers.mailable m
			WHERE subscription_id = $1 AND NOT EXISTS (SELECT FROM mailer.deliveries d WHERE d.subscription_id = m.subscription_id)
			  AND NOT EXISTS (SELECT FROM mailer.reached r WHERE r.subscription_id = m.subscription_id)
			  AND NOT EXISTS (SELECT FROM mailer.notices n WHERE n.subscription_id = m.subscription_id AND n.kind = 'last edition')
			  AND NOT EXISTS (SELECT FROM mailer.marks k WHERE k.subscription_id = m.subscription_id AND k.activation = m.activation)
		), last AS (
			SELECT e.id FROM mailer.editions e JOIN reader USING (list_id, rhythm)
			WHERE e.state IN ('approved', 'sending', 'sent') AND e.articles > 0 AND e.audience = ''
			  AND e.id >= (SELECT first FROM mailer.floor)
			ORDER BY e.cut_off DESC, e.id DESC LIMIT 1
		), begun AS (
			INSERT INTO mailer.marks (subscription_id, position, activation)
			SELECT subscription_id, p.position, activation FROM reader JOIN mailer.plans p USING (list_id, rhythm), last
			ON CONFLICT (subscription_id) DO UPDATE
			SET position = greatest(marks.position, excluded.position), activation = excluded.activation
		)
		SELECT id FROM last`, subscription)
	if errors.Is(err, sql.ErrNoRows) {
		return uuid.Nil, false, nil
	}
	errs.Wrap(&err, "edition.Last(subscription %d)", subscription)
	return id, err == nil, err
}

// Contents is what an edition holds for one reader.
type Contents struct {
	LocalDate time.Time
	Language  string        // of the product's words
	Articles  pq.Int64Array // ids, in the digest's order; none: nothing that this reader reads
	Fallbacks pq.Int64Array // those of them that are in none of the reader's languages
}

// Read returns what an edition holds for a subscription's reader, by their languages and topics as they are now. An edition that does not go out any
// more, or a reader who may not be mailed, has nothing. It makes temporary tables in the transaction of tx.
func (p *Planner) Read(ctx context.Context, tx handle, id uuid.UUID, list subscribers.List, subscription int64) (c Contents, err error) {
	defer errs.Wrap(&err, "edition.Read(%s, subscription %d)", id, subscription)
	e, err := ByID(ctx, tx, id)
	if err != nil {
		return c, err
	}
	one := &layout{handle: tx, list: &list, languages: p.Languages, edition: &e, closes: true}
	if err := one.alone(ctx, subscription); err != nil {
		return c, err
	}
	if err := one.layOut(ctx); err != nil {
		return c, err
	}
	c.LocalDate = e.LocalDate
	err = tx.QueryRowxContext(ctx, `SELECT words, articles || more, fallbacks FROM digest`).Scan(&c.Language, &c.Articles, &c.Fallbacks)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return c, err
}

// alone makes one subscription the only reader. What the edition gave anybody is as if it were given back to this one; nothing lies behind
// its mark. What an editor added may lie ahead of where this one begins: it is left to the edition that it is due in.
func (l *layout) alone(ctx context.Context, subscription int64) error {
	if err := l.elsewhere(ctx, `SELECT DISTINCT unnest(groups) AS group_id FROM mailer.variants WHERE edition_id = $2`, l.edition.ID); err != nil {
		return err
	}
	return l.setReaders(ctx, `
		SELECT m.subscription_id, $3::bigint AS mark, m.languages, m.language_keys, m.topics,
		       coalesce((SELECT groups FROM elsewhere WHERE elsewhere.contact_id = m.contact_id), '{}') AS had,
		       (SELECT coalesce(array_agg(DISTINCT g), '{}') FROM mailer.variants v, unnest(v.groups) g WHERE v.edition_id = $2
		        AND NOT EXISTS (SELECT FROM mailer.arrangements a WHERE a.edition_id = $2 AND a.group_id = g AND a.added)) AS back
		FROM subscribers.mailable m JOIN mailer.editions e ON e.id = $2 AND e.list_id = m.list_id
		WHERE m.subscription_id = $1 AND e.state IN ('approved', 'sending', 'sent')`,
		subscription, l.edition.ID, int64(math.MaxInt64))
}
