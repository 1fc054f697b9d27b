package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/jobs"
	"silkpost/mailer/bounce"
	"silkpost/mailer/edition"
	"silkpost/mailer/notice"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
	"silkpost/subscribers"
)

// SendConfirmation sends, to whoever has filled in a form for a subscription, what they are to be told: the question whether it was them, that they
// are on the list already, or the welcome, when the form has put them on it by itself. The mail is queued in the transaction of h, unless limits keep
// it back, which is no error: the form's answer is the same. A list that cannot send yet is errs.Unavailable.
func (a *App) SendConfirmation(ctx context.Context, h database.Handle, subscription int64) error {
	return a.within(ctx, h, func(tx *sqlx.Tx) error {
		sub, err := subscribers.SubscriptionByID(ctx, tx, subscription)
		if err != nil {
			return err
		}
		if err := edition.MayBeSent(sub.List); err != nil {
			return errs.New(errs.Unavailable, "nobody can be asked: %w", err)
		}
		against, err := subscribers.ReasonsAgainst(ctx, tx, sub.Contact.Email)
		if err != nil {
			return err
		}
		kind := notice.Asked(sub.State, against)
		if kind == notice.Known {
			if welcomed, err := a.welcomeByForm(ctx, tx, &sub); err != nil || welcomed {
				return err
			}
		}
		n := notice.Of(kind, &sub)
		n.Unwelcome = len(against) > 0
		_, err = a.queueNotice(ctx, tx, &n)
		return err
	})
}

// welcomeByForm welcomes somebody whom a form alone has put on the list, once.
func (a *App) welcomeByForm(ctx context.Context, tx *sqlx.Tx, sub *subscribers.Subscription) (welcomed bool, err error) {
	if sub.State != subscribers.Active {
		return false, nil
	}
	if by, err := subscribers.LastMethod(ctx, tx, sub.ID); err != nil || by != subscribers.ByForm {
		return false, err
	}
	return a.welcome(ctx, tx, sub)
}

// SendWelcome sends what the list has for whoever has confirmed a subscription: a welcome, and perhaps the last edition. It is for the transaction
// that confirmed it, and does nothing the second time. Nothing that the list lacks keeps anybody from confirming.
func (a *App) SendWelcome(ctx context.Context, h database.Handle, subscription int64) error {
	return a.within(ctx, h, func(tx *sqlx.Tx) error {
		sub, err := subscribers.SubscriptionByID(ctx, tx, subscription)
		if err != nil || sub.State != subscribers.Active {
			return err
		}
		_, err = a.welcome(ctx, tx, &sub)
		return err
	})
}

func (a *App) welcome(ctx context.Context, tx *sqlx.Tx, sub *subscribers.Subscription) (made bool, err error) {
	if sub.List.Welcome == subscribers.WelcomeOff || edition.MayBeSent(sub.List) != nil {
		return false, nil
	}
	n := notice.Of(notice.Welcome, sub)
	if sub.List.Welcome == subscribers.WelcomeLastEdition {
		last := notice.Of(notice.LastEdition, sub)
		if last.EditionID.UUID, last.EditionID.Valid, err = edition.Last(ctx, tx, sub.ID); err != nil {
			return false, err
		}
		if n.EditionID = last.EditionID; last.EditionID.Valid {
			if _, err := a.queueNotice(ctx, tx, &last); err != nil {
				return false, err
			}
		}
	}
	return a.queueNotice(ctx, tx, &n)
}

// SendAddressChange asks the owner of a contact's present address whether its mail shall go to a new one: whoever has the link to the
// preferences may be somebody to whom a digest was forwarded. The mail is from the list that the contact gets most surely; a contact who is on no list
// that can send yet is errs.Unavailable. It is queued in the transaction of h, unless limits keep it back.
func (a *App) SendAddressChange(ctx context.Context, h database.Handle, contact int64, newAddress string) error {
	return a.sendAboutAddress(ctx, h, notice.OldAddress, contact, newAddress)
}

// SendNewAddress asks the owner of a new address whether it is the contact's, who has agreed at the present one. It is otherwise as SendAddressChange.
func (a *App) SendNewAddress(ctx context.Context, h database.Handle, contact int64, newAddress string) error {
	return a.sendAboutAddress(ctx, h, notice.NewAddress, contact, newAddress)
}

func (a *App) sendAboutAddress(ctx context.Context, h database.Handle, kind notice.Kind, contact int64, newAddress string) error {
	return a.within(ctx, h, func(tx *sqlx.Tx) error {
		sub, err := correspondence(ctx, tx, contact)
		if err != nil {
			return err
		}
		n := notice.Of(kind, &sub)
		n.OldAddress, n.NewAddress = sub.Contact.Email, newAddress
		_, err = a.queueNotice(ctx, tx, &n)
		return err
	})
}

// correspondence returns the subscription in whose list's name a contact is written to: an active one before others.
func correspondence(ctx context.Context, h database.Handle, contact int64) (best subscribers.Subscription, err error) {
	all, err := subscribers.SubscriptionsOf(ctx, h, contact)
	if err != nil {
		return best, err
	}
	for _, sub := range all {
		if edition.MayBeSent(sub.List) == nil && (best.ID == 0 || sub.State == subscribers.Active && best.State != subscribers.Active) {
			best = sub
		}
	}
	if best.ID == 0 {
		return best, errs.New(errs.Unavailable, "contact %d is on no list that has a sender and a postal address", contact)
	}
	return best, nil
}

// queueNotice writes a notice down and queues its job with it.
func (a *App) queueNotice(ctx context.Context, tx *sqlx.Tx, n *notice.Notice) (made bool, err error) {
	made, err = n.Make(ctx, tx, a.Clock.Now())
	if err != nil || !made {
		if err == nil {
			a.Log.InfoContext(ctx, "a notice was kept back: there were enough of them", slog.Any("kind", n.Kind), slog.Int64("subscription", n.SubscriptionID))
		}
		return false, err
	}
	return true, a.queue.Insert(ctx, tx, jobs.SendNotice{ID: n.ID})
}

// within runs fn in the transaction that h is, or in one of its own.
func (a *App) within(ctx context.Context, h database.Handle, fn func(tx *sqlx.Tx) error) error {
	if tx, ok := h.(*sqlx.Tx); ok {
		return fn(tx)
	}
	return database.Transact(ctx, a.DB, fn)
}

// recording bounds writing down what came of a notice, also when the program is told to stop meanwhile.
const recording = 10 * time.Second

// sendNotice sends a notice that is not settled and returns when to try again, 0 for never. Jobs of one notice do not run at the same time.
func (a *App) sendNotice(ctx context.Context, id uuid.UUID) (again time.Duration, err error) {
	n, err := notice.ByID(ctx, a.DB, id)
	switch {
	case errs.KindOf(err) == errs.NotFound || err == nil && !n.Open:
		return 0, nil
	case err != nil:
		return 0, err
	}
	o, answer, again, err := a.tryNotice(ctx, &n)
	if err != nil {
		a.Log.WarnContext(ctx, "a notice could not be sent", slog.Any("notice", id), slog.Any("kind", n.Kind), slog.Any("error", err))
		return 0, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recording)
	defer cancel()
	if o.State != notice.Sent {
		level := slog.LevelWarn
		if !o.Tried {
			level = slog.LevelInfo
		}
		a.Log.Log(ctx, level, "a notice was not sent", slog.Any("notice", id), slog.Any("kind", n.Kind), slog.Any("state", o.State),
			slog.Int("code", o.Code), slog.String("reply", loggable(o)), slog.Bool("again", o.Again))
	}
	return again, a.settleNotice(ctx, &n, o, answer)
}

// settleNotice writes down what an attempt came to, and what follows from it for the address when a server refused that for good.
func (a *App) settleNotice(ctx context.Context, n *notice.Notice, o notice.Outcome, answer reply.Reply) error {
	now := a.Clock.Now()
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		if err := notice.Settle(ctx, tx, n.ID, o, now); err != nil || o.State != notice.Failed || !o.Tried {
			return err
		}
		sub, err := subscribers.SubscriptionByID(ctx, tx, n.SubscriptionID)
		if err != nil {
			return err
		}
		return bounce.ScoreNotice(ctx, tx, n.ID, n.To(&sub.Contact), answer, now)
	})
}

// errUnsendable says that a notice may not go any more. The outcome says why.
var errUnsendable = errors.New("the notice may not go")

// loggable is what a log may keep of an outcome: a server's words can name the person, and nobody can take them out of a log. silkpost status has them.
func loggable(o notice.Outcome) string {
	if o.Code == 0 {
		return o.Reply
	}
	return reply.Reply{Text: o.Reply}.Enhanced()
}

// tryNotice makes one attempt. Whether the notice may go is asked first, and again right before the message, as dialling can take its time (P5).
func (a *App) tryNotice(ctx context.Context, n *notice.Notice) (o notice.Outcome, r reply.Reply, again time.Duration, err error) {
	var verdict notice.Outcome
	check := func(ctx context.Context) error {
		sub, err := subscribers.SubscriptionByID(ctx, a.DB, n.SubscriptionID)
		if err != nil {
			return err
		}
		if verdict, err = a.judge(ctx, n, &sub); err == nil && verdict.State != notice.Sent {
			err = errUnsendable
		}
		return err
	}
	if err = check(ctx); err == nil {
		r, err = a.transmit(ctx, n, check)
	}
	full := (*noRoomError)(nil)
	switch kind := errs.KindOf(err); {
	case errors.Is(err, errUnsendable):
		return verdict, r, 0, nil
	case errors.As(err, &full): // no attempt: its turn comes
		return notice.Outcome{State: notice.Deferred, Again: true, Reply: full.Error()}, r, max(full.until.Sub(a.Clock.Now()), time.Second), nil
	case kind == errs.Gone: // what it was to hold
		return notice.Outcome{State: notice.Cancelled, Reply: reply.OneLine(err.Error())}, r, 0, nil
	case kind == errs.Invalid || kind == errs.NotFound || kind == errs.Unavailable: // a setting is missing, or the key to sign with
		r = reply.Reply{Phase: reply.Compose, Text: reply.OneLine(err.Error())}
	case err != nil && r.Code == 0 && r.Phase != reply.Dot && !errors.Is(err, context.DeadlineExceeded): // the server has nothing of it
		return o, r, 0, err
	}
	now := a.Clock.Now()
	outcome, due := a.noticeRetry.Next(r, send.Tried{ID: n.ID, Attempts: n.Attempts, Since: n.MadeAt}, now)
	o = notice.Outcome{State: notice.State(outcome), Tried: true, Again: !due.IsZero(), Code: r.Code, Reply: r.Text}
	return o, r, max(due.Sub(now), 0), nil
}

// judge decides whether a notice may go now. What is not Sent is its outcome.
func (a *App) judge(ctx context.Context, n *notice.Notice, sub *subscribers.Subscription) (o notice.Outcome, err error) {
	if a.Clock.Now().Sub(n.MadeAt) > a.noticeRetry.GiveUp {
		return notice.Outcome{State: notice.Failed, Reply: cmp.Or(n.Reply, "it waited for too long")}, nil
	}
	var against []subscribers.Reason
	if to := n.To(&sub.Contact); to != "" {
		if against, err = subscribers.ReasonsAgainst(ctx, a.DB, to); err != nil {
			return o, err
		}
	}
	o.State, o.Reply = n.Verdict(sub, against)
	return o, nil
}
