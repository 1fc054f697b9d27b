package app

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"silkpost/internal/doctor"
	"silkpost/internal/errs"
	"silkpost/mailer/bounce"
	"silkpost/mailer/compose"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
	"silkpost/subscribers"
)

// TrialOptions say which test mails to send.
type TrialOptions struct {
	To   string // where; any address at the bounce domain is one of our own
	List string // slug of the list whose sender to send from; "": each sender there is
	// Sent is told of each test mail that the relay has taken, and of the address that an answer to it has to go to; nil: nobody is.
	Sent func(sender, answerTo string)
}

// TryMail sends a test mail from each sender, signed and with a return path as digests have them, and waits until others have said what they make of it: the
// server that takes it for us, or whoever answers it. It returns what was heard, also when ctx ends before all was.
func (a *App) TryMail(ctx context.Context, o TrialOptions) (found []doctor.Finding, err error) {
	to, err := subscribers.Envelope(o.To)
	if err != nil {
		return nil, err
	}
	if err := a.mayTry(); err != nil {
		return nil, err
	}
	senders, err := a.sendersOf(ctx, o.List)
	if err != nil {
		return nil, err
	}
	trials := make([]doctor.Trial, len(senders))
	for i, s := range senders {
		if trials[i], err = a.beginTrial(ctx, s.Address, to); err != nil {
			return nil, err
		}
		if o.Sent != nil {
			o.Sent(s.Address, a.addresses().Trial(trials[i].ID))
		}
	}
	waitErr := a.poll(ctx, func() (over bool, err error) {
		over = true
		for i := range trials {
			if trials[i].CameAt == nil {
				if trials[i].Trial, err = bounce.TrialByID(ctx, a.DB, trials[i].ID); err != nil {
					return false, err
				}
				over = over && trials[i].CameAt != nil
			}
		}
		return over, nil
	})
	for _, t := range trials {
		if t.CameAt != nil {
			found = append(found, doctor.Hear(t)...)
		}
	}
	return found, waitErr
}

// mayTry says what is missing for a mail to come back.
func (a *App) mayTry() error {
	switch {
	case a.Config.BounceDomain == "":
		return errs.New(errs.Invalid, "no bounce domain is set, so no answer reaches us: set SILKPOST_BOUNCE_DOMAIN, and SILKPOST_BOUNCE_LISTEN or SILKPOST_BOUNCE_IMAP_URL")
	case a.relay == nil:
		return errs.New(errs.Invalid, "no SMTP relay is set: set SILKPOST_SMTP_URL")
	case a.keys == nil:
		return noSecretKey()
	}
	return nil
}

// sendersOf are the addresses that mail is sent from, or that of one list.
func (a *App) sendersOf(ctx context.Context, slug string) ([]doctor.Sender, error) {
	if slug != "" {
		list, err := subscribers.ListBySlug(ctx, a.DB, slug)
		if err != nil {
			return nil, err
		}
		address, err := subscribers.Envelope(list.Sender.Address)
		if err != nil {
			return nil, errs.New(errs.Invalid, "list %s has no sender: %w", slug, err)
		}
		return []doctor.Sender{{Address: address, Lists: []string{slug}}}, nil
	}
	senders, err := a.senders(ctx)
	if err == nil && len(senders) == 0 {
		err = errs.New(errs.Invalid, "no list has a sender and a postal address: declare them in a file for silkpost apply")
	}
	return senders, err
}

// beginTrial sends a test mail.
func (a *App) beginTrial(ctx context.Context, sender, to string) (t doctor.Trial, err error) {
	t = doctor.Trial{Sender: sender}
	if t.Trial, err = bounce.BeginTrial(ctx, a.DB, a.Clock.Now()); err != nil {
		return t, err
	}
	ours := a.addresses().Trial(t.ID)
	t.Envelope = compose.Domain(ours)
	if strings.EqualFold(compose.Domain(to), a.Config.BounceDomain) {
		to = ours
	}
	message, err := a.Composer.Signed(sender, trialMessage(sender, to, ours, t.SentAt))
	if err != nil {
		return t, err
	}
	parcel := send.NewParcel(ours, to, message)
	parcel.Sender = sender
	r, err := a.mail(ctx, parcel, nil)
	if err != nil {
		return t, err
	}
	if r.Outcome() != reply.Sent {
		return t, errs.New(errs.Unavailable, "the relay does not take a test mail from %s to %s: %s", sender, to,
			strings.TrimSpace(fmt.Sprint(cmp.Or(r.Code, 0), " ", r.Text)))
	}
	return t, nil
}

// trialMessage is a test mail. It does not say that a machine made it: machines that answer with what they make of a mail would not.
func trialMessage(sender, to, answerTo string, at time.Time) []byte {
	return []byte(strings.ReplaceAll(fmt.Sprintf(`From: <%s>
To: <%s>
Reply-To: <%s>
Subject: A test by Silkpost
Date: %s
Message-ID: <%[3]s>
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 7bit

This mail was sent by "silkpost doctor --send-to", which waits to hear what
the server that took it makes of it.

Please forward it as an attachment to

%[3]s

or answer it with its full header (in Gmail: "Show original"; in Outlook:
"View message source"), of which the lines Authentication-Results count.
`, sender, to, answerTo, at.UTC().Format(time.RFC1123Z)), "\n", "\r\n"))
}
