package app

import (
	"cmp"
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/compose"
	"silkpost/mailer/edition"
	"silkpost/mailer/notice"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
	"silkpost/subscribers"
	"silkpost/templates"
)

// transmit makes a notice's message and sends it, unless check says no right before.
func (a *App) transmit(ctx context.Context, n *notice.Notice, check func(context.Context) error) (reply.Reply, error) {
	sub, err := subscribers.SubscriptionByID(ctx, a.DB, n.SubscriptionID)
	if err != nil {
		return reply.Reply{}, err
	}
	parcel, err := a.noticeParcel(ctx, n, &sub)
	if err != nil {
		return reply.Reply{}, err
	}
	return a.mail(ctx, parcel, check)
}

// noticeParcel makes the message of a notice.
func (a *App) noticeParcel(ctx context.Context, n *notice.Notice, sub *subscribers.Subscription) (p send.Parcel, err error) {
	if p.To, err = subscribers.Envelope(n.To(&sub.Contact)); err != nil {
		return p, err
	}
	words := a.Templates.Language(sub.Contact.Languages, sub.List.FallbackLanguage)
	head, err := compose.MastheadOf(sub.List, words)
	if err != nil {
		return p, err
	}
	if p.From = head.SenderAddress; a.Composer.ReturnPath != nil {
		p.From = a.addresses().NoticePath(n.ID, n.To(&sub.Contact))
	}
	to := compose.Recipient{Address: p.To, Date: n.MadeAt, MessageID: compose.NoticeID(n.ID, head.SenderAddress)}
	message, err := a.noticeMessage(ctx, n, sub, head, words, to)
	if err == nil {
		message, err = a.Composer.Signed(head.SenderAddress, message)
	}
	p = send.NewParcel(p.From, p.To, message)
	p.Sender = head.SenderAddress
	return p, err
}

// noticeMessage makes it, unsigned. words is the language of the product's.
func (a *App) noticeMessage(
	ctx context.Context, n *notice.Notice, sub *subscribers.Subscription, head compose.Masthead, words string, to compose.Recipient,
) ([]byte, error) {
	if n.Kind == notice.LastEdition {
		return a.lastEdition(ctx, n, sub, to)
	}
	said, err := a.noticeWords(ctx, n, sub, words)
	if err != nil {
		return nil, err
	}
	letter := compose.Notice{Masthead: head, Language: words}
	if letter.Shown, err = a.Templates.Notice(words, said); err != nil {
		return nil, err
	}
	switch n.Kind {
	case notice.Known, notice.Welcome:
		to.Name, to.UnsubscribeURL = sub.Contact.Name, a.Composer.UnsubscribeURL(sub.ID)
		to.UnsubscribeMail = a.Composer.UnsubscribeMailto(sub.ID)
	case notice.OldAddress:
		to.Name = sub.Contact.Name
	case notice.Confirmation, notice.NewAddress, notice.LastEdition: // what a stranger wrote into a form is not carried to anybody
	}
	return letter.For(to)
}

// noticeWords says what a notice says.
func (a *App) noticeWords(ctx context.Context, n *notice.Notice, sub *subscribers.Subscription, words string) (templates.Notice, error) {
	list := &sub.List
	head := templates.Letterhead{ListName: list.NameIn(words), SenderName: list.Sender.Name, PostalAddress: list.PostalAddress}
	to := n.To(&sub.Contact)
	switch n.Kind {
	case notice.Confirmation:
		lists, err := a.confirmedWith(ctx, sub, words)
		return templates.ConfirmationNotice{Letterhead: head, Address: to, Lists: lists, ConfirmURL: a.Composer.ConfirmURL(sub.ID)}, err
	case notice.Known:
		known := templates.KnownNotice{
			Letterhead: head, Address: to, Rhythm: sub.Rhythm, Paused: sub.State == subscribers.Paused,
			PreferencesURL: a.Composer.PreferencesURL(sub.ID), UnsubscribeURL: a.Composer.UnsubscribeURL(sub.ID),
		}
		if sub.PausedUntil != nil {
			zone, err := time.LoadLocation(zoneOf(sub))
			if err != nil {
				return nil, errs.New(errs.Invalid, "subscription %d: %w", sub.ID, err)
			}
			known.PausedUntil = sub.PausedUntil.In(zone)
		}
		return known, nil
	case notice.NewAddress:
		return templates.NewAddressNotice{
			Letterhead: head, Address: to, OldAddress: subscribers.Mask(n.OldAddress), ConfirmURL: a.Composer.ChangeURL(&sub.Contact, n.NewAddress),
		}, nil
	case notice.OldAddress:
		return templates.OldAddressNotice{
			Letterhead: head, NewAddress: subscribers.Mask(n.NewAddress), ReleaseURL: a.Composer.ReleaseURL(&sub.Contact, n.NewAddress),
		}, nil
	case notice.Welcome, notice.LastEdition:
	}
	return a.welcomeWords(n, sub, head)
}

func (a *App) welcomeWords(n *notice.Notice, sub *subscribers.Subscription, head templates.Letterhead) (_ templates.Notice, err error) {
	welcome := templates.WelcomeNotice{
		Letterhead: head, Address: sub.Contact.Email, Rhythm: sub.Rhythm, LastEdition: n.EditionID.Valid,
		PreferencesURL: a.Composer.PreferencesURL(sub.ID), UnsubscribeURL: a.Composer.UnsubscribeURL(sub.ID),
	}
	welcome.Zone = zoneOf(sub)
	hour := cmp.Or(sub.Contact.DeliveryHour, sub.List.DeliveryHour)
	welcome.CutOff, welcome.Comes, err = edition.Next(sub.List, sub.Rhythm, welcome.Zone, hour, n.MadeAt)
	return welcome, err
}

// zoneOf returns the time zone that a subscription's mail comes by.
func zoneOf(sub *subscribers.Subscription) string {
	return cmp.Or(sub.Contact.TimeZone, sub.List.TimeZone)
}

// confirmedWith returns what a subscription's person confirms by the link to it: with it, what was asked for in the same form.
func (a *App) confirmedWith(ctx context.Context, sub *subscribers.Subscription, words string) (lists []templates.NoticeList, err error) {
	together, err := subscribers.Together(ctx, a.DB, sub.ID)
	if err != nil {
		return nil, err
	}
	for _, id := range together {
		one, err := subscribers.SubscriptionByID(ctx, a.DB, id)
		if err != nil {
			return nil, err
		}
		lists = append(lists, templates.NoticeList{Name: one.List.NameIn(words), Rhythm: one.Rhythm})
	}
	return lists, nil
}

// lastEdition makes the message of a last edition: a digest like any other.
func (a *App) lastEdition(ctx context.Context, n *notice.Notice, sub *subscribers.Subscription, to compose.Recipient) (message []byte, err error) {
	var contents edition.Contents
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		contents, err = a.Planner.Read(ctx, tx, n.EditionID.UUID, sub.List, sub.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(contents.Articles) == 0 {
		return nil, errs.New(errs.Gone, "the edition holds nothing for this reader")
	}
	shown, err := a.Articles.ByIDs(ctx, a.DB, contents.Articles)
	if err != nil {
		return nil, err
	}
	letter, err := a.Composer.LetterOf(sub.List, contents.LocalDate, contents.Language, shown, contents.Fallbacks)
	if err == nil {
		err = a.Composer.Dress(ctx, a.DB, sub.List, &letter)
	}
	if err != nil {
		return nil, err
	}
	letter.EditionID = n.EditionID.UUID
	to.Name, to.MessageID = sub.Contact.Name, compose.MessageID(letter.EditionID, sub.Contact.ID, 0, letter.SenderAddress)
	to.PreferencesURL, to.UnsubscribeURL = a.Composer.PreferencesURL(sub.ID), a.Composer.UnsubscribeURL(sub.ID)
	to.UnsubscribeMail = a.Composer.UnsubscribeMailto(sub.ID)
	return a.sample(letter, to)
}
