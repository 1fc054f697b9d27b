package admin

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
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
	file, err := s.App.ContactFileOf(v.Context(), id, v.actor.Lists)
	if err != nil {
		return nil, err
	}
	t := &teller{site: s, visit: v, file: &file}
	if t.lists, err = subscribers.Lists(v.Context(), s.App.DB); err != nil {
		return nil, err
	}
	var actors []string
	for _, g := range file.Consents {
		actors = append(actors, g.Actor)
	}
	for _, x := range file.Suppressions {
		actor, _ := saidBy(x.Origin)
		actors = append(actors, actor)
	}
	if t.called, err = s.namesOf(v, actors...); err != nil {
		return nil, err
	}
	page := t.facts()
	page.Fields, page.Mistakes, page.Rhythms = fields, mistakes, subscribers.Rhythms
	page.Subscriptions, page.Consents, page.Notices = t.subscriptions(), t.consents(), t.notices()
	page.Deliveries, page.Earlier = t.deliveries()
	page.Lists = s.listOptions(v, t.joinable(), fields.Get("list"))
	return page, nil
}

// teller tells the story of a contact.
type teller struct {
	*site
	visit  *visit
	file   *app.ContactFile
	lists  []subscribers.List
	called names
}

// list returns a list of a slug, and what the visitor calls it.
func (t *teller) list(slug string) (list *subscribers.List, name string) {
	for i := range t.lists {
		if t.lists[i].Slug == slug {
			return &t.lists[i], t.lists[i].NameIn(t.words(t.visit))
		}
	}
	return &subscribers.List{}, slug
}

// joinable are the lists that a contact can be put on: they have nothing of it yet, or it waits there.
func (t *teller) joinable() []subscribers.List {
	return slices.DeleteFunc(slices.Clone(t.lists), func(l subscribers.List) bool {
		return !t.visit.may(accounts.People, l.ID) || slices.ContainsFunc(t.file.Subscriptions, func(sub subscribers.SubscriptionRecord) bool {
			return sub.List == l.Slug && sub.State != subscribers.Pending
		})
	})
}

func (t *teller) facts() adminpage.Contact {
	f := t.file
	page := adminpage.Contact{
		ID: f.ID, Email: f.Email, Name: f.Name, Languages: f.Languages, TimeZone: f.TimeZone, DeliveryHour: f.DeliveryHour, Since: f.CreatedAt,
		Whole: !f.Partly,
	}
	for _, o := range f.Organisations {
		page.Organisations = append(page.Organisations, adminpage.ContactOrganisation{ID: o.ID, Name: o.Name, Country: o.Country})
	}
	for _, name := range slices.Sorted(maps.Keys(f.Attributes)) {
		page.Attributes = append(page.Attributes, adminpage.NamedValue{Name: name, Value: f.Attributes[name]})
	}
	for _, x := range f.Suppressions {
		shown := t.called.suppression(t.visit, x)
		shown.Contact = f.ID
		page.Suppressions = append(page.Suppressions, shown)
		if x.Lifted == nil {
			page.Barred = append(page.Barred, shown)
		}
	}
	return page
}

func (n names) suppression(v *visit, x subscribers.SuppressionRecord) adminpage.ContactSuppression {
	actor, why := saidBy(x.Origin)
	shown := adminpage.ContactSuppression{
		Address: x.Address, Reason: key(string(x.Reason)), Origin: why, At: x.At, Lifted: x.Lifted, ByHand: x.Reason == subscribers.Manual,
	}
	if actor != "" {
		by := n.who(v, actor)
		shown.By = &by
	}
	return shown
}

// saidBy parts the origin of a suppression into who wanted it, if it was an account or a key, and why.
func saidBy(origin string) (actor, why string) {
	actor, why, _ = strings.Cut(origin, ": ")
	if strings.HasPrefix(actor, "account ") || strings.HasPrefix(actor, "key ") {
		return actor, why
	}
	return "", origin
}

func (t *teller) subscriptions() (all []adminpage.ContactSubscription) {
	for _, sub := range t.file.Subscriptions {
		list, name := t.list(sub.List)
		shown := adminpage.ContactSubscription{
			List: sub.List, ListName: name, State: string(sub.State), Rhythm: sub.Rhythm, Topics: sub.Topics, Since: sub.CreatedAt, PausedUntil: sub.PausedUntil,
			Offered: list.Rhythms, Public: list.Public, Mine: t.visit.may(accounts.People, list.ID),
		}
		for _, g := range t.file.Consents { // the last one counts
			if g.List == sub.List {
				shown.Resumable = sub.State == subscribers.Paused && g.Method == subscribers.ByAdministrator
			}
		}
		all = append(all, shown)
	}
	return all
}

func (t *teller) consents() (all []adminpage.ContactConsent) {
	for _, g := range slices.Backward(t.file.Consents) {
		shown := adminpage.ContactConsent{At: g.At, State: string(g.State), Method: key(string(g.Method)), Statement: g.Statement, Origin: g.Origin, Network: g.Network}
		if _, shown.ListName = t.list(g.List); g.Actor != "" {
			by := t.called.who(t.visit, g.Actor)
			shown.By = &by
		}
		all = append(all, shown)
	}
	return all
}

// deliveries returns the latest deliveries, or all if they are asked for, and how many are left out.
func (t *teller) deliveries() (shown []adminpage.ContactDelivery, earlier int) {
	all := t.file.Deliveries
	if len(all) > deliveriesShown && t.visit.query("deliveries") != "all" {
		earlier = len(all) - deliveriesShown
		all = all[:deliveriesShown]
	}
	for i := range all {
		shown = append(shown, t.delivery(&all[i]))
	}
	return shown, earlier
}

func (t *teller) delivery(d *app.Received) adminpage.ContactDelivery {
	shown := adminpage.ContactDelivery{
		Edition: d.Edition.String(), Rhythm: d.Rhythm, State: d.State, NotBefore: d.NotBefore, SettledAt: d.SettledAt,
		MessageID: d.MessageID, Language: d.Language, BouncedAt: d.BouncedAt, Bounce: d.BounceDiagnostic,
		Again: d.State == "sent" || d.State == "failed" || d.State == "in_doubt",
	}
	_, shown.ListName = t.list(d.List)
	shown.Date, _ = time.Parse(time.DateOnly, d.Date)
	for _, a := range d.Articles {
		shown.Articles = append(shown.Articles, adminpage.ContactArticle{Title: a.Title, URL: a.URL})
	}
	for _, try := range d.Attempts {
		shown.Tries = append(shown.Tries, adminpage.ContactTry{At: try.At, Outcome: try.Outcome, Phase: try.Phase, Code: try.Code, Reply: try.Reply})
	}
	return shown
}

func (t *teller) notices() (all []adminpage.ContactNotice) {
	for _, n := range t.file.Notices {
		shown := adminpage.ContactNotice{
			Notice: key(n.Kind), State: n.State, MadeAt: n.MadeAt, Code: n.Code, Reply: n.Reply, BouncedAt: n.BouncedAt,
			Bounce: strings.TrimSpace(string(n.BounceKind) + " " + n.BounceStatus),
		}
		_, shown.ListName = t.list(n.List)
		all = append(all, shown)
	}
	return all
}

// exportContact has everything downloaded that is held of a contact: what a person may ask to see.
func (s *site) exportContact(v *visit) (adminpage.Page, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	file, err := s.App.ContactFileOf(v.Context(), id, v.actor.Lists)
	if err != nil {
		return nil, err
	}
	s.download(v, "contact-"+strconv.FormatInt(id, 10)+".json", "application/json; charset=utf-8")
	out := json.NewEncoder(v.w)
	out.SetIndent("", "  ")
	_ = out.Encode(file) // a visitor who went away is no fault
	return nil, nil
}
