package web

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/errs"
	"silkpost/mailer/compose"
	"silkpost/subscribers"
	"silkpost/templates"
)

// oneClick is the field that a mail program posts (RFC 8058, 3.2).
const (
	oneClickField = "List-Unsubscribe"
	oneClickValue = "One-Click"
)

// askUnsubscribe shows buttons and changes nothing: mail scanners follow every link.
func (s *site) askUnsubscribe(_ http.ResponseWriter, r *http.Request) (templates.Page, error) {
	sub, err := s.subscription(r, compose.UnsubscribePurpose)
	if err != nil {
		return nil, err
	}
	return s.unsubscribePage(r, &sub, nonce{page: compose.UnsubscribePurpose})
}

// unsubscribePage says how a subscription stands. The address is masked: digests are forwarded. n says on which page that is, and whether
// somebody has pressed there who is a person for sure.
func (s *site) unsubscribePage(r *http.Request, sub *subscribers.Subscription, n nonce) (page templates.UnsubscribePage, err error) {
	page = templates.UnsubscribePage{
		ListName: sub.List.NameIn(s.language(r)), Address: subscribers.Mask(sub.Contact.Email), Done: sub.State == subscribers.Unsubscribed,
	}
	if sub.Contact.ErasedAt != nil {
		return page, nil // nobody can come back
	}
	subs, err := subscribers.SubscriptionsOf(r.Context(), s.DB, sub.Contact.ID)
	if err != nil {
		return page, err
	}
	for _, other := range subs {
		page.Others = page.Others || other.ID != sub.ID && other.State != subscribers.Unsubscribed
	}
	n.id, n.at = sub.ID, s.Clock.Now()
	if n.version, err = subscribers.Version(r.Context(), s.DB, sub.Contact.ID); err != nil {
		return page, err
	}
	page.Nonce, page.PreferencesURL = s.sign(n), s.preferencesPath(sub.ID)
	return page, nil
}

// unsubscribe ends the subscription at once when a mail program asks for it: no cookie, no redirect, nothing further to press. A press on our
// page says with the field "do" what it is for.
func (s *site) unsubscribe(_ http.ResponseWriter, r *http.Request) (templates.Page, error) {
	sub, err := s.subscription(r, compose.UnsubscribePurpose)
	if err != nil {
		return nil, err
	}
	if do := r.PostFormValue("do"); do != "" {
		return s.leave(r, &sub, compose.UnsubscribePurpose, do)
	}
	if r.PostFormValue(oneClickField) != oneClickValue {
		return nil, errs.New(errs.Invalid, "the form lacks %s=%s", oneClickField, oneClickValue)
	}
	e, err := s.evidence(r, subscribers.ByOneClick, templates.DoLeave, "")
	if err != nil {
		return nil, err
	}
	e.Statement = oneClickField + "=" + oneClickValue
	if err := subscribers.Unsubscribe(r.Context(), s.DB, sub.ID, e); err != nil {
		return nil, err
	}
	s.Log.InfoContext(r.Context(), "unsubscribed", slog.Any("subscription", sub.ID), slog.Any("method", e.Method))
	sub.State = subscribers.Unsubscribed
	return s.unsubscribePage(r, &sub, nonce{page: compose.UnsubscribePurpose})
}

// leave does what the buttons are for by which a person leaves and comes back. page is the purpose of the link to the page that they are on.
func (s *site) leave(r *http.Request, sub *subscribers.Subscription, page, do string) (templates.Page, error) {
	l := leaving{site: s, r: r, sub: sub, do: do}
	steps := map[string]press{
		templates.DoLeave:    {idle: l.hasLeft, act: l.leaves},
		templates.DoLeaveAll: {idle: l.hasLeft, act: l.leaves},
		templates.DoUndo:     {idle: never, act: l.undoes},
		templates.DoReturn:   {idle: l.isBack, act: l.returns},
	}
	p, known := steps[do]
	if !known {
		return nil, errs.New(errs.Invalid, "a press on no button of the page")
	}
	p.page, p.id, p.contact, p.subscriptions = page, sub.ID, sub.Contact.ID, []int64{sub.ID}
	p.do, p.list, p.method = do, sub.List.NameIn(s.language(r)), subscribers.ByPage
	again, sure, err := s.carryOut(r, p)
	if err != nil || again != nil {
		return again, err
	}
	return l.page(nonce{page: page, sure: sure})
}

// leaving is a press by which a person leaves or comes back.
type leaving struct {
	*site
	r     *http.Request
	sub   *subscribers.Subscription
	do    string
	ended []subscribers.Ended

	undone, mailed bool
}

// open returns the subscriptions that the press is about and that have not ended.
func (l *leaving) open(tx *sqlx.Tx) (ids []int64, err error) {
	subs, err := subscribers.SubscriptionsOf(l.r.Context(), tx, l.sub.Contact.ID)
	for _, one := range subs {
		if one.State != subscribers.Unsubscribed && (l.do == templates.DoLeaveAll || one.ID == l.sub.ID) {
			ids = append(ids, one.ID)
		}
	}
	return ids, err
}

func (l *leaving) hasLeft(tx *sqlx.Tx) (bool, error) {
	ids, err := l.open(tx)
	return err == nil && len(ids) == 0, err
}

func (l *leaving) leaves(tx *sqlx.Tx, e subscribers.Evidence) error {
	ids, err := l.open(tx)
	if err != nil {
		return err
	}
	l.ended, err = subscribers.Leave(l.r.Context(), tx, ids, e)
	return err
}

// undoPurpose is that of what the page after leaving keeps to take it back. It is gone with the page.
const undoPurpose = "undo"

func (l *leaving) undoes(tx *sqlx.Tx, e subscribers.Evidence) error {
	id, words, err := l.Keys.OpenWith(undoPurpose, l.r.PostFormValue("undo"))
	if err == nil && id != l.sub.ID {
		err = errs.New(errs.NotFound, "what was ended here was another subscription")
	}
	if err != nil {
		return err
	}
	var kept undo
	if err := json.Unmarshal([]byte(words), &kept); err != nil {
		return err
	}
	version, err := subscribers.Version(l.r.Context(), tx, l.sub.Contact.ID)
	if l.undone = version == kept.Version && e.At.Sub(time.Unix(kept.At, 0)) <= undoLife; err != nil || !l.undone {
		return err
	}
	return subscribers.Restore(l.r.Context(), tx, kept.Ended, e)
}

// undoLife is for how long leaving can be taken back.
const undoLife = time.Hour

// undo is what the page after leaving keeps to take that back, as long as nothing else has happened since: whoever has left once more, or by a mail
// program, has said so.
type undo struct {
	Version int64 // see subscribers.Version
	At      int64 // Unix
	Ended   []subscribers.Ended
}

func (l *leaving) isBack(tx *sqlx.Tx) (bool, error) {
	awaits, err := subscribers.AwaitsPerson(l.r.Context(), tx, l.sub.ID)
	return err == nil && !awaits, err
}

// returns asks the person by mail, as the form does: the link to this page may have been forwarded with a digest, and only they lift their no.
func (l *leaving) returns(tx *sqlx.Tx, _ subscribers.Evidence) error {
	l.mailed = true
	return l.askPerson(l.r.Context(), tx, l.sub.ID)
}

// askPerson sends the mail that asks whether a subscription shall begin.
func (s *site) askPerson(ctx context.Context, tx *sqlx.Tx, subscription int64) error {
	if s.SendConfirmation == nil {
		return nil
	}
	return s.SendConfirmation(ctx, tx, subscription)
}

// page says what became of a press.
func (l *leaving) page(n nonce) (templates.Page, error) {
	l.Log.InfoContext(l.r.Context(), "left or came back", slog.Any("subscription", l.sub.ID), slog.String("do", l.do))
	if l.do == templates.DoReturn && !l.mailed {
		return l.confirmed(l.r, l.sub, nil), nil // they are there
	}
	now, err := subscribers.SubscriptionByID(l.r.Context(), l.DB, l.sub.ID)
	if err != nil {
		return nil, err
	}
	page, err := l.unsubscribePage(l.r, &now, n)
	if err != nil {
		return nil, err
	}
	page.Undone, page.All, page.Mailed = l.undone, l.do == templates.DoLeaveAll, l.mailed
	if len(l.ended) > 0 {
		kept, err := l.keep()
		if err != nil {
			return nil, err
		}
		page.Undo = l.Keys.SignWith(undoPurpose, l.sub.ID, string(kept))
	}
	return page, nil
}

// keep returns what takes the press back.
func (l *leaving) keep() ([]byte, error) {
	version, err := subscribers.Version(l.r.Context(), l.DB, l.sub.Contact.ID)
	if err != nil {
		return nil, err
	}
	return json.Marshal(undo{Version: version, At: l.Clock.Now().Unix(), Ended: l.ended})
}
