package accounts

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Mail is a mail with a link that works once. Its states are those of a notice.
type Mail struct {
	ID       uuid.UUID `db:"id"`
	Account  int64     `db:"account"`
	MadeAt   time.Time `db:"made_at"`
	State    string    `db:"state"`
	Open     bool      `db:"open"` // it may be tried again
	Attempts int       `db:"attempts"`
	Code     int       `db:"code"`  // the last SMTP reply; 0: none came
	Reply    string    `db:"reply"` // likewise, or why it was not sent
}

// mailsADay is how many mails an account gets in a day: whoever presses a button again and again is no use against people.
const mailsADay = 10

// MakeMail writes down that an account is to get a mail with a link, in a transaction that also queues sending it. One that waits to be sent is
// cancelled. errs.Conflict when the account is disabled, or got many of late.
func (s *Store) MakeMail(ctx context.Context, tx *sqlx.Tx, account int64) (id uuid.UUID, err error) {
	row, err := byRow(ctx, tx, `a.id = $1 FOR UPDATE OF a`, account)
	if err != nil {
		return id, err
	}
	if row.State == Disabled {
		return id, errs.New(errs.Conflict, "the account is disabled: enable it first")
	}
	now := s.Clock.Now()
	var today int
	if err := tx.GetContext(ctx, &today, `SELECT count(*) FROM accounts.link_mails WHERE account = $1 AND made_at > $2`, account, now.Add(-24*time.Hour)); err != nil {
		return id, err
	}
	if today >= mailsADay {
		return id, errs.New(errs.Conflict, "the account got %d mails with links since yesterday: wait until tomorrow", today)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE accounts.link_mails SET open = false, state = 'cancelled' WHERE account = $1 AND open`, account); err != nil {
		return id, err
	}
	id = uuid.New()
	if _, err := tx.ExecContext(ctx, `INSERT INTO accounts.link_mails (id, account, made_at) VALUES ($1, $2, $3)`, id, account, now); err != nil {
		return id, err
	}
	return id, s.noteBy(ctx, tx, database.Actor(ctx), account, "link_made", map[string]any{"by": "mail"})
}

// MailByID returns a mail with its account; errs.NotFound when there is none.
func (s *Store) MailByID(ctx context.Context, id uuid.UUID) (m Mail, a Account, err error) {
	err = s.DB.GetContext(ctx, &m, `SELECT id, account, made_at, state, open, attempts, code, reply FROM accounts.link_mails WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return m, a, errs.New(errs.NotFound, "there is no mail %s", id)
	}
	if err != nil {
		return m, a, err
	}
	a, err = s.Get(ctx, m.Account)
	return m, a, err
}

// SettleMail writes down what an attempt came to; again says that it is to be tried again.
func (s *Store) SettleMail(ctx context.Context, id uuid.UUID, state string, again bool, code int, reply string) error {
	_, err := s.DB.ExecContext(ctx, `
		UPDATE accounts.link_mails SET state = $2, open = $3, attempts = attempts + 1, settled_at = $4, code = $5, reply = $6 WHERE id = $1 AND (open OR $2 = 'sent')`,
		id, state, again, s.Clock.Now(), code, reply)
	return err
}

// MailStates returns the state of each account's last mail, of those whose link was not used and works still.
func (s *Store) MailStates(ctx context.Context) (map[int64]string, error) {
	var rows []Mail
	err := s.DB.SelectContext(ctx, &rows, `
		SELECT DISTINCT ON (m.account) m.account, m.state FROM accounts.link_mails m JOIN accounts.accounts a ON a.id = m.account AND a.state = 'invited'
		ORDER BY m.account, m.made_at DESC`)
	states := map[int64]string{}
	for _, row := range rows {
		states[row.Account] = row.State
	}
	return states, err
}
