package subscribers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// withLists declares a list with double, one with single opt-in and a private one, called after prefix.
func (b *bundle) withLists(t testing.TB, prefix string) {
	t.Helper()
	for name, change := range map[string]func(*subscribers.List){
		"double":  func(l *subscribers.List) { l.Rhythms, l.DefaultRhythm = []string{"daily", "weekly"}, "weekly" },
		"single":  func(l *subscribers.List) { l.OptIn = "single" },
		"private": func(l *subscribers.List) { l.Public = false },
	} {
		list := subscribers.NewList(prefix + name)
		change(&list)
		if _, err := subscribers.DeclareList(t.Context(), b.db, list); err != nil {
			t.Fatal(err)
		}
	}
}

func wants(lists ...string) (all []subscribers.Want) {
	for _, list := range lists {
		all = append(all, subscribers.Want{List: list})
	}
	return all
}

// join fills in a form.
func (b *bundle) join(t testing.TB, email string, r subscribers.JoinRequest) ([]subscribers.Joined, error) {
	t.Helper()
	var err error
	if r.Address, err = subscribers.ParseAddress(email); err != nil {
		t.Fatal(err)
	}
	r.Evidence = subscribers.Evidence{At: b.now, Method: subscribers.ByForm, Statement: "Subscribe", Origin: "/s/{list}", Network: "192.0.2.0/24"}
	var joined []subscribers.Joined
	err = database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error {
		joined, err = subscribers.Join(t.Context(), tx, r)
		return err
	})
	return joined, err
}

func (b *bundle) mustJoin(t testing.TB, email string, lists ...string) []subscribers.Joined {
	t.Helper()
	joined, err := b.join(t, email, subscribers.JoinRequest{Wants: wants(lists...)})
	if err != nil {
		t.Fatal(err)
	}
	return joined
}

func (b *bundle) person(method subscribers.Method) subscribers.Evidence {
	return subscribers.Evidence{At: b.now, Method: method, Statement: "Yes", Origin: "/confirm/{token}", Network: "192.0.2.0/24"}
}

func (b *bundle) confirm(t testing.TB, id int64) {
	t.Helper()
	if err := subscribers.Confirm(t.Context(), b.db, id, b.person(subscribers.ByConfirmation)); err != nil {
		t.Fatal(err)
	}
}

// A new address waits on a list with double opt-in and is on one with single opt-in; the log has what was shown, where, and to which network.
func TestJoin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.withLists(t, "")
	joined, err := b.join(t, "Anna@Museum.example", subscribers.JoinRequest{
		Name: " Anna  Rossi ", Languages: []string{"it", "en-gb"},
		Wants: []subscribers.Want{{List: "double", Rhythm: "daily", Topics: []string{"Events", " robotics "}}, {List: "single"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(joined) != 2 || joined[0].State != subscribers.Pending || joined[1].State != subscribers.Active || !joined[0].Mail || !joined[1].Mail {
		t.Errorf("joined %+v", joined)
	}
	for i, want := range []struct {
		rhythm string
		topics []string
	}{{"daily", []string{"Events", "robotics"}}, {"weekly", []string{}}} {
		sub, err := subscribers.SubscriptionByID(t.Context(), b.db, joined[i].Subscription)
		if err != nil || sub.Rhythm != want.rhythm || !slices.Equal(sub.Topics, want.topics) || sub.Activation != i {
			t.Errorf("%+v, %v", sub, err)
		}
		if c := sub.Contact; c.Email != "Anna@Museum.example" || c.Name != "Anna Rossi" || !slices.Equal(c.Languages, []string{"it", "en-GB"}) {
			t.Errorf("contact %+v", c)
		}
	}
	log := b.query(t, `SELECT concat_ws('|', l.slug, g.state, g.method, g.statement, g.origin, g.network, g.actor) FROM subscribers.consents g
		JOIN subscribers.subscriptions s ON s.id = g.subscription_id JOIN subscribers.lists l ON l.id = s.list_id ORDER BY g.id`)
	want := []string{"double|pending|form|Subscribe|/s/{list}|192.0.2.0/24|", "single|pending|form|Subscribe|/s/{list}|192.0.2.0/24|", "single|active|form|Subscribe|/s/{list}|192.0.2.0/24|"}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
	if got := b.mailable(t); !slices.Equal(got, []string{"Anna@Museum.example"}) {
		t.Errorf("mailable: %v", got)
	}
}

// What is wrong with a request is told whoever it is for, and leaves nothing behind.
func TestJoinRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.withLists(t, "")
	b.mustImport(t, b.options(), "email\nknown@example.org\n")
	for name, tt := range map[string]struct {
		r    subscribers.JoinRequest
		kind errs.Kind
	}{
		"a private list":           {subscribers.JoinRequest{Wants: wants("double", "private")}, errs.NotFound},
		"no such list":             {subscribers.JoinRequest{Wants: wants("nowhere")}, errs.NotFound},
		"a rhythm not offered":     {subscribers.JoinRequest{Wants: []subscribers.Want{{List: "double", Rhythm: "monthly"}}}, errs.Invalid},
		"no rhythm at all":         {subscribers.JoinRequest{Wants: []subscribers.Want{{List: "double", Rhythm: "hourly"}}}, errs.Invalid},
		"a name with a link":       {subscribers.JoinRequest{Name: "Win at https://spam.example", Wants: wants("double")}, errs.Invalid},
		"a name with a site":       {subscribers.JoinRequest{Name: "WWW.spam.example", Wants: wants("double")}, errs.Invalid},
		"a name without an end":    {subscribers.JoinRequest{Name: strings.Repeat("n", 201), Wants: wants("double")}, errs.Invalid},
		"a name with a control":    {subscribers.JoinRequest{Name: "Anna\x00", Wants: wants("double")}, errs.Invalid},
		"no language":              {subscribers.JoinRequest{Languages: []string{"klingonese"}, Wants: wants("double")}, errs.Invalid},
		"a topic with a control":   {subscribers.JoinRequest{Wants: []subscribers.Want{{List: "double", Topics: []string{"a\x1bb"}}}}, errs.Invalid},
		"topics without an end":    {subscribers.JoinRequest{Wants: []subscribers.Want{{List: "double", Topics: many(51)}}}, errs.Invalid},
		"languages without an end": {subscribers.JoinRequest{Languages: []string{"aa", "ab", "af", "ak", "am", "ar", "as", "az", "be", "bg", "bn"}, Wants: wants("double")}, errs.Invalid},
	} {
		for _, email := range []string{"known@example.org", "new@example.org"} {
			if joined, err := b.join(t, email, tt.r); errs.KindOf(err) != tt.kind || err == nil {
				t.Errorf("%s, %s: %+v, %v", name, email, joined, err)
			}
		}
	}
	if left := b.query(t, `SELECT email FROM subscribers.contacts`); !slices.Equal(left, []string{"known@example.org"}) {
		t.Errorf("left behind: %v", left)
	}
}

func many(n int) (topics []string) {
	for i := range n {
		topics = append(topics, fmt.Sprint("topic ", i))
	}
	return topics
}

// Anybody can write anybody's address into the form: who is on the list stays as they are, and gets the mail that says so.
func TestAFormChangesNobodyWhoIsThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.withLists(t, "")
	o := b.options()
	o.List = "double"
	b.mustImport(t, o, "email,name,languages,rhythm,topics\nanna@museum.example,Anna,it,daily,Events\npaused@museum.example,P,it,daily,Events\n")
	paused := b.subscriptionOf(t, "double", "paused@museum.example")
	if err := subscribers.Pause(t.Context(), b.db, paused, nil, true, b.person(subscribers.ByPage)); err != nil {
		t.Fatal(err)
	}
	for _, email := range []string{"anna@museum.example", "paused@museum.example"} {
		before, err := subscribers.SubscriptionByID(t.Context(), b.db, b.subscriptionOf(t, "double", email))
		if err != nil {
			t.Fatal(err)
		}
		joined, err := b.join(t, strings.ToUpper(email), subscribers.JoinRequest{
			Name: "Mallory", Languages: []string{"de"}, Wants: []subscribers.Want{{List: "double", Rhythm: "weekly", Topics: []string{"x"}}},
		})
		if err != nil || len(joined) != 1 || joined[0].State != before.State || !joined[0].Mail {
			t.Errorf("%+v, %v", joined, err)
		}
		after, err := subscribers.SubscriptionByID(t.Context(), b.db, before.ID)
		if diff := cmp.Diff(before, after); diff != "" || err != nil {
			t.Errorf("%s (-before +after): %v\n%s", email, err, diff)
		}
	}
}

// Until somebody confirms, the last form counts.
func TestTheLastFormCountsUntilSomebodyConfirms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.withLists(t, "")
	form := func(name, rhythm string) subscribers.Subscription {
		t.Helper()
		joined, err := b.join(t, "anna@museum.example", subscribers.JoinRequest{
			Name: name, Languages: []string{"it"}, Wants: []subscribers.Want{{List: "double", Rhythm: rhythm, Topics: []string{name}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		sub, err := subscribers.SubscriptionByID(t.Context(), b.db, joined[0].Subscription)
		if err != nil {
			t.Fatal(err)
		}
		return sub
	}
	form("Mallory", "daily")
	if sub := form("Anna", "weekly"); sub.Contact.Name != "Anna" || sub.Rhythm != "weekly" || !slices.Equal(sub.Topics, []string{"Anna"}) {
		t.Errorf("%+v", sub)
	}
	b.confirm(t, b.subscriptionOf(t, "double", "anna@museum.example"))
	b.unsubscribe(t, fmt.Sprint(b.subscriptionOf(t, "double", "anna@museum.example")))
	if sub := form("Mallory", "daily"); sub.Contact.Name != "Anna" || sub.State != subscribers.Unsubscribed || sub.Rhythm != "daily" {
		t.Errorf("%+v", sub)
	}
}

// What was asked for in one form is confirmed by one mail.
func TestOneMailForOneForm(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.withLists(t, "")
	b.withLists(t, "more-")
	mails := func(joined []subscribers.Joined) (to []int64) {
		for _, one := range joined {
			if one.Mail {
				to = append(to, one.Subscription)
			}
		}
		return to
	}
	first := b.mustJoin(t, "anna@museum.example", "double", "more-double")
	both := []int64{first[0].Subscription, first[1].Subscription}
	for _, id := range both {
		if together, err := subscribers.Together(t.Context(), b.db, id); err != nil || !slices.Equal(together, both) {
			t.Errorf("together with %d: %v, %v", id, together, err)
		}
	}
	if got := mails(first); !slices.Equal(got, both[:1]) {
		t.Errorf("mails for %v", got)
	}
	b.now = b.now.Add(time.Hour)
	if got := mails(b.mustJoin(t, "anna@museum.example", "more-double", "partners", "double")); len(got) != 2 || got[0] != both[1] {
		t.Errorf("the second time mails for %v, want %d and the new one", got, both[1])
	}
	b.confirm(t, both[0])
	if got := mails(b.mustJoin(t, "anna@museum.example", "double", "more-double")); !slices.Equal(got, both) {
		t.Errorf("one of them confirmed: mails for %v", got)
	}
	b.confirm(t, both[1])
	if got := mails(b.mustJoin(t, "anna@museum.example", "double", "more-double")); !slices.Equal(got, both[:1]) {
		t.Errorf("who is on all of them is told so by mails for %v", got)
	}
	b.now = b.now.Add(time.Hour)
	b.mustJoin(t, "bruno@museum.example", "double")
	if together, err := subscribers.Together(t.Context(), b.db, both[1]); err != nil || !slices.Equal(together, both[1:]) {
		t.Errorf("together with what was confirmed, or with somebody else's: %v, %v", together, err)
	}
}

// member is what a history of forms, presses, imports, suppressions and erasures must lead to for one address.
type member struct {
	states    map[string]subscribers.State // by list
	against   map[subscribers.Reason]bool  // suppressions in force
	unwelcome bool                         // something was ever said against mail
}

func (s *member) mailable(list string, domainBarred bool) bool {
	return s.states[list] == subscribers.Active && !domainBarred &&
		!s.against[subscribers.HardBounce] && !s.against[subscribers.Complaint] && !s.against[subscribers.Manual]
}

// No history makes an address mailable but by what P5 names: a consent that an import states where nobody said no, a form on a list with
// single opt-in where nothing was ever said against it, and the word of the person.
func TestJoinHistories(t *testing.T) {
	t.Parallel()
	b := setup(t)
	histories := 0
	rapid.Check(t, func(rt *rapid.T) {
		histories++
		prefix := fmt.Sprintf("h%d-", histories)
		b.withLists(t, prefix)
		h := &joinHistory{bundle: b, t: t, prefix: prefix, people: map[string]*member{}}
		for _, local := range []string{"a", "b"} {
			h.people[local+"@"+prefix+"x.example"] = &member{states: map[string]subscribers.State{}, against: map[subscribers.Reason]bool{}}
		}
		steps := []func(*rapid.T){h.joins, h.joins, h.says, h.says, h.imports, h.suppresses, h.lifts, h.erases}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			steps[rapid.IntRange(0, len(steps)-1).Draw(rt, "step")](rt)
			h.check(rt)
		}
	})
}

type joinHistory struct {
	*bundle
	t            *testing.T
	prefix       string
	people       map[string]*member
	domainBarred bool
}

func (h *joinHistory) draw(rt *rapid.T) (string, *member) {
	email := rapid.SampledFrom([]string{"a@" + h.prefix + "x.example", "b@" + h.prefix + "x.example"}).Draw(rt, "address")
	return email, h.people[email]
}

func (h *joinHistory) joins(rt *rapid.T) {
	email, s := h.draw(rt)
	lists := rapid.SampledFrom([][]string{{"double"}, {"single"}, {"double", "single"}}).Draw(rt, "lists")
	prefixed := []string{}
	for _, list := range lists {
		prefixed = append(prefixed, h.prefix+list)
	}
	joined := h.mustJoin(h.t, strings.ToUpper(email), prefixed...)
	unwelcome := s.unwelcome || h.domainBarred
	for i, list := range lists {
		if s.states[list] == "" {
			s.states[list] = subscribers.Pending
		}
		if s.states[list] == subscribers.Pending && list == "single" && !unwelcome {
			s.states[list] = subscribers.Active
		}
		if joined[i].State != s.states[list] {
			rt.Fatalf("%s on %s is %s, want %s", email, list, joined[i].State, s.states[list])
		}
	}
	barred := s.against[subscribers.Manual] || h.domainBarred
	if joined[0].Mail == barred {
		rt.Fatalf("%s: mail %v, barred %v", email, joined[0].Mail, barred)
	}
}

// says does what the person may do on a page, if they are on the list.
func (h *joinHistory) says(rt *rapid.T) {
	email, s := h.draw(rt)
	list := rapid.SampledFrom([]string{"double", "single"}).Draw(rt, "list")
	what := rapid.SampledFrom([]string{"confirm", "unsubscribe", "pause", "resume", "leave and restore"}).Draw(rt, "what")
	state := s.states[list]
	if state == "" {
		return
	}
	id := h.subscriptionOf(h.t, h.prefix+list, email)
	var err error
	switch e := h.person(subscribers.ByPage); what {
	case "confirm":
		err = subscribers.Confirm(h.t.Context(), h.db, id, e)
		s.states[list] = subscribers.Active
		delete(s.against, subscribers.HardBounce)
		delete(s.against, subscribers.Complaint)
	case "unsubscribe":
		err = subscribers.Unsubscribe(h.t.Context(), h.db, id, e)
		s.states[list], s.unwelcome = subscribers.Unsubscribed, true
	case "pause":
		err = subscribers.Pause(h.t.Context(), h.db, id, nil, rapid.Bool().Draw(rt, "catch up"), e)
		if state == subscribers.Active {
			s.states[list] = subscribers.Paused
		}
	case "resume":
		err = subscribers.Resume(h.t.Context(), h.db, id, true, e)
		if state == subscribers.Paused {
			s.states[list] = subscribers.Active
		}
	case "leave and restore":
		err = h.leaveAndRestore(id, e)
		s.unwelcome = true
	}
	if err != nil {
		rt.Fatal(what, err)
	}
}

func (h *joinHistory) leaveAndRestore(id int64, e subscribers.Evidence) error {
	return database.Transact(h.t.Context(), h.db, func(tx *sqlx.Tx) error {
		ended, err := subscribers.Leave(h.t.Context(), tx, []int64{id}, e)
		if err != nil {
			return err
		}
		return subscribers.Restore(h.t.Context(), tx, ended, e)
	})
}

// imports brings an address with a stated consent. One that was erased stays away: that is tested with the import.
func (h *joinHistory) imports(rt *rapid.T) {
	email, s := h.draw(rt)
	if s.against[subscribers.Erased] {
		return
	}
	o := h.options()
	o.List = h.prefix + "double"
	h.mustImport(h.t, o, "email\n"+email+"\n")
	suppressed := h.domainBarred || s.against[subscribers.HardBounce] || s.against[subscribers.Complaint] || s.against[subscribers.Manual]
	switch state := s.states["double"]; {
	case state == subscribers.Pending && !suppressed, state == "" && !suppressed:
		s.states["double"] = subscribers.Active
	case state == "":
		s.states["double"] = subscribers.Pending
	}
}

func (h *joinHistory) suppresses(rt *rapid.T) {
	email, s := h.draw(rt)
	reason := rapid.SampledFrom([]subscribers.Reason{subscribers.HardBounce, subscribers.Complaint, subscribers.Manual}).Draw(rt, "reason")
	if reason == subscribers.Manual && rapid.Bool().Draw(rt, "the domain") {
		email, h.domainBarred = h.prefix+"x.example", true
		for _, s := range h.people {
			s.unwelcome = true
		}
	} else {
		s.against[reason], s.unwelcome = true, true
	}
	if _, err := subscribers.Suppress(h.t.Context(), h.db, email, reason, "", h.now); err != nil {
		rt.Fatal(err)
	}
}

func (h *joinHistory) lifts(rt *rapid.T) {
	email, s := h.draw(rt)
	if rapid.Bool().Draw(rt, "the domain") {
		email = h.prefix + "x.example"
		h.domainBarred = false
	} else {
		delete(s.against, subscribers.Manual)
	}
	if err := subscribers.Lift(h.t.Context(), h.db, email, "1", h.now); errs.KindOf(err) == errs.Internal && err != nil {
		rt.Fatal(err)
	}
}

func (h *joinHistory) erases(rt *rapid.T) {
	email, s := h.draw(rt)
	contact, err := subscribers.ContactByEmail(h.t.Context(), h.db, email)
	if errs.KindOf(err) == errs.NotFound && err != nil {
		return
	}
	err = database.Transact(h.t.Context(), h.db, func(tx *sqlx.Tx) error { return subscribers.Erase(h.t.Context(), tx, contact.ID, h.now, "1") })
	if err != nil {
		rt.Fatal(err)
	}
	s.states, s.against, s.unwelcome = map[string]subscribers.State{}, map[subscribers.Reason]bool{subscribers.Erased: true}, true
}

func (h *joinHistory) check(rt *rapid.T) {
	want := []string{}
	for email, s := range h.people {
		for list := range s.states {
			if s.mailable(list, h.domainBarred) {
				want = append(want, email+" "+list)
			}
		}
	}
	slices.Sort(want)
	got := h.query(h.t, `
		SELECT m.email || ' ' || substring(l.slug FROM length($1) + 1) AS who FROM subscribers.mailable m JOIN subscribers.lists l ON l.id = m.list_id
		WHERE l.slug LIKE $1 || '%'`, h.prefix)
	for i := range got {
		got[i] = strings.ToLower(got[i]) // as the form had it
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		rt.Fatalf("mailable (-model +database):\n%s", diff)
	}
	if odd := h.query(h.t, `
		SELECT s.id FROM subscribers.subscriptions s JOIN subscribers.lists l ON l.id = s.list_id
		WHERE l.slug LIKE $1 || '%' AND s.state IS DISTINCT FROM
		      (SELECT g.state FROM subscribers.consents g WHERE g.subscription_id = s.id ORDER BY g.id DESC LIMIT 1)`, h.prefix); len(odd) > 0 {
		rt.Fatalf("the log does not explain subscriptions %v", odd)
	}
}
