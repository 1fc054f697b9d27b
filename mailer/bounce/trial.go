package bounce

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// How is in which way a trial was heard of.
type How string

// The ways.
const (
	Arrived  How = "arrived"  // it came to us itself
	Answered How = "answered" // somebody, or a machine, sent an answer to it
	Bounced  How = "bounced"
)

// Trial is a test mail, and what others made of it.
type Trial struct {
	ID     int64      `db:"id"`
	SentAt time.Time  `db:"sent_at"`
	CameAt *time.Time `db:"came_at"` // nil: nothing was heard of it yet
	How    How        `db:"how"`
	Said   string     `db:"said"` // Authentication-Results, one on each line; of a bounce, the server's answer
}

// trialLife is for how long trials are kept.
const trialLife = 30 * 24 * time.Hour

// BeginTrial notes that a test mail is about to be sent, and forgets old ones.
func BeginTrial(ctx context.Context, h database.Handle, now time.Time) (t Trial, err error) {
	defer errs.Wrap(&err, "bounce.BeginTrial")
	if _, err := h.ExecContext(ctx, `DELETE FROM mailer.trials WHERE sent_at < $1`, now.Add(-trialLife)); err != nil {
		return t, err
	}
	t.SentAt = now
	err = h.GetContext(ctx, &t.ID, `INSERT INTO mailer.trials (sent_at) VALUES ($1) RETURNING id`, now)
	return t, err
}

// TrialByID returns a trial, or errs.NotFound.
func TrialByID(ctx context.Context, h database.Handle, id int64) (t Trial, err error) {
	err = h.GetContext(ctx, &t, `SELECT id, sent_at, came_at, coalesce(how, '') AS how, said FROM mailer.trials WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return t, errs.New(errs.NotFound, "no test mail %d", id)
	}
	errs.Wrap(&err, "bounce.TrialByID(%d)", id)
	return t, err
}

// noteTrial notes what came of a test mail. What says more counts: an answer that quotes what a server said, before one that does not.
func (d *Desk) noteTrial(ctx context.Context, m Mail, r *Report, id int64) error {
	messageID := "<" + d.Addresses.Trial(id) + ">"
	h, body := readHeader(m.Message)
	how, said := Answered, []string(nil)
	switch {
	case r.Class == Failure:
		how, said = Bounced, []string{r.Reply.Text}
	case r.Class == Delayed:
		return nil
	case strings.TrimSpace(h.Get("Message-ID")) == messageID:
		how, said = Arrived, authenticationOf(h)
	default:
		var w walker
		w.walk(h, body, 0)
		said = authenticationIn(w.parts, messageID)
	}
	_, err := d.DB.ExecContext(ctx, `
		UPDATE mailer.trials SET came_at = $2, how = $3, said = $4 WHERE id = $1 AND (came_at IS NULL OR said = '')`,
		id, d.Clock.Now(), how, strings.Join(said, "\n"))
	if err == nil {
		d.Log.InfoContext(ctx, "a test mail was heard of", slog.Int64("trial", id), slog.Any("how", how), slog.Int("results", len(said)))
	}
	return err
}
