package bounce

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/clock"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/subscribers"
)

// Desk takes in what comes back. It may be used by any number of goroutines; its fields are set before use.
type Desk struct {
	DB        *sqlx.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Addresses Addresses

	// MessageID is the Message-ID of an edition's message to a contact, when it was sent again so often, from a sender.
	MessageID func(edition uuid.UUID, contact int64, resent int, sender string) string
	// Subscription reads the link in our List-Unsubscribe: false when it is none of ours.
	Subscription func(link string) (id int64, ok bool)
}

// Mail is a message that came in.
type Mail struct {
	To      []string // recipients of the envelope; none: not known
	Message []byte
}

// Take does what a message asks for. When it returns nil the message is dealt with or kept; on an error nothing was done, and it should come
// again. Taking the same message twice is like taking it once.
func (d *Desk) Take(ctx context.Context, m Mail) (err error) {
	defer errs.Wrap(&err, "take in a mail")
	r := Parse(m.Message)
	target, known := d.target(m, &r)
	switch {
	case target.Probe != 0:
		return noteProbe(ctx, d.DB, d.Addresses.Domain, time.Unix(target.Probe, 0), d.Clock.Now())
	case target.Trial != 0:
		return d.noteTrial(ctx, m, &r, target.Trial)
	case target.Subscription != 0:
		return d.unsubscribe(ctx, m, &r, target.Subscription)
	case r.Class == Delayed || r.Class == Delivered || r.Class == Automatic:
		d.Log.InfoContext(ctx, "a mail came back that changes nothing", slog.Any("class", r.Class), slog.Any("contact", target.Contact))
		return nil
	case r.Class == Challenge:
		return d.keep(ctx, m, &r, target, "a machine asks whether somebody is there: answer it, or leave it")
	case r.Class == Unknown:
		return d.keep(ctx, m, &r, target, "it is no bounce that is understood; perhaps somebody wrote")
	case !known:
		if target, known, err = d.byHeader(ctx, &r); err != nil || !known {
			return errorOr(err, func() error {
				return d.keep(ctx, m, &r, target, "it is a "+string(r.Class)+", and not known for sure of which message")
			})
		}
	}
	if target.Notice != uuid.Nil {
		return d.noteNotice(ctx, m, &r, target)
	}
	return d.note(ctx, m, &r, target)
}

func errorOr(err error, otherwise func() error) error {
	if err != nil {
		return err
	}
	return otherwise()
}

// target returns whom a message is for: by its envelope, by what its header says of that, or by a return path that stands in it.
func (d *Desk) target(m Mail, r *Report) (Target, bool) {
	to := m.To
	if len(to) == 0 {
		to = r.to
	}
	for _, address := range to {
		if t, err := d.Addresses.Open(address); err == nil {
			return t, true
		}
	}
	return d.Addresses.Find(r.bytes)
}

// note writes down what was reported of a delivery, and what follows from it.
func (d *Desk) note(ctx context.Context, m Mail, r *Report, target Target) error {
	now := d.Clock.Now()
	b := ledger.Bounce{EditionID: target.Edition, ContactID: target.Contact, At: now, Kind: ledger.ComplaintBounce}
	if r.Class == Failure {
		b.Kind, b.Status, b.Diagnostic = kindOf(r.score()), r.Reply.Enhanced(), r.Reply.Text
	}
	var noted bool
	err := database.Transact(ctx, d.DB, func(tx *sqlx.Tx) (err error) {
		noted, err = record(ctx, tx, b, target.check, r.about(), now)
		return err
	})
	if errs.KindOf(err) == errs.NotFound {
		return d.keep(ctx, m, r, Target{}, "it is about a delivery that is not in the account")
	}
	if err == nil && noted {
		d.tell(ctx, r, b.Kind, slog.Any("edition", b.EditionID), slog.Int64("contact", b.ContactID))
	}
	return err
}

// tell logs what was reported of a message.
func (d *Desk) tell(ctx context.Context, r *Report, kind ledger.BounceKind, of ...any) {
	level := slog.LevelInfo
	if r.Class == Failure && r.Kind().Pauses() {
		level = slog.LevelWarn // somebody has to look after our reputation
	}
	d.Log.Log(ctx, level, "a message came back", append(of, slog.Any("class", r.Class), slog.Any("kind", kind), slog.Any("about", r.Kind()),
		slog.String("status", r.Reply.Enhanced()))...)
}

// about returns what counts against the address, in a word.
func (r *Report) about() subscribers.Reason {
	if r.Class == Complaint {
		return subscribers.Complaint
	}
	return subscribers.HardBounce
}

func kindOf(s reply.Score) ledger.BounceKind {
	return map[reply.Score]ledger.BounceKind{reply.None: ledger.OtherBounce, reply.Soft: ledger.SoftBounce, reply.Hard: ledger.HardBounce}[s]
}

// unsubscribe ends a subscription because a mail came to the address that stands for doing so. What machines answer to it is no wish.
func (d *Desk) unsubscribe(ctx context.Context, m Mail, r *Report, id int64) error {
	if r.Class != Unknown && r.Class != Complaint {
		return nil
	}
	err := subscribers.Unsubscribe(ctx, d.DB, id, subscribers.Evidence{
		At: d.Clock.Now(), Method: subscribers.ByMail, Statement: "a mail to the address in List-Unsubscribe",
	})
	if kind := errs.KindOf(err); kind == errs.NotFound || kind == errs.Gone {
		return d.keep(ctx, m, r, Target{}, "it ends a subscription that is not there")
	}
	if err == nil {
		d.Log.InfoContext(ctx, "unsubscribed", slog.Int64("subscription", id), slog.Any("method", subscribers.ByMail))
	}
	return err
}
