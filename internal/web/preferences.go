package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/errs"
	"silkpost/mailer/compose"
	"silkpost/subscribers"
	"silkpost/templates"
)

// showPreferences shows what a contact has chosen.
func (s *site) showPreferences(_ http.ResponseWriter, r *http.Request) (templates.Page, error) {
	sub, err := s.preferred(r)
	if err != nil {
		return nil, err
	}
	return s.preferencesPage(r, &sub, nil, false)
}

// preferred returns the subscription that a link to preferences stands for.
func (s *site) preferred(r *http.Request) (subscribers.Subscription, error) {
	sub, err := s.subscription(r, compose.PreferencesPurpose)
	if err == nil && sub.Contact.ErasedAt != nil {
		err = errs.New(errs.Gone, "the person of subscription %d was erased", sub.ID)
	}
	return sub, err
}

// changePreferences does what a press on the page of preferences is for.
func (s *site) changePreferences(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	sub, err := s.preferred(r)
	if err != nil {
		return nil, err
	}
	switch do := r.PostFormValue("do"); do {
	case templates.DoSave:
		return s.save(w, r, &sub)
	case templates.DoAsk:
		return s.askForAddress(w, r, &sub)
	default:
		return s.leave(r, &sub, compose.PreferencesPurpose, do)
	}
}

// preferencesPage shows what is stored or, where form is not nil, what was posted and could not be saved.
func (s *site) preferencesPage(r *http.Request, sub *subscribers.Subscription, form url.Values, sure bool) (page templates.PreferencesPage, err error) {
	c := sub.Contact
	page = templates.PreferencesPage{Address: subscribers.Mask(c.Email), TimeZone: c.TimeZone, Hour: c.DeliveryHour}
	chosen := []string(c.Languages)
	if form != nil {
		chosen, page.TimeZone, page.Hour, page.NewAddress = tags(form["language"]), form.Get("time_zone"), form.Get("hour"), form.Get("address")
	}
	if page.Languages, err = s.languages(r, chosen); err != nil {
		return page, err
	}
	page.TimeZones = with(subscribers.TimeZones(), page.TimeZone)
	page.Hours = with(fullHours(), page.Hour)
	subs, err := subscribers.SubscriptionsOf(r.Context(), s.DB, c.ID)
	if err != nil {
		return page, err
	}
	for i := range subs {
		one, err := s.subscriptionForm(r, &subs[i], form)
		if err != nil {
			return page, err
		}
		page.BadDay = page.BadDay || one.BadDay
		page.Subscriptions = append(page.Subscriptions, one)
	}
	version, err := subscribers.Version(r.Context(), s.DB, c.ID)
	page.Nonce = s.sign(nonce{page: compose.PreferencesPurpose, id: sub.ID, version: version, at: s.Clock.Now(), sure: sure})
	return page, err
}

// with returns choices among which value is, if it is one.
func with(choices []string, value string) []string {
	if value == "" || slices.Contains(choices, value) {
		return choices
	}
	all := append(slices.Clone(choices), value)
	slices.Sort(all)
	return all
}

func fullHours() (hours []string) {
	for h := range 24 {
		hours = append(hours, fmt.Sprintf("%02d:00", h))
	}
	return hours
}

// subscriptionForm shows one subscription as it is stored or, where form is not nil, as it was posted.
func (s *site) subscriptionForm(r *http.Request, sub *subscribers.Subscription, form url.Values) (f templates.SubscriptionForm, err error) {
	id := strconv.FormatInt(sub.ID, 10)
	f = templates.SubscriptionForm{
		ID: id, ListName: sub.List.NameIn(s.language(r)), State: string(sub.State), CatchUp: sub.CatchUp, Chosen: templates.DoStay, PauseFor: templates.Fortnight,
		Rhythm: templates.RhythmChoice{Field: "rhythm-" + id, Offered: sub.List.Rhythms, Chosen: sub.Rhythm},
	}
	if sub.PausedUntil != nil {
		f.Until = sub.PausedUntil.In(zoneOf(sub))
	}
	topics := []string(sub.Topics)
	if form != nil && form.Has("state-"+id) {
		c := choose(form, sub, s.Clock.Now())
		f.Rhythm.Chosen, topics, f.Chosen, f.PauseFor, f.Day, f.CatchUp, f.BadDay = c.rhythm, c.topics, c.do, c.pause, c.day, c.catchUp, c.badDay
	}
	f.Topics, err = s.topics(r, &sub.List, topics)
	return f, err
}

// zoneOf returns the time zone that a subscription's days begin in.
func zoneOf(sub *subscribers.Subscription) *time.Location {
	for _, name := range []string{sub.Contact.TimeZone, sub.List.TimeZone} {
		if zone, err := time.LoadLocation(name); err == nil && name != "" {
			return zone
		}
	}
	return time.UTC
}

// chosen is what a form says of one subscription.
type chosen struct {
	do      string // one of templates.Do…
	rhythm  string
	topics  []string
	pause   string // one of templates.Pauses
	day     string // as it was written
	until   *time.Time
	catchUp bool
	badDay  bool
}

// choose reads what a form says of a subscription.
func choose(form url.Values, sub *subscribers.Subscription, now time.Time) chosen {
	id := strconv.FormatInt(sub.ID, 10)
	c := chosen{
		do: form.Get("state-" + id), rhythm: form.Get("rhythm-" + id), topics: form["topic-"+id], pause: form.Get("pause-" + id),
		day: form.Get("day-" + id), catchUp: form.Get("missed-"+id) != "",
	}
	if c.rhythm == "" {
		c.rhythm = sub.Rhythm
	}
	if !slices.Contains(sub.List.Rhythms, c.rhythm) {
		c.rhythm = sub.List.DefaultRhythm
	}
	if c.do == templates.DoPause {
		c.until, c.badDay = pauseEnd(c.pause, c.day, now.In(zoneOf(sub)))
	}
	return c
}

// longestPause keeps what is surely a slip out of the books.
const longestPause = 10 * 366 * 24 * time.Hour

// pauseEnd returns when a pause ends: at the beginning of a day in now's zone, nil for when they come back. bad reports a day that has come
// already, or none.
func pauseEnd(pause, day string, now time.Time) (until *time.Time, bad bool) {
	y, m, d := now.Date()
	switch pause {
	case templates.Fortnight:
		d += 14
	case templates.Month:
		m++
	case templates.Quarter:
		m += 3
	case templates.UntilDay:
		named, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return nil, true
		}
		y, m, d = named.Date()
	default:
		return nil, false
	}
	end := time.Date(y, m, d, 0, 0, 0, 0, now.Location())
	return &end, !end.After(now) || end.Sub(now) > longestPause
}

// save makes everything be as the form says, or nothing.
func (s *site) save(w http.ResponseWriter, r *http.Request, sub *subscribers.Subscription) (templates.Page, error) {
	form := r.PostForm
	page, err := s.preferencesPage(r, sub, form, false)
	if err != nil {
		return nil, err
	}
	if page.BadDay {
		s.write(w, r, http.StatusBadRequest, page)
		return nil, nil
	}
	again, sure, err := s.carryOut(r, press{
		page: compose.PreferencesPurpose, id: sub.ID, contact: sub.Contact.ID, subscriptions: []int64{sub.ID}, do: templates.DoSave,
		method: subscribers.ByPage, idle: never,
		act: func(tx *sqlx.Tx, e subscribers.Evidence) error { return s.saveForm(r, tx, sub.Contact.ID, form, e) },
	})
	if err != nil || again != nil {
		return again, err
	}
	s.Log.InfoContext(r.Context(), "preferences saved", slog.Any("subscription", sub.ID))
	saved, err := subscribers.SubscriptionByID(r.Context(), s.DB, sub.ID)
	if err != nil {
		return nil, err
	}
	page, err = s.preferencesPage(r, &saved, nil, sure)
	page.Saved, page.Mailed = true, wantsMore(form)
	return page, err
}

// wantsMore reports whether a form asks for a subscription that is not active.
func wantsMore(form url.Values) bool {
	for name, values := range form {
		if strings.HasPrefix(name, "state-") && (slices.Contains(values, templates.DoReturn) || slices.Contains(values, templates.DoConfirm)) {
			return true
		}
	}
	return false
}

func (s *site) saveForm(r *http.Request, tx *sqlx.Tx, contact int64, form url.Values, e subscribers.Evidence) error {
	err := subscribers.SetPreferences(r.Context(), tx, contact, subscribers.Preferences{
		Languages: tags(form["language"]), TimeZone: form.Get("time_zone"), DeliveryHour: form.Get("hour"),
	})
	if err != nil {
		return err
	}
	subs, err := subscribers.SubscriptionsOf(r.Context(), tx, contact)
	if err != nil {
		return err
	}
	for i := range subs {
		sub := &subs[i]
		if !form.Has("state-" + strconv.FormatInt(sub.ID, 10)) {
			continue // it was not on the page
		}
		c := choose(form, sub, e.At)
		if err := subscribers.SetDelivery(r.Context(), tx, sub.ID, c.rhythm, c.topics); err != nil {
			return err
		}
		if err := s.saveState(r, tx, sub, c, e); err != nil {
			return err
		}
	}
	return nil
}

// saveState makes of a subscription what was chosen. What is recorded are the words beside that choice.
func (s *site) saveState(r *http.Request, tx *sqlx.Tx, sub *subscribers.Subscription, c chosen, e subscribers.Evidence) (err error) {
	ctx, tag := r.Context(), s.language(r)
	paused := sub.State == subscribers.Paused
	if c.do == templates.DoStay {
		if paused && c.catchUp != sub.CatchUp {
			return subscribers.Pause(ctx, tx, sub.ID, sub.PausedUntil, c.catchUp, e)
		}
		return nil
	}
	if c.do == templates.DoPause {
		e.Statement, err = s.Templates.PauseWords(tag, c.pause)
	} else {
		e.Statement, err = s.Templates.Words(tag, c.do, sub.List.NameIn(tag))
	}
	if err != nil {
		return errs.New(errs.Invalid, "subscription %d: %w", sub.ID, err)
	}
	switch c.do {
	case templates.DoPause:
		return subscribers.Pause(ctx, tx, sub.ID, c.until, c.catchUp, e)
	case templates.DoBack:
		return subscribers.Resume(ctx, tx, sub.ID, c.catchUp, e)
	case templates.DoLeave:
		return subscribers.Unsubscribe(ctx, tx, sub.ID, e)
	case templates.DoReturn, templates.DoConfirm: // see leaving.returns
		if err := subscribers.CheckOpen(ctx, tx, sub.ID); err != nil {
			return err
		}
		return s.askPerson(ctx, tx, sub.ID)
	}
	return errs.New(errs.Invalid, "subscription %d cannot become %q", sub.ID, c.do)
}

// askForAddress has a mail sent to the contact's present address, which asks whether their mail shall go to a new one. The answer is the same whatever
// is known about that one.
func (s *site) askForAddress(w http.ResponseWriter, r *http.Request, sub *subscribers.Subscription) (templates.Page, error) {
	to, err := subscribers.ParseAddress(strings.TrimSpace(r.PostFormValue("address")))
	if err != nil {
		page, err := s.preferencesPage(r, sub, nil, false)
		if err != nil {
			return nil, err
		}
		page.BadAddress, page.NewAddress = true, r.PostFormValue("address")
		s.write(w, r, http.StatusBadRequest, page)
		return nil, nil
	}
	again, sure, err := s.carryOut(r, press{
		page: compose.PreferencesPurpose, id: sub.ID, contact: sub.Contact.ID, subscriptions: []int64{sub.ID}, do: templates.DoAsk,
		method: subscribers.ByPage, idle: never,
		act: func(tx *sqlx.Tx, _ subscribers.Evidence) error {
			if to.Key == sub.Contact.EmailKey || s.SendAddressChange == nil {
				return nil
			}
			return s.SendAddressChange(r.Context(), tx, sub.Contact.ID, to.Given)
		},
	})
	if err != nil || again != nil {
		return again, err
	}
	page, err := s.preferencesPage(r, sub, nil, sure)
	page.Asked = true
	return page, err
}
