package bounce

import (
	"context"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
)

var (
	link     = regexp.MustCompile(`<(https?://[^<>]+)>`)
	feedback = regexp.MustCompile(`^([0-9a-f]{32}):`)
)

// byHeader recognises one of our messages by the header that came back. Its Message-ID says which it is, but anybody could work that out who got
// the same edition; the link in its List-Unsubscribe is signed, and only its reader has it. Both have to agree. A Message-ID alone gives a hint: no
// target is known, and none is returned.
func (d *Desk) byHeader(ctx context.Context, r *Report) (t Target, known bool, err error) {
	found := feedback.FindStringSubmatch(r.Original.Get("Feedback-ID"))
	if found == nil {
		return t, false, nil
	}
	edition, err := uuid.Parse(found[1])
	if err != nil {
		return t, false, nil
	}
	for _, one := range link.FindAllStringSubmatch(r.Original.Get("List-Unsubscribe"), 5) {
		subscription, ours := d.Subscription(one[1])
		if !ours {
			continue
		}
		sent, err := ledger.SentTo(ctx, d.DB, edition, subscription)
		if errs.KindOf(err) == errs.NotFound {
			continue
		}
		if err != nil {
			return t, false, err
		}
		for resent := range sent.Resent + 1 {
			if d.MessageID(edition, sent.ContactID, resent, sent.Sender) == strings.TrimSpace(r.Original.Get("Message-ID")) {
				return d.wentTo(ctx, r, Target{Edition: edition, Contact: sent.ContactID})
			}
		}
	}
	return t, false, nil
}

// wentTo completes a target by the address that the message was for.
func (d *Desk) wentTo(ctx context.Context, r *Report, t Target) (Target, bool, error) {
	for _, address := range addresses(r.Original.all("To")) {
		t.check = checkOf(address)
	}
	email, err := ledger.EmailOf(ctx, d.DB, t.Contact)
	if err == nil && strings.Contains(strings.ToLower(r.Original.Get("To")), strings.ToLower(email)) {
		t.check = checkOf(email) // quoted local parts are no matter
	}
	return t, true, err
}
