package subscribers

import (
	"context"
	"strings"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// countingSettings are for statements that look at everybody. Compiling them takes longer than they do, and what they sort and hash is small
// beside what a table of people takes.
const countingSettings = `SET LOCAL jit = off; SET LOCAL work_mem = '64MB'`

// CountAudience returns how many people an audience is. A list or an organisation that it names and that does not exist is errs.NotFound.
func CountAudience(ctx context.Context, db *sqlx.DB, a Audience) (n int, err error) {
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		if err := a.check(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, countingSettings); err != nil {
			return err
		}
		statement, args := a.count()
		err := tx.GetContext(ctx, &n, statement, args...)
		errs.Wrap(&err, "count the audience %q", a)
		return err
	})
	return n, err
}

// check makes sure that what the audience names exists.
func (a Audience) check(ctx context.Context, h database.Handle) error {
	for _, c := range a.Clauses {
		for _, name := range c.Values {
			var err error
			switch {
			case c.Field == ByList:
				_, err = ListBySlug(ctx, h, name)
			case c.Field == ByOrganisation && c.Op == Is:
				_, err = OrganisationByName(ctx, h, name)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// count returns the statement that counts the audience, in the form that has the least to look at.
func (a Audience) count() (statement string, args []any) {
	w := a.where(1)
	contact, subscription := strings.Join(w.contact, " AND "), strings.Join(w.subscription, " AND ")
	switch {
	case subscription == "":
		return `SELECT count(*) FROM subscribers.contacts c WHERE ` + allOf("c.erased_at IS NULL", contact), w.args
	case contact == "":
		people := "count(DISTINCT s.contact_id)"
		if a.onOneList() {
			people = "count(*)"
		}
		return `SELECT ` + people + ` FROM subscribers.subscriptions s WHERE ` + allOf(subscription,
			"s.contact_id NOT IN (SELECT gone.id FROM subscribers.contacts gone WHERE gone.erased_at IS NOT NULL)"), w.args
	}
	return `SELECT count(*) FROM subscribers.contacts c WHERE ` + allOf("c.erased_at IS NULL", contact) +
		` AND EXISTS (SELECT FROM subscribers.subscriptions s WHERE s.contact_id = c.id AND ` + subscription + `)`, w.args
}

func allOf(conditions ...string) string {
	var given []string
	for _, condition := range conditions {
		if condition != "" {
			given = append(given, condition)
		}
	}
	return strings.Join(given, " AND ")
}

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
	if err := a.check(ctx, h); err != nil {
		return err
	}
	w := a.where(1)
	rows, err := h.QueryxContext(ctx, `
		SELECT c.email, c.name, l.slug AS list, s.state, s.rhythm
		FROM subscribers.contacts c
		JOIN subscribers.subscriptions s ON s.contact_id = c.id
		JOIN subscribers.lists l ON l.id = s.list_id
		WHERE `+allOf(append(append([]string{"c.erased_at IS NULL"}, w.contact...), w.subscription...)...)+`
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
