package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/doctor"
	"silkpost/internal/errs"
	"silkpost/internal/installation"
	"silkpost/mailer/ledger"
	"silkpost/mailer/limit"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
	"silkpost/subscribers"
)

// Examination is what the doctor found, and when.
type Examination struct {
	At       time.Time // zero: nobody has asked yet
	Findings []doctor.Finding
}

// Examination returns what the doctor found when it was last asked by Examine. It asks nobody.
func (a *App) Examination(ctx context.Context) (e Examination, err error) {
	kept, at, err := installation.Examination(ctx, a.DB)
	if err != nil || at.IsZero() {
		return e, err
	}
	return Examination{at, e.Findings}, json.Unmarshal(kept, &e.Findings)
}

// Examine asks the doctor, for no longer than given, and keeps what it found for Examination.
func (a *App) Examine(ctx context.Context, o DoctorOptions, within time.Duration) error {
	asking, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	o.Patience = within / 4 // there are two to be patient with, and the DNS needs its time
	findings, err := a.Doctor(asking, o)
	if ctx.Err() != nil || err != nil && len(findings) == 0 {
		return err
	}
	kept, err := json.Marshal(findings)
	if err != nil {
		return err
	}
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error { return installation.KeepExamination(ctx, tx, kept, a.Clock.Now()) })
}

// RelaySetting is a next hop as it is set, without what is secret.
type RelaySetting struct {
	Setting  string // its name
	Address  string // host:port
	TLS      send.TLS
	User     string
	Password bool // there is one
}

// RelaySettings are the next hops that are set, the first first; none when no mail can go out.
func (a *App) RelaySettings() (all []RelaySetting) {
	if a.relay == nil {
		return nil
	}
	for _, r := range a.relays() {
		all = append(all, RelaySetting{Setting: r.Setting, Address: r.Address(), TLS: r.TLS, User: r.User, Password: r.Password != ""})
	}
	return all
}

// RelayTrial is what came of a test message.
type RelayTrial struct {
	From, To string
	Facts    send.Facts // what the relay told of itself
	Reply    reply.Reply
	Signed   bool
}

// TryRelay sends a test message from a list's sender to an address, over the relay as digests go, and returns how that went. Nothing of it is recorded.
func (a *App) TryRelay(ctx context.Context, slug, address string) (t RelayTrial, err error) {
	if a.relay == nil {
		return t, errs.New(errs.Invalid, "no SMTP relay is set: set SILKPOST_SMTP_URL")
	}
	if t.To, err = subscribers.Envelope(address); err != nil {
		return t, err
	}
	list, err := subscribers.ListBySlug(ctx, a.DB, slug)
	if err != nil {
		return t, err
	}
	if t.From, err = subscribers.Envelope(list.Sender.Address); err != nil {
		return t, errs.New(errs.Invalid, "list %s has no sender address to send from: give it one", slug)
	}
	message, err := a.Composer.Signed(t.From, relayTest(t.From, t.To, a.Clock.Now()))
	if err != nil {
		return t, err
	}
	t.Signed = strings.HasPrefix(string(message), "DKIM-Signature:")
	if t.Facts, err = send.Probe(ctx, *a.relay, a.helo()); err != nil && ctx.Err() != nil {
		return t, errs.New(errs.Unavailable, "the relay %s did not answer in time", a.relay.Address())
	}
	t.Reply, err = a.mail(ctx, send.NewParcel(t.From, t.To, message), nil)
	if full := (*noRoomError)(nil); errors.As(err, &full) {
		return t, err
	}
	if err != nil {
		return t, errs.New(errs.Unavailable, "the relay %s did not answer in time", a.relay.Address())
	}
	return t, nil
}

// relayTest is a test message.
func relayTest(from, to string, at time.Time) []byte {
	return []byte(strings.ReplaceAll(fmt.Sprintf(`From: <%[1]s>
To: <%[2]s>
Subject: A test by Silkpost
Date: %[3]s
Message-ID: <test.%[4]d@%[5]s>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 7bit

Somebody wants to see whether mail of Silkpost arrives. It does.
`, from, to, at.UTC().Format(time.RFC1123Z), at.UnixNano(), from[strings.LastIndexByte(from, '@')+1:]), "\n", "\r\n"))
}

// LimitStatuses returns the declared limits with how far each is used, and what waits under it.
func (a *App) LimitStatuses(ctx context.Context) (all []LimitStatus, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		all, err = a.limitStatus(ctx, h)
		return err
	})
	return all, err
}

// SaveLimit makes a limit be as given, as a declaration would. With anew, one of that name that is there already is errs.Conflict; without, one that is not
// there is errs.NotFound.
func (a *App) SaveLimit(ctx context.Context, l limit.Limit, anew bool) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		switch _, err := limit.Named(ctx, tx, l.Name); {
		case err == nil && anew:
			return errs.New(errs.Conflict, "%w", &limit.Mistake{Limit: l.Name, Key: "name", Says: "there is a limit of that name already: choose another"})
		case err != nil && (!anew || errs.KindOf(err) != errs.NotFound):
			return err
		}
		_, err := a.declareLimit(ctx, tx, l)
		return err
	})
}

// RemoveLimit takes a limit away; what waited under it is due at once.
func (a *App) RemoveLimit(ctx context.Context, name string) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		if _, err := limit.Named(ctx, tx, name); err != nil {
			return err
		}
		_, err := a.removeLimit(ctx, tx, name)
		return err
	})
}

func (a *App) declareLimit(ctx context.Context, h database.Handle, l limit.Limit) (database.Change, error) {
	change, err := limit.Declare(ctx, h, l)
	return a.letGo(ctx, h, l.Name, change, err)
}

func (a *App) removeLimit(ctx context.Context, h database.Handle, name string) (database.Change, error) {
	change, err := limit.Remove(ctx, h, name)
	return a.letGo(ctx, h, name, change, err)
}

// letGo makes due what waited under a limit that is not the same any more.
func (a *App) letGo(ctx context.Context, h database.Handle, name string, change database.Change, err error) (database.Change, error) {
	if err == nil && (change == database.Changed || change == database.Removed) {
		_, err = ledger.LetGo(ctx, h, name, a.Clock.Now())
	}
	return change, err
}

// Bounces returns what came back lately, and how it comes back.
func (a *App) Bounces(ctx context.Context) (BounceStatus, error) { return a.bounceStatus(ctx, a.DB) }

// Floor says which deliveries are kept.
func (a *App) Floor(ctx context.Context) (FloorStatus, error) { return floorStatus(ctx, a.DB) }
