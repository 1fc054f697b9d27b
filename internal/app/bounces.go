package app

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"silkpost/internal/errs"
	"silkpost/mailer/bounce"
	"silkpost/mailer/compose"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
	"silkpost/subscribers"
)

// lookEvery is how often a worker looks whether mail comes back.
const lookEvery = 10 * time.Second

// addresses are ours at the domain where mail comes back.
func (a *App) addresses() bounce.Addresses {
	return bounce.Addresses{Domain: a.Config.BounceDomain, Keys: a.keys}
}

// furnishBounces lets what we send come back to us, if there is a place for it.
func (a *App) furnishBounces() error {
	if a.Config.BounceDomain == "" {
		return nil
	}
	envelope, err := subscribers.Envelope("b@" + a.Config.BounceDomain)
	if err != nil {
		return errs.New(errs.Invalid, "bounce_domain %q: %w", a.Config.BounceDomain, err)
	}
	a.Config.BounceDomain = strings.ToLower(compose.Domain(envelope))
	if a.Config.BounceIMAPURL != "" {
		if _, err := bounce.ParseMailbox(a.Config.BounceIMAPURL); err != nil {
			return errs.New(errs.Invalid, "bounce_imap_url: %w", err)
		}
	}
	if a.keys == nil { // who sends is told
		return nil
	}
	ours := a.addresses()
	a.Composer.ReturnPath = ours.ReturnPath
	a.Composer.UnsubscribeMail = func(subscription int64) string {
		if !a.comesBack.Load() {
			return ""
		}
		return ours.UnsubscribeURL(subscription)
	}
	return nil
}

// desk takes in what comes back.
func (a *App) desk() *bounce.Desk {
	return &bounce.Desk{
		DB: a.DB, Clock: a.Clock, Log: a.Log, Addresses: a.addresses(), MessageID: compose.MessageID,
		Subscription: func(link string) (int64, bool) {
			id, err := a.keys.Open(compose.UnsubscribePurpose, link[strings.LastIndexByte(link, '/')+1:])
			return id, err == nil
		},
	}
}

// ListenForBounces opens the address where mail comes back by SMTP, and reads the certificate for it, if there is one.
func (a *App) ListenForBounces() (net.Listener, error) {
	if a.Config.BounceTLSCert != "" {
		certificate, err := bounce.LoadCertificate(a.Config.BounceTLSCert, a.Config.BounceTLSKey, a.Log)
		if err != nil {
			return nil, errs.New(errs.Invalid, "bounce_tls_cert and bounce_tls_key: %w", err)
		}
		a.bounceTLS = certificate.Config()
	}
	ln, err := net.Listen("tcp", a.Config.BounceListen)
	if err != nil {
		return nil, errs.New(errs.Invalid, "cannot listen for bounces on %s: %w; choose another address with SILKPOST_BOUNCE_LISTEN", a.Config.BounceListen, err)
	}
	return ln, nil
}

// bounces are the parts of a worker that take in what comes back.
func (a *App) bounces(ln net.Listener) (parts []func(context.Context) error) {
	if a.Config.BounceDomain == "" {
		return nil
	}
	if ln != nil {
		listener := &bounce.Listener{Desk: a.desk(), TLS: a.bounceTLS}
		parts = append(parts, func(ctx context.Context) error { return listener.Serve(ctx, ln) })
	}
	return append(parts, a.followChannel)
}

// watchMailbox takes in what comes to the mailbox for bounces, if there is one, until ctx ends. A held database leaves it to the one that it was
// copied from.
func (a *App) watchMailbox(ctx context.Context) error {
	if a.Config.BounceIMAPURL == "" {
		return nil
	}
	mailbox, err := bounce.ParseMailbox(a.Config.BounceIMAPURL)
	if err != nil {
		return err
	}
	return a.desk().Watch(ctx, mailbox)
}

// followChannel keeps looking whether mail comes back, until ctx ends.
func (a *App) followChannel(ctx context.Context) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := a.seeWhatComesBack(ctx); err != nil && ctx.Err() == nil {
			a.Log.ErrorContext(ctx, "whether mail comes back could not be read", slog.Any("error", err))
		}
	}
}

// seeWhatComesBack lets List-Unsubscribe carry a mailto link when mail to it has been seen to arrive.
func (a *App) seeWhatComesBack(ctx context.Context) error {
	if a.Config.BounceDomain == "" {
		return nil
	}
	channel, err := bounce.ChannelOf(ctx, a.DB, a.Config.BounceDomain)
	if err == nil {
		a.comesBack.Store(channel.TestedAt != nil && channel.Failure == "")
	}
	return err
}

// Inbox returns the mails that came back and wait for a person, or all that did, the latest first.
func (a *App) Inbox(ctx context.Context, all bool) ([]bounce.Kept, error) {
	return bounce.Inbox(ctx, a.DB, all, inboxShown)
}

// inboxShown is how many mails a list shows.
const inboxShown = 100

// InboxMail returns a mail that came back, or errs.NotFound.
func (a *App) InboxMail(ctx context.Context, id int64) (bounce.Kept, error) {
	return bounce.Open(ctx, a.DB, id)
}

// InboxDone notes that a person has dealt with a mail; errs.NotFound when there is none.
func (a *App) InboxDone(ctx context.Context, id int64) error {
	return bounce.Done(ctx, a.DB, id, a.Clock.Now())
}

// letWorkersSee waits until every worker has seen that mail comes back: what is sent from then on says so.
func (a *App) letWorkersSee(ctx context.Context) error {
	timer := time.NewTimer(lookEvery + time.Second)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return nil // it did come back
	}
}

// TryBounces sends a message to an address of our own and returns when a worker has taken it in and all know of it, or ctx ends.
func (a *App) TryBounces(ctx context.Context) error {
	switch {
	case a.Config.BounceDomain == "":
		return errs.New(errs.Invalid, "no bounce domain is set: set SILKPOST_BOUNCE_DOMAIN, and SILKPOST_BOUNCE_LISTEN or SILKPOST_BOUNCE_IMAP_URL")
	case a.relay == nil:
		return errs.New(errs.Invalid, "no SMTP relay is set: set SILKPOST_SMTP_URL")
	case a.keys == nil:
		return noSecretKey()
	}
	begun := a.Clock.Now()
	to := a.addresses().Probe(begun.Unix())
	message := fmt.Sprintf("From: <%[1]s>\r\nTo: <%[1]s>\r\nDate: %s\r\nMessage-ID: <%[1]s>\r\nAuto-Submitted: auto-generated\r\n"+
		"Subject: Does mail come back?\r\n\r\nA test by Silkpost. If it arrives, bounces do.\r\n", to, begun.UTC().Format(time.RFC1123Z))
	r, err := a.mail(ctx, send.NewParcel(to, to, []byte(message)), nil)
	if err != nil {
		return err
	}
	if r.Outcome() != reply.Sent {
		return errs.New(errs.Unavailable, "the relay does not take mail to %s: %s", a.Config.BounceDomain, strings.TrimSpace(fmt.Sprint(cmp.Or(r.Code, 0), " ", r.Text)))
	}
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		channel, err := bounce.ChannelOf(ctx, a.DB, a.Config.BounceDomain)
		if err != nil {
			return err
		}
		if channel.TestedAt != nil && !channel.TestedAt.Before(begun) {
			return a.letWorkersSee(ctx)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
