package admin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/config"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

func (s *site) settingsRoutes() []route {
	routes := []route{
		{pattern: "GET /admin/settings", do: s.settings},
		{pattern: "POST /admin/settings/relay/test", do: s.testRelay},
		{pattern: "GET /admin/settings/domains", do: s.domains},
		{pattern: "POST /admin/settings/domains/examine", do: s.examine},
		{pattern: "POST /admin/settings/keys/make", do: s.makeSigningKey},
		{pattern: "POST /admin/settings/keys/check", do: s.checkKey},
		{pattern: "POST /admin/settings/keys/use", do: s.useKey, proved: true},
		{pattern: "POST /admin/settings/keys/retire", do: s.retireKey, proved: true},
		{pattern: "POST /admin/settings/keys/remove", do: s.removeKey, proved: true},
		{pattern: "POST /admin/settings/keys/reseal", do: s.resealKeys, proved: true},
		{pattern: "GET /admin/settings/bounces", do: s.bounces},
		{pattern: "POST /admin/settings/bounces/test", do: s.testBounces},
		{pattern: "GET /admin/settings/limits", do: s.limits},
		{pattern: "GET /admin/settings/limits/new", do: s.newLimit},
		{pattern: "POST /admin/settings/limits/new", do: s.makeLimit},
		{pattern: "GET /admin/settings/limits/{name}", do: s.editLimit},
		{pattern: "POST /admin/settings/limits/{name}", do: s.changeLimit},
		{pattern: "POST /admin/settings/limits/{name}/remove", do: s.removeLimit},
		{pattern: "GET /admin/settings/languages", do: s.languages},
		{pattern: "GET /admin/settings/program", do: s.program},
	}
	for i := range routes { // all of them are about the whole house
		routes[i].needs, routes[i].whole = accounts.Administer, true
	}
	return routes
}

func (s *site) settings(v *visit) (adminpage.Page, error) { return s.sending(v, adminpage.Settings{}) }

// sending fills in what the page about sending always shows.
func (s *site) sending(v *visit, page adminpage.Settings) (adminpage.Page, error) {
	lists, err := subscribers.Lists(v.Context(), s.App.DB)
	if err != nil {
		return nil, err
	}
	for i := range lists {
		l := &lists[i]
		page.Senders = append(page.Senders, adminpage.SenderLine{
			Slug: l.Slug, Name: l.NameIn(s.tongue(v)), Sender: l.Sender.Name, Address: l.Sender.Address, ReplyTo: l.Sender.ReplyTo,
		})
	}
	for _, r := range s.App.RelaySettings() {
		page.Relays = append(page.Relays, adminpage.RelayLine{Setting: r.Setting, Address: r.Address, TLS: string(r.TLS), User: r.User, Password: r.Password})
	}
	return page, nil
}

// patience is for how long a page waits for servers of others.
const patience = 25 * time.Second

func (s *site) testRelay(v *visit) (adminpage.Page, error) {
	ctx, cancel := context.WithTimeout(v.Context(), patience)
	defer cancel()
	trial, err := s.App.TryRelay(ctx, v.PostFormValue("list"), v.PostFormValue("to"))
	page := adminpage.Settings{Fields: v.fields()}
	if kind := errs.KindOf(err); err != nil && (kind == errs.Invalid || kind == errs.NotFound || kind == errs.Unavailable) {
		page.Mistakes = adminpage.Mistakes{"": err.Error()}
		if kind == errs.Invalid {
			page.Mistakes = adminpage.Mistakes{"to": err.Error()}
		}
		shown, err := s.sending(v, page)
		if err != nil {
			return nil, err
		}
		return v.again(shown)
	}
	if err != nil {
		return nil, err
	}
	page.Trial = relayTrial(&trial)
	return s.sending(v, page)
}

func relayTrial(t *app.RelayTrial) *adminpage.RelayTrial {
	return &adminpage.RelayTrial{
		From: t.From, To: t.To, Outcome: string(t.Reply.Outcome()), Phase: string(t.Reply.Phase), Code: t.Reply.Code, Reply: t.Reply.Text, TLS: t.Facts.Version,
		LoggedIn: t.Facts.LoggedIn, Signed: t.Signed,
	}
}

func (s *site) bounces(v *visit) (adminpage.Page, error) {
	return s.bounceChannel(v, adminpage.SettingsBounces{})
}

func (s *site) bounceChannel(v *visit, page adminpage.SettingsBounces) (adminpage.Page, error) {
	status, err := s.App.Bounces(v.Context())
	if err != nil {
		return nil, err
	}
	c := &s.App.Config
	page.Domain, page.Listen, page.Mailbox, page.TLS, page.Inbox = c.BounceDomain, c.BounceListen, c.BounceIMAPURL != "", c.BounceTLSCert != "", status.Inbox
	if status.Channel != nil {
		page.TestedAt, page.ReadAt, page.Failure = status.Channel.TestedAt, status.Channel.ReadAt, status.Channel.Failure
	}
	return page, nil
}

// bouncePatience is for how long a page waits for a test to come back.
const bouncePatience = 20 * time.Second

func (s *site) testBounces(v *visit) (adminpage.Page, error) {
	ctx, cancel := context.WithTimeout(v.Context(), bouncePatience)
	defer cancel()
	page := adminpage.SettingsBounces{Told: "came"}
	err := s.App.TryBounces(ctx)
	kind := errs.KindOf(err)
	switch {
	case err == nil:
	case errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
		page.Told = "not_yet"
	case kind == errs.Invalid || kind == errs.Unavailable:
		page.Told, page.Detail = "refused", err.Error()
	default:
		return nil, err
	}
	return s.bounceChannel(v, page)
}

func (s *site) languages(v *visit) (adminpage.Page, error) {
	lists, err := subscribers.Lists(v.Context(), s.App.DB)
	page := adminpage.SettingsLanguages{Tags: s.App.Templates.Tags()}
	for i := range lists {
		page.Lists = append(page.Lists, adminpage.ListLanguage{Slug: lists[i].Slug, Name: lists[i].NameIn(s.tongue(v)), Fallback: lists[i].FallbackLanguage})
	}
	return page, err
}

func (s *site) program(v *visit) (adminpage.Page, error) {
	floor, err := s.App.Floor(v.Context())
	if err != nil {
		return nil, err
	}
	page := adminpage.SettingsProgram{Months: s.App.Config.RetentionMonths, RoseAt: floor.Rose}
	if floor.Month != nil {
		page.Floor = *floor.Month
	}
	shown := s.App.Config.Shown()
	for _, name := range config.Names() {
		page.Settings = append(page.Settings, adminpage.ProgramSetting{Name: name, Variable: "SILKPOST_" + strings.ToUpper(name), Value: shown[name]})
	}
	slices.SortStableFunc(page.Settings, func(a, b adminpage.ProgramSetting) int { return strings.Compare(a.Name, b.Name) })
	return page, nil
}
