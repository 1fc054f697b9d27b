package subscribers

import (
	"context"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// countingSettings are for statements that look at everybody. Compiling them takes longer than they do, what they sort and hash is small
// beside what a table of people takes, and what is asked often is in memory, where indexes are as near as tables.
const countingSettings = `SET LOCAL jit = off; SET LOCAL work_mem = '64MB'; SET LOCAL random_page_cost = 1`

// CountAudience returns how many people an audience is. A list or an organisation that it names and that does not exist is errs.NotFound.
func CountAudience(ctx context.Context, db *sqlx.DB, a Audience) (n int, err error) {
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		w, err := a.where(ctx, tx, 1)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, countingSettings); err != nil {
			return err
		}
		err = tx.GetContext(ctx, &n, a.count(w), w.args...)
		errs.Wrap(&err, "count the audience %q", a)
		return err
	})
	return n, err
}

// count returns the statement that counts the audience: from what has the least to look at. People who were erased belong to no organisation
// and have no attributes.
func (a Audience) count(w *where) string {
	switch {
	case len(w.subscription) > 0:
		people := "count(DISTINCT s.contact_id)"
		if a.onOneList() {
			people = "count(*)"
		}
		whom := "s.contact_id NOT IN (SELECT gone.id FROM subscribers.contacts gone WHERE gone.erased_at IS NOT NULL)"
		if len(w.contact) > 0 {
			whom = "s.contact_id IN (SELECT c.id FROM subscribers.contacts c WHERE " + allOf([]string{"c.erased_at IS NULL"}, w.contact) + ")"
		}
		return `SELECT ` + people + ` FROM subscribers.subscriptions s WHERE ` + allOf(w.subscription, w.of("s.contact_id"), []string{whom})
	case len(w.contact) == 0 && len(w.sets) > 0 && !w.sets[0].not:
		first := strings.Join(w.sets[0].find, " UNION ALL ")
		w.sets = w.sets[1:]
		return `SELECT count(DISTINCT p.id) FROM (` + first + `) p (id) WHERE ` + allOf([]string{"true"}, w.of("p.id"))
	}
	return `SELECT count(*) FROM subscribers.contacts c WHERE ` + allOf([]string{"c.erased_at IS NULL"}, w.contact, w.of("c.id"))
}

func allOf(conditions ...[]string) string { return strings.Join(slices.Concat(conditions...), " AND ") }

// onOneList reports whether all is about one list, where everybody is once.
func (a Audience) onOneList() bool {
	for _, c := range a.Clauses {
		if c.Field == ByList && !c.Not && len(c.Values) == 1 {
			return true
		}
	}
	return false
}

// Member is somebody of an audience with one of the subscriptions that are meant.
type Member struct {
	Email  string `db:"email" json:"email"`
	Name   string `db:"name" json:"name"`
	List   string `db:"list" json:"list"` // slug
	State  State  `db:"state" json:"state"`
	Rhythm string `db:"rhythm" json:"rhythm"`
}

// EachMember calls fn with each member of an audience, by address and list, until that fails. None is kept. What the audience names and does not
// exist is errs.NotFound.
func EachMember(ctx context.Context, h database.Handle, a Audience, fn func(Member) error) (err error) {
	w, err := a.where(ctx, h, 1)
	if err != nil {
		return err
	}
	rows, err := h.QueryxContext(ctx, `
		SELECT c.email, c.name, l.slug AS list, s.state, s.rhythm
		FROM subscribers.contacts c
		JOIN subscribers.subscriptions s ON s.contact_id = c.id
		JOIN subscribers.lists l ON l.id = s.list_id
		WHERE `+allOf([]string{"c.erased_at IS NULL"}, w.contact, w.subscription, w.of("c.id"))+`
		ORDER BY c.email_key COLLATE "C", l.slug`, w.args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var m Member
		if err := rows.StructScan(&m); err != nil {
			return err
		}
		if err := fn(m); err != nil {
			return err
		}
	}
	return rows.Err()
}
