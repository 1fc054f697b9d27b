package app_test

import (
	"bytes"
	"net/mail"
	"slices"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/edition"
)

// A message that is sent again by hand is a new one to its receiver, and the same delivery to us.
func TestAMessageIsSentAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list)
	h.contacts(t, many(3, "weekly")...)
	h.articles(t, relayEn)
	sent := h.send(t)
	id := sent.Editions[0].ID
	h.run(t, app.Parts{Worker: true})
	if err := h.Resend(t.Context(), edition.CommandLine, id, "nobody@partner.example"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("to nobody: %v", err)
	}
	asked := h.Clock.Now().Truncate(time.Second)
	if err := h.Resend(t.Context(), edition.CommandLine, id, "Reader-1@partner.example"); err != nil {
		t.Fatal(err)
	}
	h.post.WaitMessages(t, 4)
	testkit.Eventually(t, patience, "the edition is over again", func() bool {
		e, err := h.EditionStatus(t.Context(), id)
		return err == nil && e.State == edition.Sent && e.Deliveries.Sent == 3 && e.Deliveries.Recipients == 3
	})
	var ids []string
	var dates []time.Time
	for _, m := range h.post.Messages() {
		if m.To[0] != "reader-1@partner.example" {
			continue
		}
		_, raw, err := h.post.Open(m.ID)
		if err != nil {
			t.Fatal(err)
		}
		msg, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		ids, dates = append(ids, m.MessageID), append(dates, dateOf(t, msg))
	}
	// The second came when it was asked for; dates have whole seconds.
	slices.SortFunc(dates, time.Time.Compare)
	if len(ids) != 2 || ids[0] == ids[1] || dates[1].Before(asked) {
		t.Errorf("they got %q of %q", ids, dates)
	}
	lines, err := h.Deliveries(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(lines, func(d app.Delivery) bool { return d.Address == "reader-1@partner.example" })
	if d := lines[i]; d.Attempts != 2 || d.State != "sent" || !slices.Contains(ids, d.MessageID) && !slices.Contains(ids, "<"+d.MessageID+">") {
		t.Errorf("the account: %+v, sent %q", d, ids)
	}
}

func dateOf(t *testing.T, msg *mail.Message) time.Time {
	t.Helper()
	at, err := msg.Header.Date()
	if err != nil {
		t.Fatal(err)
	}
	return at
}
