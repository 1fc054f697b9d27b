package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/app"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/edition"
)

// Whatever stops mail does so within two seconds, in the midst of a run; and what goes on after it loses and doubles nothing.
func TestStoppingMailIsEffectiveWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	const people, before = 300, 20
	lists := func(slug string) func(h *house, _ uuid.UUID, stop bool) error {
		return func(h *house, _ uuid.UUID, stop bool) error {
			_, err := h.PauseLists(context.Background(), edition.CommandLine, slug, stop)
			return err
		}
	}
	for name, act := range map[string]func(h *house, id uuid.UUID, stop bool) error{
		"edition": func(h *house, id uuid.UUID, stop bool) error {
			if stop {
				return h.Desk(edition.CommandLine).Pause(context.Background(), id)
			}
			return h.Desk(edition.CommandLine).Resume(context.Background(), id)
		},
		"list": lists("partners"),
		"all":  lists(""),
		"hold": func(h *house, id uuid.UUID, stop bool) error {
			if stop {
				return h.Desk(edition.CommandLine).Hold(context.Background(), id, "wait")
			}
			return h.Desk(edition.CommandLine).Release(context.Background(), id)
		},
		"cancel": func(h *house, id uuid.UUID, stop bool) error {
			if !stop {
				return nil
			}
			return h.Desk(edition.CommandLine).Cancel(context.Background(), id, "no")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			post := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: catcher.Dot, Stall: 20 * time.Millisecond}}})
			h := openOn(t, testkit.FreshURL(t), post, app.Options{})
			h.apply(t, list)
			h.contacts(t, many(people, "weekly")...)
			h.articles(t, relayEn)
			h.run(t, app.Parts{Worker: true})
			testkit.Eventually(t, patience, "the worker is there", func() bool {
				status, err := h.Status(t.Context())
				return err == nil && status.Workers == 1
			})
			sent, err := h.SendDigest(t.Context(), app.SendOptions{List: "partners"})
			if err != nil {
				t.Fatal(err)
			}
			id := sent.Editions[0].ID
			post.WaitMessages(t, before)
			if err := act(h, id, true); err != nil {
				t.Fatal(err)
			}
			acknowledged := time.Now()
			testkit.Eventually(t, patience, "nothing is in hand", func() bool {
				e, err := h.EditionStatus(t.Context(), id)
				return err == nil && e.Deliveries.InFlight == 0 && (name != "cancel" || e.Deliveries.Pending == 0)
			})
			for _, e := range post.Events() {
				if e.Verb == "MAIL" && time.UnixMicro(e.Time).Sub(acknowledged) > 2*time.Second {
					t.Fatalf("MAIL %v after it was stopped", time.UnixMicro(e.Time).Sub(acknowledged))
				}
			}
			then, err := h.EditionStatus(t.Context(), id)
			if err != nil || then.Deliveries.Sent >= people || then.Deliveries.Sent != post.Counts().Messages {
				t.Fatalf("%d are sent, %d came (%v)", then.Deliveries.Sent, post.Counts().Messages, err)
			}
			if name == "cancel" {
				if d := then.Deliveries; d.Cancelled != people-d.Sent {
					t.Errorf("cancelled: %+v", d)
				}
				return
			}
			if err := act(h, id, false); err != nil {
				t.Fatal(err)
			}
			testkit.Eventually(t, patience, "the rest is sent", func() bool {
				e, err := h.EditionStatus(t.Context(), id)
				return err == nil && e.Deliveries.Sent == people
			})
			if n := post.Counts().Messages; n != people || len(h.letters(t)) != people {
				t.Errorf("%d messages to %d people, not %d", n, len(h.letters(t)), people)
			}
		})
	}
}
