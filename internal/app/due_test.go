package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/app"
	"silkpost/internal/testkit"
	"silkpost/mailer/edition"
)

// Whatever lets an edition go wakes a worker that would not look for another hour, in whichever process it is done.
func TestWhatComesDueWakesTheSender(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before, then func(ctx context.Context, d *edition.Desk, id uuid.UUID) error
	}{
		"approve": {then: func(ctx context.Context, d *edition.Desk, id uuid.UUID) error { return d.Approve(ctx, id) }},
		"resume": {
			before: func(ctx context.Context, d *edition.Desk, id uuid.UUID) error {
				if err := d.Pause(ctx, id); err != nil {
					return err
				}
				return d.Approve(ctx, id)
			},
			then: func(ctx context.Context, d *edition.Desk, id uuid.UUID) error { return d.Resume(ctx, id) },
		},
		"resume all": {
			before: func(ctx context.Context, d *edition.Desk, id uuid.UUID) error {
				if _, err := d.PauseList(ctx, 0); err != nil {
					return err
				}
				return d.Approve(ctx, id)
			},
			then: func(ctx context.Context, d *edition.Desk, _ uuid.UUID) error {
				_, err := d.ResumeList(ctx, 0)
				return err
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, sent := ready(t, app.Options{Poll: time.Hour})
			desk, id := h.Desk(edition.CommandLine), sent.Editions[0].ID
			if tt.before != nil {
				if err := tt.before(t.Context(), desk, id); err != nil {
					t.Fatal(err)
				}
			}
			h.run(t, app.Parts{Worker: true})
			testkit.Eventually(t, patience, "a worker that waits", func() bool {
				var listens, sends int
				err := h.DB.QueryRow(`
					SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%silkpost_due%' AND state = 'idle'),
					       (SELECT count(*) FROM mailer.senders)`).Scan(&listens, &sends)
				return err == nil && listens == 1 && sends == 1
			})
			if err := tt.then(t.Context(), desk, id); err != nil {
				t.Fatal(err)
			}
			testkit.Eventually(t, patience, "the message", func() bool { return len(h.post.Messages()) == 1 })
		})
	}
}
