package app

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/accounts"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/jobs"
	"silkpost/mailer/compose"
	"silkpost/mailer/edition"
	"silkpost/mailer/notice"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
	"silkpost/subscribers"
	"silkpost/templates"
	"silkpost/templates/adminpage"
)

// LinkPath is where links that work once lead, with what stands in them after it.
const LinkPath = "/admin/link/"

// LinkURL returns a link for what stands in it.
func (a *App) LinkURL(secret string) string { return a.PublicURL() + LinkPath + secret }

// Invite makes an account and queues the mail with its link. errs.Conflict when the address has one already; errs.Unavailable when no mail can be sent
// yet.
func (a *App) Invite(ctx context.Context, invited accounts.Account) (id int64, err error) {
	if _, err := a.accountsSender(ctx); err != nil {
		return 0, err
	}
	if _, err := subscribers.ParseAddress(invited.Email); err != nil {
		return 0, errs.New(errs.Invalid, "address %q: %w", invited.Email, err)
	}
	if id, err = a.Accounts.Create(ctx, invited); err != nil {
		return 0, err
	}
	return id, a.SendLink(ctx, id)
}

// SendLink queues a mail to an account with a new link to choose a password with. errs.Unavailable when no mail can be sent yet.
func (a *App) SendLink(ctx context.Context, account int64) error {
	if _, err := a.accountsSender(ctx); err != nil {
		return err
	}
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		id, err := a.Accounts.MakeMail(ctx, tx, account)
		if err != nil {
			return err
		}
		return a.queue.Insert(ctx, tx, jobs.SendLink{ID: id})
	})
}

// InvitationStates returns what became of the mails to accounts that nobody has used yet, by account.
func (a *App) InvitationStates(ctx context.Context) (map[int64]string, error) {
	return a.Accounts.MailStates(ctx)
}

// accountsSender returns the list in whose name accounts are written to: the first that has a sender.
func (a *App) accountsSender(ctx context.Context) (subscribers.List, error) {
	lists, err := subscribers.Lists(ctx, a.DB)
	if err != nil {
		return subscribers.List{}, err
	}
	for _, list := range lists {
		if edition.MayBeSent(list) == nil {
			return list, nil
		}
	}
	return subscribers.List{}, errs.New(errs.Unavailable, "no list has a sender and a postal address yet, so no mail can be sent: set them first, or use silkpost admin create")
}

// sendLink sends a mail with a link that is not settled, and returns when to try again, 0 for never. Each attempt makes the link anew, as it stands
// nowhere: of two mails that arrive, the link of the later one works.
func (a *App) sendLink(ctx context.Context, id uuid.UUID) (again time.Duration, err error) {
	m, account, err := a.Accounts.MailByID(ctx, id)
	switch {
	case errs.KindOf(err) == errs.NotFound || err == nil && !m.Open:
		return 0, nil
	case err != nil:
		return 0, err
	}
	r, err := a.transmitLink(ctx, m, account)
	switch kind := errs.KindOf(err); {
	case kind == errs.Conflict:
		return 0, a.Accounts.SettleMail(ctx, id, string(notice.Cancelled), false, 0, reply.OneLine(err.Error()))
	case kind == errs.Invalid || kind == errs.Unavailable:
		r = reply.Reply{Phase: reply.Compose, Text: reply.OneLine(err.Error())}
	case err != nil && r.Code == 0 && r.Phase != reply.Dot:
		return 0, err
	}
	now := a.Clock.Now()
	outcome, due := a.noticeRetry.Next(r, send.Tried{ID: id, Attempts: m.Attempts, Since: m.MadeAt}, now)
	if string(outcome) != string(notice.Sent) {
		a.Log.WarnContext(ctx, "a mail with a link was not sent", slog.String("account", accounts.Name(account.ID)), slog.Any("state", outcome), slog.Int("code", r.Code))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recording)
	defer cancel()
	if err := a.Accounts.SettleMail(ctx, id, string(outcome), !due.IsZero(), r.Code, r.Text); err != nil || due.IsZero() {
		return 0, err
	}
	return max(due.Sub(now), time.Second), nil
}

// transmitLink makes the link and the message, and sends it.
func (a *App) transmitLink(ctx context.Context, m accounts.Mail, account accounts.Account) (r reply.Reply, err error) {
	if a.relay == nil {
		return r, errs.New(errs.Unavailable, "no SMTP relay is set: set SILKPOST_SMTP_URL")
	}
	list, err := a.accountsSender(ctx)
	if err != nil {
		return r, err
	}
	secret, err := a.Accounts.MakeLink(ctx, account.ID, accounts.ToSetPassword, accounts.InvitationFor)
	if err != nil {
		return r, err
	}
	message, from, err := a.linkMessage(m, account, list, a.LinkURL(secret))
	if err != nil {
		return r, err
	}
	return a.mail(ctx, send.NewParcel(from, account.Email, message), nil)
}

// linkMessage makes the message and says whom it is from.
func (a *App) linkMessage(m accounts.Mail, account accounts.Account, list subscribers.List, url string) (message []byte, from string, err error) {
	pages, err := adminpage.New()
	if err != nil {
		return nil, "", err
	}
	lang := pages.Language(account.Language)
	head, err := compose.MastheadOf(list, lang)
	if err != nil {
		return nil, "", err
	}
	kind := "anew"
	if account.State == accounts.Invited {
		kind = "invited"
	}
	said := map[string]string{}
	for _, key := range []string{kind, kind + "_lead", kind + "_about", "button", "days", "ignore"} {
		if said[key], err = pages.Say(lang, "session.mail."+key, "Sender", cmp.Or(list.Sender.Name, head.SenderAddress)); err != nil {
			return nil, "", err
		}
	}
	shown, err := a.Templates.Notice(lang, templates.WordedNotice{
		Letterhead: templates.Letterhead{ListName: "Silkpost", SenderName: list.Sender.Name, PostalAddress: list.PostalAddress},
		Subject:    said[kind], Title: said[kind], Lead: said[kind+"_lead"], Address: account.Email, About: []string{said[kind+"_about"]},
		Label: said["button"], URL: url, Besides: []string{said["days"], said["ignore"]},
	})
	if err != nil {
		return nil, "", err
	}
	letter := compose.Notice{Masthead: head, Language: lang, Shown: shown}
	message, err = letter.For(compose.Recipient{Address: account.Email, Name: strings.TrimSpace(account.Name), Date: m.MadeAt, MessageID: compose.NoticeID(m.ID, head.SenderAddress)})
	if err == nil {
		message, err = a.Composer.Signed(head.SenderAddress, message)
	}
	return message, head.SenderAddress, err
}
