package web

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/errs"
	"silkpost/mailer/compose"
	"silkpost/subscribers"
	"silkpost/templates"
)

// subscription returns the subscription that a link of a purpose stands for. A link that is not ours and one whose subscription is gone look
// alike.
func (s *site) subscription(r *http.Request, purpose string) (subscribers.Subscription, error) {
	id, err := s.Keys.Open(purpose, r.PathValue("token"))
	if err != nil {
		return subscribers.Subscription{}, err
	}
	return subscribers.SubscriptionByID(r.Context(), s.DB, id)
}

// askConfirm shows what a press will begin: a subscription, several, or mail to another address.
func (s *site) askConfirm(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	sub, err := s.subscription(r, compose.ConfirmPurpose)
	if errs.KindOf(err) == errs.NotFound && err != nil {
		return s.askChange(w, r)
	}
	if err != nil {
		return nil, err
	}
	return s.confirmPage(r, &sub)
}

// confirmPage asks for a confirmation, or says that none is needed.
func (s *site) confirmPage(r *http.Request, sub *subscribers.Subscription) (templates.Page, error) {
	if sub.Contact.ErasedAt != nil {
		return nil, errs.New(errs.Gone, "the person of subscription %d was erased", sub.ID)
	}
	if err := subscribers.CheckOpen(r.Context(), s.DB, sub.ID); err != nil {
		return nil, err
	}
	awaits, err := subscribers.AwaitsPerson(r.Context(), s.DB, sub.ID)
	if err != nil || !awaits {
		return s.confirmed(r, sub, nil), err
	}
	together, err := s.together(r, sub)
	if err != nil {
		return nil, err
	}
	version, err := subscribers.Version(r.Context(), s.DB, sub.Contact.ID)
	return templates.ConfirmPage{
		ListName: sub.List.NameIn(s.language(r)), Address: subscribers.Mask(sub.Contact.Email), Together: choicesOf(together, s.language(r)),
		Rhythm: sub.Rhythm, Topics: sub.Topics, Languages: sub.Contact.Languages,
		Nonce: s.sign(nonce{page: compose.ConfirmPurpose, id: sub.ID, version: version, at: s.Clock.Now()}),
	}, err
}

// together returns what waits to be confirmed with a subscription, that one among it; nothing when it is alone.
func (s *site) together(r *http.Request, sub *subscribers.Subscription) (all []subscribers.Subscription, err error) {
	ids, err := subscribers.Together(r.Context(), s.DB, sub.ID)
	if err != nil || len(ids) == 1 {
		return nil, err
	}
	for _, id := range ids {
		one, err := subscribers.SubscriptionByID(r.Context(), s.DB, id)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// choicesOf offers subscriptions by the names of their lists, all ticked: they were asked for together.
func choicesOf(subs []subscribers.Subscription, tag string) (choices []templates.Choice) {
	for _, sub := range subs {
		choices = append(choices, templates.Choice{Value: strconv.FormatInt(sub.ID, 10), Label: sub.List.NameIn(tag), Chosen: true})
	}
	return choices
}

// confirmed says that a subscription, or those confirmed with it, is active.
func (s *site) confirmed(r *http.Request, sub *subscribers.Subscription, together []subscribers.Subscription) templates.Page {
	return templates.ConfirmPage{
		ListName: sub.List.NameIn(s.language(r)), Address: subscribers.Mask(sub.Contact.Email), Done: true,
		Together: choicesOf(together, s.language(r)), PreferencesURL: s.preferencesPath(sub.ID),
	}
}

func (s *site) preferencesPath(subscription int64) string {
	return "/preferences/" + s.Keys.Sign(compose.PreferencesPurpose, subscription)
}

// confirm takes the word of the person that a link to confirm was mailed to.
func (s *site) confirm(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	sub, err := s.subscription(r, compose.ConfirmPurpose)
	if errs.KindOf(err) == errs.NotFound && err != nil {
		return s.change(w, r)
	}
	if err != nil {
		return nil, err
	}
	switch r.PostFormValue("do") {
	case templates.DoConfirm:
		return s.confirmSome(r, &sub, templates.DoConfirm, []subscribers.Subscription{sub})
	case templates.DoTogether:
		ticked, err := s.ticked(r, &sub)
		if err != nil || len(ticked) == 0 {
			page, failed := s.confirmPage(r, &sub)
			return page, firstOf(err, failed)
		}
		return s.confirmSome(r, &sub, templates.DoTogether, ticked)
	}
	return nil, errs.New(errs.Invalid, "a press on no button of the page")
}

// ticked returns those of the subscriptions that wait together which the form names.
func (s *site) ticked(r *http.Request, sub *subscribers.Subscription) ([]subscribers.Subscription, error) {
	together, err := s.together(r, sub)
	return slices.DeleteFunc(together, func(one subscribers.Subscription) bool {
		return !slices.Contains(r.PostForm["list"], strconv.FormatInt(one.ID, 10))
	}), err
}

func (s *site) confirmSome(r *http.Request, sub *subscribers.Subscription, do string, some []subscribers.Subscription) (templates.Page, error) {
	tag := s.language(r)
	again, _, err := s.carryOut(r, press{
		page: compose.ConfirmPurpose, id: sub.ID, contact: sub.Contact.ID, subscriptions: []int64{sub.ID},
		do: do, list: sub.List.NameIn(tag), method: subscribers.ByConfirmation,
		idle: func(tx *sqlx.Tx) (bool, error) {
			for _, one := range some {
				if awaits, err := subscribers.AwaitsPerson(r.Context(), tx, one.ID); awaits || err != nil {
					return false, err
				}
			}
			return true, nil
		},
		act: func(tx *sqlx.Tx, e subscribers.Evidence) error {
			words := e.Statement
			for _, one := range some {
				if do == templates.DoTogether {
					e.Statement = words + ": " + one.List.NameIn(tag)
				}
				if err := s.begin(r.Context(), tx, one.ID, e); err != nil {
					return err
				}
			}
			return nil
		},
	})
	if err != nil || again != nil {
		return again, err
	}
	s.Log.InfoContext(r.Context(), "confirmed", slog.Any("subscription", sub.ID), slog.Int("subscriptions", len(some)))
	if do == templates.DoConfirm {
		some = nil
	}
	return s.confirmed(r, sub, some), nil
}

// begin makes a subscription active on the word of its person, and welcomes them.
func (s *site) begin(ctx context.Context, tx *sqlx.Tx, id int64, e subscribers.Evidence) error {
	if err := subscribers.Confirm(ctx, tx, id, e); err != nil || s.SendWelcome == nil {
		return err
	}
	return s.SendWelcome(ctx, tx, id)
}

// changeOf is a step of a change of address that a link stands for, as things are now.
type changeOf struct {
	compose.Change
	contact subscribers.Contact
	to      subscribers.Address
}

func (s *site) changeOf(r *http.Request) (c changeOf, err error) {
	if c.Change, err = compose.OpenChange(s.Keys, r.PathValue("token")); err != nil {
		return c, err
	}
	if c.to, err = subscribers.ParseAddress(c.NewAddress); err != nil {
		return c, err
	}
	if c.contact, err = subscribers.ContactByID(r.Context(), s.DB, c.Change.Contact); err == nil && c.contact.ErasedAt != nil {
		err = errs.New(errs.Gone, "contact %d was erased", c.contact.ID)
	}
	return c, err
}

// askChange shows what a press will do with a contact's mail.
func (s *site) askChange(_ http.ResponseWriter, r *http.Request) (templates.Page, error) {
	c, err := s.changeOf(r)
	if err != nil {
		return nil, err
	}
	version, err := subscribers.Version(r.Context(), s.DB, c.contact.ID)
	page := s.changePage(&c)
	page.Nonce = s.sign(nonce{page: c.Purpose, id: c.contact.ID, version: version, at: s.Clock.Now()})
	return page, err
}

// changePage says how a change stands. Whoever has the present address sees the new one masked, and the other way round.
func (s *site) changePage(c *changeOf) templates.ChangePage {
	page := templates.ChangePage{OldAddress: subscribers.Mask(c.contact.Email), NewAddress: c.to.Given, Release: c.Purpose == compose.ReleasePurpose}
	if page.Release {
		page.NewAddress = subscribers.Mask(c.to.Given)
	}
	page.Done = c.contact.EmailKey == c.to.Key
	page.Stale = !page.Done && !c.Holds(s.Keys, &c.contact)
	return page
}

// change takes the word of the owner of the present address, and asks that of the new one; on that one's word a contact's mail goes there.
func (s *site) change(_ http.ResponseWriter, r *http.Request) (templates.Page, error) {
	c, err := s.changeOf(r)
	if err != nil {
		return nil, err
	}
	do, act := templates.DoChange, func(tx *sqlx.Tx, e subscribers.Evidence) error {
		return subscribers.ChangeAddress(r.Context(), tx, c.contact.ID, c.to, e)
	}
	if c.Purpose == compose.ReleasePurpose {
		do, act = templates.DoRelease, func(tx *sqlx.Tx, e subscribers.Evidence) error {
			return s.sendNewAddress(r.Context(), tx, &c, e)
		}
	}
	if r.PostFormValue("do") != do {
		return nil, errs.New(errs.Invalid, "a press on no button of the page")
	}
	subs, err := subscribers.SubscriptionsOf(r.Context(), s.DB, c.contact.ID)
	if err != nil {
		return nil, err
	}
	again, _, err := s.carryOut(r, press{
		page: c.Purpose, id: c.contact.ID, contact: c.contact.ID, subscriptions: idsOf(subs), do: do,
		method: subscribers.ByConfirmation,
		idle: func(tx *sqlx.Tx) (done bool, err error) {
			c.contact, err = subscribers.ContactByID(r.Context(), tx, c.contact.ID) // nobody changes it any more
			return err == nil && (c.contact.EmailKey == c.to.Key || !c.Holds(s.Keys, &c.contact)), err
		},
		act: act,
	})
	switch {
	case errs.KindOf(err) == errs.Conflict && err != nil:
		return templates.ChangePage{NewAddress: c.to.Given, Taken: true}, nil
	case err != nil || again != nil:
		return again, err
	}
	if c.contact, err = subscribers.ContactByID(r.Context(), s.DB, c.contact.ID); err != nil {
		return nil, err
	}
	page := s.changePage(&c)
	page.Asked = page.Release && !page.Done && !page.Stale
	return page, nil
}

// sendNewAddress sends the mail to a new address, unless an administrator does not want mail to go there or it was asked for too often.
func (s *site) sendNewAddress(ctx context.Context, tx *sqlx.Tx, c *changeOf, e subscribers.Evidence) error {
	admitted, err := subscribers.Admit(ctx, tx, c.to, e.Network, e.At)
	if err != nil {
		return err
	}
	barred, err := subscribers.Barred(ctx, tx, c.to)
	if err != nil || barred || !admitted.Address || !admitted.Network || s.SendNewAddress == nil {
		return err
	}
	return s.SendNewAddress(ctx, tx, c.contact.ID, c.to.Given)
}

func idsOf(subs []subscribers.Subscription) (ids []int64) {
	for _, sub := range subs {
		ids = append(ids, sub.ID)
	}
	return ids
}

// firstOf returns the first error that is one.
func firstOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
