package ledger

import (
	"context"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/reply"
)

// Search says which deliveries of an edition are meant.
type Search struct {
	Contacts []int64 // nil: any
	State    string  // "": any
	After    int64   // the contact where the last part ended; 0: from the beginning
	Limit    int
}

// lookedThrough is how many deliveries are looked through for one part, so that it is there in a moment.
const lookedThrough = 20_000

// Find returns deliveries of an edition in the order of their contacts, and the contact where to go on, 0 at the end. There can be fewer than Limit and yet
// more to come: then as many were looked through as may be at once.
func Find(ctx context.Context, h database.Handle, edition uuid.UUID, s Search) (found []Entry, next int64, err error) {
	defer errs.Wrap(&err, "ledger.Find(%s)", edition)
	var ids pq.Int64Array
	if ids, next, err = s.contacts(ctx, h, edition); err != nil || len(ids) == 0 {
		return nil, next, err
	}
	err = h.SelectContext(ctx, &found, `SELECT `+entryColumns+`
		WHERE d.edition_id = $1 AND d.contact_id = ANY ($2) AND ($3 = '' OR d.state = $3)
		ORDER BY d.contact_id LIMIT $4`, edition, ids, s.State, s.Limit)
	if len(found) == s.Limit && (next != 0 || found[s.Limit-1].ContactID < ids[len(ids)-1]) {
		next = found[s.Limit-1].ContactID
	}
	return found, next, err
}

// contacts returns the contacts to look at for one part, in order, and the last of them when there may be more.
func (s Search) contacts(ctx context.Context, h database.Handle, edition uuid.UUID) (ids pq.Int64Array, next int64, err error) {
	most := lookedThrough
	switch {
	case s.Contacts != nil:
		err = h.GetContext(ctx, &ids, `
			SELECT coalesce(array_agg(c ORDER BY c), '{}') FROM (SELECT DISTINCT c FROM unnest($1::bigint[]) c WHERE c > $2 ORDER BY c LIMIT $3) few`,
			pq.Array(s.Contacts), s.After, most)
	case s.State == string(reply.Failed) || s.State == string(reply.InDoubt):
		err = h.GetContext(ctx, &ids, `
			SELECT coalesce(array_agg(contact_id ORDER BY contact_id), '{}') FROM (
				SELECT DISTINCT contact_id FROM mailer.attempts WHERE edition_id = $1 AND outcome = $2 AND outcome <> 'sent' AND contact_id > $3
				ORDER BY contact_id LIMIT $4) wrong`, edition, s.State, s.After, most)
	default:
		if s.State == "" {
			most = s.Limit + 1
		}
		return s.through(ctx, h, edition, most)
	}
	if len(ids) == most {
		next = ids[most-1]
	}
	return ids, next, err
}

// through looks through deliveries, the next most of them.
func (s Search) through(ctx context.Context, h database.Handle, edition uuid.UUID, most int) (ids pq.Int64Array, next int64, err error) {
	var looked struct {
		IDs  pq.Int64Array `db:"ids"`
		N    int           `db:"n"`
		Last int64         `db:"last"`
	}
	err = h.GetContext(ctx, &looked, `
		SELECT coalesce(array_agg(contact_id ORDER BY contact_id) FILTER (WHERE $3 = '' OR state = $3), '{}') AS ids, count(*) AS n,
		       coalesce(max(contact_id), 0) AS last
		FROM (SELECT contact_id, state FROM mailer.deliveries WHERE edition_id = $1 AND contact_id > $2 ORDER BY contact_id LIMIT $4) part`,
		edition, s.After, s.State, most)
	if looked.N == most {
		next = looked.Last
	}
	return looked.IDs, next, err
}

// Tries returns the attempts at deliveries of an edition, by contact, the first one first.
func Tries(ctx context.Context, h database.Handle, edition uuid.UUID, contacts []int64) (tries map[int64][]Try, err error) {
	defer errs.Wrap(&err, "ledger.Tries(%s)", edition)
	var all []Try
	err = h.SelectContext(ctx, &all, `
		SELECT edition_id, contact_id, at, outcome, phase, code, reply FROM mailer.attempts
		WHERE edition_id = $1 AND contact_id = ANY ($2) ORDER BY at, number`, edition, pq.Array(contacts))
	tries = make(map[int64][]Try, len(contacts))
	for _, try := range all {
		tries[try.ContactID] = append(tries[try.ContactID], try)
	}
	return tries, err
}
