package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/accounts"
	"silkpost/internal/errs"
	"silkpost/internal/staff"
	"silkpost/mailer/compose"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
	"silkpost/subscribers"
	"silkpost/templates"
	"silkpost/templates/adminpage"
)

// StaffMailsPath is where accounts choose what they are told by mail.
const StaffMailsPath = "/admin/account/mails"

// sendStaff sends a mail to staff that is not settled, and returns when to try again, 0 for never.
func (a *App) sendStaff(ctx context.Context, id uuid.UUID) (again time.Duration, err error) {
	m, err := staff.ByID(ctx, a.DB, id)
	switch {
	case errs.KindOf(err) == errs.NotFound && err != nil || err == nil && !m.Open:
		return 0, nil
	case err != nil:
		return 0, err
	}
	r, err := a.transmitStaff(ctx, &m)
	switch kind := errs.KindOf(err); {
	case err == nil:
	case kind == errs.Gone || kind == errs.NotFound: // it is over, or whom it was for is gone
		return 0, staff.Settle(ctx, a.DB, m, staff.Cancelled, false, 0, reply.OneLine(err.Error()), a.Clock.Now())
	case kind == errs.Invalid || kind == errs.Unavailable: // a setting is missing, or the key to sign with
		r = reply.Reply{Phase: reply.Compose, Text: reply.OneLine(err.Error())}
	case r.Code == 0 && r.Phase != reply.Dot:
		return 0, err
	}
	now := a.Clock.Now()
	outcome, due := a.noticeRetry.Next(r, send.Tried{ID: id, Attempts: m.Attempts, Since: m.MadeAt}, now)
	if outcome != reply.Sent {
		a.Log.WarnContext(ctx, "a mail to staff was not sent", slog.String("account", accounts.Name(m.Account)), slog.Any("state", outcome), slog.Int("code", r.Code),
			slog.Bool("again", !due.IsZero()))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recording)
	defer cancel()
	if err := staff.Settle(ctx, a.DB, m, staff.State(outcome), !due.IsZero(), r.Code, r.Text, now); err != nil || due.IsZero() {
		return 0, err
	}
	return max(due.Sub(now), time.Second), nil
}

// transmitStaff makes a mail's message, of what still is so, and sends it.
func (a *App) transmitStaff(ctx context.Context, m *staff.Mail) (r reply.Reply, err error) {
	if a.relay == nil {
		return r, errs.New(errs.Unavailable, "no SMTP relay is set: set SILKPOST_SMTP_URL")
	}
	to, err := a.Accounts.Get(ctx, m.Account)
	if err != nil {
		return r, err
	}
	if to.State != accounts.Active {
		return r, errs.New(errs.Gone, "the account is %s by now", to.State)
	}
	var news staffNews
	if err := json.Unmarshal(m.Content, &news); err != nil {
		return r, err
	}
	if news.Needs, err = a.stillNeeded(ctx, &to, news.Needs); err != nil {
		return r, err
	}
	if len(news.Needs) == 0 && news.Report == nil {
		return r, errs.New(errs.Gone, "nobody needs to be told any more")
	}
	list, err := a.accountsSender(ctx)
	if err != nil {
		return r, err
	}
	message, from, err := a.staffMessage(ctx, m, &to, list, &news)
	if err != nil {
		return r, err
	}
	return a.mail(ctx, send.NewParcel(from, to.Email, message), nil)
}

// stillNeeded leaves out what was done meanwhile, and what the account may not decide any more.
func (a *App) stillNeeded(ctx context.Context, to *accounts.Account, told []Need) (left []Need, err error) {
	if len(told) == 0 {
		return nil, nil
	}
	now, err := a.Needs(ctx)
	for i := range told {
		is := slices.ContainsFunc(now, func(n Need) bool { return n.Happening == told[i].Happening })
		if is && told[i].DecidedBy(actorOf(to)) {
			left = append(left, told[i])
		}
	}
	return left, err
}

// staffMessage makes the message and says whom it is from.
func (a *App) staffMessage(ctx context.Context, m *staff.Mail, to *accounts.Account, list subscribers.List, news *staffNews) (message []byte, from string, err error) {
	pages, err := adminpage.New()
	if err != nil {
		return nil, "", err
	}
	lang := pages.Language(to.Language)
	head, err := compose.MastheadOf(list, lang)
	if err != nil {
		return nil, "", err
	}
	w := staffWords{Words: pages.Words(lang), zone: actorOf(to).Location(), url: a.PublicURL()}
	if w.lists, err = a.listNamesIn(ctx, lang); err != nil {
		return nil, "", err
	}
	var said templates.WordedNotice
	if news.Report != nil {
		said, err = a.reportWords(ctx, &w, *news.Report)
	} else {
		said = w.needs(news.Needs)
	}
	if err != nil {
		return nil, "", err
	}
	said.Letterhead = templates.Letterhead{ListName: "Silkpost", SenderName: list.Sender.Name, PostalAddress: list.PostalAddress}
	said.Foot, said.FootURL = w.say("mails.foot"), a.PublicURL()+StaffMailsPath
	if w.err != nil {
		return nil, "", w.err
	}
	letter := compose.Notice{Masthead: head, Language: lang}
	if letter.Shown, err = a.Templates.Notice(lang, said); err != nil {
		return nil, "", err
	}
	message, err = letter.For(compose.Recipient{Address: to.Email, Name: strings.TrimSpace(to.Name), Date: m.MadeAt, MessageID: compose.NoticeID(m.ID, head.SenderAddress)})
	if err == nil {
		message, err = a.Composer.Signed(head.SenderAddress, message)
	}
	return message, head.SenderAddress, err
}

// listNamesIn are the names of lists by their ids.
func (a *App) listNamesIn(ctx context.Context, lang string) (map[int64]string, error) {
	lists, err := subscribers.Lists(ctx, a.DB)
	names := make(map[int64]string, len(lists))
	for i := range lists {
		names[lists[i].ID] = lists[i].NameIn(lang)
	}
	return names, err
}

// staffWords says things in the language of the pages, and keeps the first error.
type staffWords struct {
	adminpage.Words
	zone  *time.Location
	url   string
	lists map[int64]string
	err   error
}

func (w *staffWords) keep(said string, err error) string {
	if w.err == nil {
		w.err = err
	}
	return said
}

func (w *staffWords) say(key string, arguments ...string) string {
	return w.keep(w.Say(key, arguments...))
}

func (w *staffWords) plural(key string, n int) string { return w.keep(w.Plural(key, n)) }

// edition names an edition.
func (w *staffWords) edition(list int64, rhythm string, date time.Time) string {
	return w.say("home.edition", "List", w.lists[list], "Rhythm", w.say("home.rhythm."+rhythm), "Date", w.Date(date))
}

// about names what a need is about.
func (w *staffWords) about(n *Need) string {
	if n.Rhythm != "" {
		return w.edition(n.List, n.Rhythm, n.Date)
	}
	return n.Name
}

// title says what a need is, and of what.
func (w *staffWords) title(n *Need) string {
	return w.say("mails.need", "State", w.say("home.need."+string(n.Kind)+".state"), "What", w.about(n))
}

// when says until when something is to be done, or since when it is so.
func (w *staffWords) when(n *Need) string {
	switch {
	case n.Deadline != nil:
		return w.say("home.need.deadline", "When", w.keep(w.Ahead(w.zone, *n.Deadline)))
	case !n.Since.IsZero():
		return w.say("home.need.since", "When", w.keep(w.When(w.zone, n.Since)))
	}
	return ""
}

// needs says what needs somebody: one thing with all that is known of it, or several with a line each.
func (w *staffWords) needs(needs []Need) templates.WordedNotice {
	if len(needs) > 1 {
		said := templates.WordedNotice{Subject: w.plural("mails.needs", len(needs)), Label: w.say("mails.to_home"), URL: w.url + "/admin/"}
		said.Title = said.Subject
		for i := range needs {
			said.About = append(said.About, strings.TrimSpace(w.title(&needs[i])+". "+w.when(&needs[i])))
		}
		return said
	}
	n := &needs[0]
	said := templates.WordedNotice{Subject: w.title(n), Title: w.title(n), Lead: w.say("home.need." + string(n.Kind) + ".help"), Label: w.say("mails.open"), URL: w.url + n.Path()}
	if when := w.when(n); when != "" {
		said.About = append(said.About, when)
	}
	if n.Rhythm != "" {
		said.About = append(said.About, w.plural("home.need.recipients", n.Count))
	}
	if n.Why != "" {
		said.About = append(said.About, w.Said(n.Why))
	}
	return said
}

// reportWords says how an edition went.
func (a *App) reportWords(ctx context.Context, w *staffWords, id uuid.UUID) (said templates.WordedNotice, err error) {
	e, err := edition.ByID(ctx, a.DB, id)
	if err != nil {
		return said, err
	}
	counts, err := ledger.CountOf(ctx, a.DB, id)
	if err != nil {
		return said, err
	}
	said = templates.WordedNotice{
		Subject: w.say("mails.report", "Edition", w.edition(e.ListID, e.Rhythm, e.LocalDate)), Label: w.say("mails.open"), URL: w.url + "/admin/editions/" + id.String(),
	}
	said.Title = said.Subject
	if e.FinishedAt != nil {
		said.Lead = w.say("mails.finished", "When", w.keep(w.When(w.zone, *e.FinishedAt)))
	}
	for _, line := range []struct {
		key string
		n   int
	}{
		{"recipients", counts.Recipients},
		{"sent", counts.Sent},
		{"failed", counts.Failed},
		{"suppressed", counts.Suppressed},
		{"cancelled", counts.Cancelled},
		{"in_doubt", counts.InDoubt},
	} {
		if line.n > 0 || line.key == "sent" {
			said.About = append(said.About, w.plural("mails.count."+line.key, line.n))
		}
	}
	return said, w.err
}
