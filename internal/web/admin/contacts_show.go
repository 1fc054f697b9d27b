package admin

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

// deliveriesShown is how many deliveries the page of a contact shows unless all are asked for.
const deliveriesShown = 50

func (s *site) contact(v *visit) (adminpage.Page, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	return s.story(v, id, nil, nil)
}

// story is the page of a contact, as far as the visitor may see it. With mistakes, fields are what they put into a form.
func (s *site) story(v *visit, id int64, fields adminpage.Fields, mistakes adminpage.Mistakes) (adminpage.Page, error) {
	file, err := s.App.ContactFileOf(v.Context(), id)
	if err != nil {
		return nil, err
	}
	lists, err := subscribers.Lists(v.Context(), s.App.DB)
	if err != nil {
		return nil, err
	}
	offers := map[string]*subscribers.List{}
	for i := range lists {
		offers[lists[i].Slug] = &lists[i]
	}
	seen := func(slug string) bool {
		l := offers[slug]
		return v.actor.Lists == nil || l != nil && slices.Contains(v.actor.Lists, l.ID)
	}
	page := contactFacts(file)
	page.Fields, page.Mistakes, page.Rhythms = fields, mistakes, subscribers.Rhythms
	page.Whole = !slices.ContainsFunc(file.Subscriptions, func(sub subscribers.SubscriptionRecord) bool { return !seen(sub.List) })
	if v.actor.Lists != nil && !slices.ContainsFunc(file.Subscriptions, func(sub subscribers.SubscriptionRecord) bool { return seen(sub.List) }) {
		return nil, errs.New(errs.NotFound, "no contact %d", id)
	}
	for _, sub := range file.Subscriptions {
		if seen(sub.List) {
			page.Subscriptions = append(page.Subscriptions, contactSubscription(v, sub, offers[sub.List], file.Consents))
		}
	}
	page.Consents = contactConsents(file.Consents, seen)
	s.contactDeliveries(v, &page, file.Deliveries, seen)
	page.Notices = contactNotices(file.Notices, seen)
	page.Lists = s.listOptions(v, joinable(lists, file, seen), fields.Get("list"))
	return page, nil
}

// joinable are the lists that a contact can be put on: they have nothing of it yet, or it waits there.
func joinable(lists []subscribers.List, file app.ContactFile, seen func(string) bool) []subscribers.List {
	return slices.DeleteFunc(slices.Clone(lists), func(l subscribers.List) bool {
		return !seen(l.Slug) || slices.ContainsFunc(file.Subscriptions, func(sub subscribers.SubscriptionRecord) bool {
			return sub.List == l.Slug && sub.State != subscribers.Pending
		})
	})
}

func contactFacts(f app.ContactFile) adminpage.Contact {
	page := adminpage.Contact{
		ID: f.ID, Email: f.Email, Name: f.Name, Languages: f.Languages, TimeZone: f.TimeZone, DeliveryHour: f.DeliveryHour, Since: f.CreatedAt,
	}
	for _, o := range f.Organisations {
		page.Organisations = append(page.Organisations, adminpage.ContactOrganisation{ID: o.ID, Name: o.Name, Country: o.Country})
	}
	for _, name := range slices.Sorted(maps.Keys(f.Attributes)) {
		page.Attributes = append(page.Attributes, adminpage.NamedValue{Name: name, Value: f.Attributes[name]})
	}
	for _, x := range f.Suppressions {
		shown := shownSuppression(x)
		page.Suppressions = append(page.Suppressions, shown)
		if x.Lifted == nil {
			page.Barred = append(page.Barred, shown)
		}
	}
	return page
}

func shownSuppression(x subscribers.SuppressionRecord) adminpage.ContactSuppression {
	return adminpage.ContactSuppression{
		Address: x.Address, Reason: key(string(x.Reason)), Origin: x.Origin, At: x.At, Lifted: x.Lifted, ByHand: x.Reason == subscribers.Manual,
	}
}

func contactSubscription(v *visit, sub subscribers.SubscriptionRecord, list *subscribers.List, consents []subscribers.ConsentRecord) adminpage.ContactSubscription {
	shown := adminpage.ContactSubscription{
		List: sub.List, State: string(sub.State), Rhythm: sub.Rhythm, Topics: sub.Topics, Since: sub.CreatedAt, PausedUntil: sub.PausedUntil,
	}
	if list != nil {
		shown.Offered, shown.Public, shown.Mine = list.Rhythms, list.Public, v.may(accounts.People, list.ID)
	}
	for _, g := range consents { // the last one counts
		if g.List == sub.List {
			shown.Resumable = sub.State == subscribers.Paused && g.Method == subscribers.ByAdministrator
		}
	}
	return shown
}

func contactConsents(all []subscribers.ConsentRecord, seen func(string) bool) (shown []adminpage.ContactConsent) {
	for _, g := range slices.Backward(all) {
		if seen(g.List) {
			shown = append(shown, adminpage.ContactConsent{
				At: g.At, List: g.List, State: string(g.State), Method: key(string(g.Method)), By: g.Actor, Statement: g.Statement, Origin: g.Origin, Network: g.Network,
			})
		}
	}
	return shown
}

func (s *site) contactDeliveries(v *visit, page *adminpage.Contact, all []app.Received, seen func(string) bool) {
	all = slices.DeleteFunc(slices.Clone(all), func(d app.Received) bool { return !seen(d.List) })
	if len(all) > deliveriesShown && v.query("deliveries") != "all" {
		page.Earlier = len(all) - deliveriesShown
		all = all[:deliveriesShown]
	}
	for _, d := range all {
		shown := adminpage.ContactDelivery{
			Edition: d.Edition.String(), List: d.List, Rhythm: d.Rhythm, Date: d.Date, State: d.State, NotBefore: d.NotBefore, SettledAt: d.SettledAt,
			MessageID: d.MessageID, Language: d.Language, BouncedAt: d.BouncedAt, Bounce: d.BounceDiagnostic,
			Again: d.State == "sent" || d.State == "failed" || d.State == "in_doubt",
		}
		for _, a := range d.Articles {
			shown.Articles = append(shown.Articles, adminpage.ContactArticle{Title: a.Title, URL: a.URL})
		}
		for _, t := range d.Attempts {
			shown.Tries = append(shown.Tries, adminpage.ContactTry{At: t.At, Outcome: t.Outcome, Phase: t.Phase, Code: t.Code, Reply: t.Reply})
		}
		page.Deliveries = append(page.Deliveries, shown)
	}
}

func contactNotices(all []app.ReceivedNotice, seen func(string) bool) (shown []adminpage.ContactNotice) {
	for _, n := range all {
		if !seen(n.List) {
			continue
		}
		shown = append(shown, adminpage.ContactNotice{
			Notice: key(n.Kind), List: n.List, State: n.State, MadeAt: n.MadeAt, Code: n.Code, Reply: n.Reply, BouncedAt: n.BouncedAt,
			Bounce: strings.TrimSpace(string(n.BounceKind) + " " + n.BounceStatus),
		})
	}
	return shown
}

// exportContact has everything downloaded that is held of a contact: what a person may ask to see.
func (s *site) exportContact(v *visit) (adminpage.Page, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	file, err := s.App.ContactFileOf(v.Context(), id)
	if err != nil {
		return nil, err
	}
	s.download(v, "contact-"+strconv.FormatInt(id, 10)+".json", "application/json; charset=utf-8")
	out := json.NewEncoder(v.w)
	out.SetIndent("", "  ")
	_ = out.Encode(file) // a visitor who went away is no fault
	return nil, nil
}
