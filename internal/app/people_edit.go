package app

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/subscribers/sheet"
)

// NewContact is what an administrator says of somebody whom they put on a list.
type NewContact struct {
	Email        string
	Name         string
	Organisation string
	Languages    string // tags, the best first, parted by semicolons
	TimeZone     string
	DeliveryHour string
	List         string // slug
	Rhythm       string // "" is the list's default
	Consent      string // on which basis they may be mailed; "" leaves them pending
	// Within are the ids of the only lists whose people whoever adds them may change; nil: all. See subscribers.ImportOptions.
	Within []int64
}

// AddContact puts one person on a list by the rules of imports: nobody's consent is weakened, who has left stays so, who is suppressed is not made
// active, and who was erased is refused. It returns the contact and what came of it. refused says, by the name of a field ("email", "name", …), what is
// wrong; then nothing was done.
func (a *App) AddContact(ctx context.Context, by string, c NewContact) (contact int64, row subscribers.ImportedRow, refused map[string]string, err error) {
	var file bytes.Buffer
	w, err := sheet.NewWriter(&file, ',')
	if err != nil {
		return 0, row, nil, err
	}
	header := []string{"email", "name", "organisation", "languages", "time_zone", "delivery_hour", "rhythm"}
	for _, cells := range [][]string{header, {c.Email, c.Name, c.Organisation, c.Languages, c.TimeZone, c.DeliveryHour, c.Rhythm}} {
		if err := w.Write(cells...); err != nil {
			return 0, row, nil, err
		}
	}
	if err := w.Flush(); err != nil {
		return 0, row, nil, err
	}
	_, err = a.ImportContacts(ctx, bytes.NewReader(file.Bytes()), subscribers.ImportOptions{
		List: c.List, Consent: c.Consent, Origin: "page of an administrator", Actor: by, Method: subscribers.ByAdministrator, Encoding: "utf-8", Within: c.Within,
		Each: func(r subscribers.ImportedRow) error { row = r; return nil },
	})
	if len(row.Refusals) > 0 {
		return 0, row, saidOf(row.Refusals), nil
	}
	if err != nil {
		return 0, row, nil, err
	}
	made, err := subscribers.ContactByEmail(ctx, a.DB, c.Email)
	return made.ID, row, nil, err
}

// saidOf returns what is wrong by field.
func saidOf(refusals []subscribers.Refusal) map[string]string {
	said := map[string]string{}
	for _, r := range refusals {
		said[r.Field] = strings.TrimPrefix(said[r.Field]+"; "+r.Reason, "; ")
	}
	return said
}

// ChangeContact sets what an administrator may change of a contact; see subscribers.SetFacts and subscribers.SetPreferences.
func (a *App) ChangeContact(ctx context.Context, contact int64, f subscribers.ContactFacts, p subscribers.Preferences) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		if _, err := subscribers.Hold(ctx, tx, contact); err != nil {
			return err
		}
		if err := subscribers.SetFacts(ctx, tx, contact, f, a.Clock.Now()); err != nil {
			return err
		}
		return subscribers.SetPreferences(ctx, tx, contact, p)
	})
}

// AskNewAddress asks the owner of an address whether a contact's mail shall go there from now on: they alone can say so. An address that another contact has
// is errs.Conflict.
func (a *App) AskNewAddress(ctx context.Context, contact int64, address string) error {
	to, err := subscribers.ParseAddress(address)
	if err != nil {
		return err
	}
	switch other, err := subscribers.ContactByEmail(ctx, a.DB, address); {
	case err == nil && other.ID == contact:
		return errs.New(errs.Conflict, "that is the address that they have")
	case err == nil:
		return errs.New(errs.Conflict, "another contact has that address")
	case errs.KindOf(err) != errs.NotFound:
		return err
	}
	return a.SendNewAddress(ctx, a.DB, contact, to.Given)
}

// onList does something with a contact's subscription to a list, in a transaction in which nobody else changes it.
func (a *App) onList(ctx context.Context, contact, list int64, do func(tx *sqlx.Tx, subscription int64, state subscribers.State) error) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		if _, err := subscribers.Hold(ctx, tx, contact); err != nil {
			return err
		}
		subscription, state, err := subscribers.SubscriptionOn(ctx, tx, contact, list)
		if err != nil {
			return err
		}
		return do(tx, subscription, state)
	})
}

// said is what the log of consents keeps of what an administrator does.
func (a *App) said(by, why string) (subscribers.Evidence, error) {
	why = strings.Join(strings.Fields(why), " ")
	if err := subscribers.CheckStatement(why); err != nil {
		return subscribers.Evidence{}, err
	}
	return subscribers.Evidence{At: a.Clock.Now(), Method: subscribers.ByAdministrator, Statement: why, Origin: "page of an administrator", Actor: by}, nil
}

// UnsubscribeContact ends a contact's subscription to a list. why is kept in the log of consents. Only the person can begin anew.
func (a *App) UnsubscribeContact(ctx context.Context, by string, contact, list int64, why string) error {
	e, err := a.said(by, why)
	if err != nil {
		return err
	}
	return a.onList(ctx, contact, list, func(tx *sqlx.Tx, subscription int64, _ subscribers.State) error {
		return subscribers.Unsubscribe(ctx, tx, subscription, e)
	})
}

// PauseContact keeps a list's mail from a contact for a number of days, with 0 until somebody ends that. It is not caught up on. One that does not get
// mail is errs.Conflict.
func (a *App) PauseContact(ctx context.Context, by string, contact, list int64, days int, why string) error {
	e, err := a.said(by, why)
	if err != nil {
		return err
	}
	const most = 3650
	if days < 0 || days > most {
		return errs.New(errs.Invalid, "days: a number from 1 to %d", most)
	}
	return a.onList(ctx, contact, list, func(tx *sqlx.Tx, subscription int64, state subscribers.State) error {
		if state != subscribers.Active {
			return errs.New(errs.Conflict, "the subscription is %s: only one that is active can be paused", state)
		}
		if days == 0 {
			return subscribers.Pause(ctx, tx, subscription, nil, false, e)
		}
		until := e.At.AddDate(0, 0, days)
		return subscribers.Pause(ctx, tx, subscription, &until, false, e)
	})
}

// ResumeContact ends a pause that an administrator began. One that the person asked for is theirs to end: errs.Conflict.
func (a *App) ResumeContact(ctx context.Context, by string, contact, list int64) error {
	e, err := a.said(by, "")
	if err != nil {
		return err
	}
	return a.onList(ctx, contact, list, func(tx *sqlx.Tx, subscription int64, state subscribers.State) error {
		method, err := subscribers.LastMethod(ctx, tx, subscription)
		switch {
		case err != nil:
			return err
		case state != subscribers.Paused:
			return errs.New(errs.Conflict, "the subscription is %s, not paused", state)
		case method != subscribers.ByAdministrator:
			return errs.New(errs.Conflict, "the person paused it: only they can end that, or the day that they chose")
		}
		return subscribers.Resume(ctx, tx, subscription, false, e)
	})
}

// ChangeDelivery sets the rhythm and the topics of a contact's subscription to a list.
func (a *App) ChangeDelivery(ctx context.Context, contact, list int64, rhythm string, topics []string) error {
	return a.onList(ctx, contact, list, func(tx *sqlx.Tx, subscription int64, state subscribers.State) error {
		if state == subscribers.Unsubscribed {
			return errs.New(errs.Conflict, "the subscription has ended")
		}
		return subscribers.SetDelivery(ctx, tx, subscription, rhythm, topics)
	})
}

// AskToConfirm sends a contact whose subscription is pending the mail that asks whether they want it. Nobody is asked who has left: they alone can come back.
func (a *App) AskToConfirm(ctx context.Context, contact, list int64) error {
	return a.onList(ctx, contact, list, func(tx *sqlx.Tx, subscription int64, state subscribers.State) error {
		if state != subscribers.Pending {
			return errs.New(errs.Conflict, "the subscription is %s: only who is pending is asked", state)
		}
		return a.SendConfirmation(ctx, tx, subscription)
	})
}

// SuppressFor keeps an address or a domain from being mailed, because an administrator says so; why is kept with it.
func (a *App) SuppressFor(ctx context.Context, by, whom, why string) (change database.Change, err error) {
	origin := by
	if why = strings.Join(strings.Fields(why), " "); why != "" {
		origin += ": " + why
	}
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		change, err = subscribers.Suppress(ctx, tx, whom, subscribers.Manual, origin, a.Clock.Now())
		return err
	})
	return change, err
}

// LiftFor ends what an administrator may end; see subscribers.Lift. When something stays that the person alone can end, the error says so.
func (a *App) LiftFor(ctx context.Context, by, whom string) error {
	var stays error
	err := database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		err := subscribers.Lift(ctx, tx, whom, by, a.Clock.Now())
		if stays = nil; errs.KindOf(err) == errs.Conflict {
			stays, err = err, nil // what could be lifted is
		}
		return err
	})
	return errors.Join(err, stays)
}

// MergeOrganisations makes one organisation of two; see subscribers.MergeOrganisations. Its private feeds show what the other one gets.
func (a *App) MergeOrganisations(ctx context.Context, from, into int64) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		if err := subscribers.MergeOrganisations(ctx, tx, from, into); err != nil {
			return err
		}
		return a.Feeds.MovePrivate(ctx, tx, from, into)
	})
}

// RemoveOrganisation removes an organisation; its people stay. Its private feeds are revoked.
func (a *App) RemoveOrganisation(ctx context.Context, organisation int64) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		if err := a.Feeds.RevokeAll(ctx, tx, organisation, a.Clock.Now()); err != nil {
			return err
		}
		return subscribers.RemoveOrganisation(ctx, tx, organisation)
	})
}

// PrivateFeedsOf returns the private feeds of an organisation, oldest first, also those that were revoked.
func (a *App) PrivateFeedsOf(ctx context.Context, organisation int64) (all []PrivateFeed, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		o, err := subscribers.OrganisationByID(ctx, h, organisation)
		if err != nil {
			return err
		}
		lists, err := listSlugs(ctx, h)
		if err != nil {
			return err
		}
		found, err := a.Feeds.PrivatesOf(ctx, h, organisation)
		for _, p := range found {
			all = append(all, privateFeed(p, o.Name, lists[p.ListID]))
		}
		return err
	})
	return all, err
}
