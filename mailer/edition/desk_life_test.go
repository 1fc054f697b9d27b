package edition

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/subscribers"
)

// deskLife plays random days at the desk: editions are planned for review, arranged, held, sent in part, withdrawn from and cancelled, in any
// order, for everybody or an audience, while people leave and come back and the list's limits change. A second list has the same articles, and the
// first leaves out what people have from it. It keeps what each person has received and what is owed to them, and nothing else: how the desk
// goes about it is its own affair.
type deskLife struct {
	*world
	rt        *rapid.T
	away      map[string]bool
	listOf    map[uuid.UUID]string
	rhythms   map[string]string // by person
	articles  []string          // titles
	withdrawn map[string]bool
	owed      map[string]map[string]bool // by person: what must come, and has not yet
	received  map[string]map[string]int  // by person: how often it came, by list and title, with an edition that does not repeat
	repeated  map[string]map[string]bool // by person: what came with one that does
	editions  []uuid.UUID
	repeats   map[uuid.UUID]bool
	flying    []*ledger.Delivery
}

func (l *deskLife) publish(rt *rapid.T) {
	title := fmt.Sprintf("a%d en", len(l.articles))
	l.world.publish(title)
	l.articles = append(l.articles, title)
	for name := range l.rhythms {
		if !l.away[name] {
			l.owed[name][title] = true
		}
	}
	if rapid.IntRange(1, 4).Draw(rt, "archive") == 4 { // never due by itself, but an editor may add it
		l.exec(`UPDATE articles.articles SET archive = true WHERE title = $1`, title)
		for name := range l.rhythms {
			delete(l.owed[name], title)
		}
	}
}

func (l *deskLife) plan(rt *rapid.T) {
	rhythm := rapid.SampledFrom([]string{"weekly", "daily"}).Draw(rt, "rhythm")
	if rapid.IntRange(1, 4).Draw(rt, "audience") == 4 {
		l.made(l.planFor(l.oneList(rt), rhythm, "language = it"))
		return
	}
	e, _ := l.planList(l.oneList(rt), rhythm)
	l.made(e)
}

// made keeps an edition in mind.
func (l *deskLife) made(e *Edition) {
	if e.State != Skipped {
		l.editions = append(l.editions, e.ID)
		l.listOf[e.ID] = e.List
	}
}

// oneList draws a list.
func (l *deskLife) oneList(rt *rapid.T) subscribers.List {
	return l.listed(rapid.SampledFrom([]string{"partners", "partners", "other"}).Draw(rt, "list"))
}

// limit gives the first list other limits.
func (l *deskLife) limit(rt *rapid.T) {
	list := l.list()
	list.MinArticles = rapid.SampledFrom([]int{1, 1, 2}).Draw(rt, "least")
	list.MaxArticles = rapid.SampledFrom([]int{0, 2}).Draw(rt, "most")
	list.Rest = rapid.SampledFrom([]string{subscribers.RestWaits, subscribers.RestMore}).Draw(rt, "rest")
	l.declare(list)
}

// comeOrGo makes somebody leave, or come back. Who is away is owed nothing.
func (l *deskLife) comeOrGo(rt *rapid.T) {
	name := l.anybody(rt)
	l.away[name] = !l.away[name]
	state, more := "active", 1
	if l.away[name] {
		state, more = "unsubscribed", 0
		clear(l.owed[name])
	}
	l.exec(`UPDATE subscribers.subscriptions SET state = $2, activation = activation + $3
		WHERE contact_id = (SELECT id FROM subscribers.contacts WHERE email = $1)`, name+"@example.org", state, more)
}

func (l *deskLife) anybody(rt *rapid.T) string {
	return rapid.SampledFrom(slices.Sorted(maps.Keys(l.rhythms))).Draw(rt, "person")
}

func (l *deskLife) make(rt *rapid.T) {
	which := l.some(rt)
	repeat := rapid.Bool().Draw(rt, "repeat")
	m := Handmade{List: l.oneList(rt), Articles: which, Repeat: repeat, WordsAlone: rapid.Bool().Draw(rt, "words alone"), AtOnce: true}
	if rapid.Bool().Draw(rt, "words") {
		words := "Words."
		m.Texts, m.Articles = map[string]Texts{"en": {Introduction: &words}}, which[:rapid.IntRange(0, len(which)).Draw(rt, "articles of it")]
	}
	e, err := l.desk().Make(l.ctx, m)
	if errs.KindOf(err) == errs.Conflict {
		rt.Skip()
	}
	l.must(err)
	l.clock.Advance(time.Minute)
	l.made(e)
	l.repeats[e.ID] = repeat
}

// some draws articles.
func (l *deskLife) some(rt *rapid.T) (which []articles.Article) {
	if len(l.articles) == 0 {
		rt.Skip()
	}
	for _, title := range rapid.SliceOfNDistinct(rapid.SampledFrom(l.articles), 1, min(2, len(l.articles)), rapid.ID[string]).Draw(rt, "articles") {
		if l.withdrawn[title] {
			rt.Skip()
		}
		which = append(which, l.article(title))
	}
	return which
}

// one draws an edition.
func (l *deskLife) one(rt *rapid.T) uuid.UUID {
	if len(l.editions) == 0 {
		rt.Skip()
	}
	return rapid.SampledFrom(l.editions).Draw(rt, "edition")
}

// try does something that the desk may refuse.
func (l *deskLife) try(rt *rapid.T, err error) {
	if errs.KindOf(err) == errs.Conflict {
		rt.Skip()
	}
	l.must(err)
}

func (l *deskLife) add(rt *rapid.T) {
	rest := rapid.SampledFrom([]Rest{AskFirst, LeaveOut, WordsAlone}).Draw(rt, "rest")
	l.try(rt, l.desk().Add(l.ctx, l.one(rt), rest, l.some(rt)...))
}

func (l *deskLife) pin(rt *rapid.T) { l.try(rt, l.desk().Pin(l.ctx, l.one(rt), l.some(rt)...)) }

func (l *deskLife) later(rt *rapid.T) {
	id := l.one(rt)
	l.try(rt, l.desk().Drop(l.ctx, id, false, l.inside(rt, id)))
}

// inside draws an article of an edition.
func (l *deskLife) inside(rt *rapid.T, id uuid.UUID) articles.Article {
	items, err := Items(l.ctx, l.db, id)
	l.must(err)
	var titles []string
	for _, title := range l.articles {
		if group := l.article(title).GroupID; slices.ContainsFunc(items, func(i Item) bool { return i.GroupID == group && i.Dropped == "" }) {
			titles = append(titles, title)
		}
	}
	if len(titles) == 0 {
		rt.Skip()
	}
	return l.article(rapid.SampledFrom(titles).Draw(rt, "article"))
}

func (l *deskLife) never(rt *rapid.T) {
	id := l.one(rt)
	which := l.inside(rt, id)
	l.try(rt, l.desk().Drop(l.ctx, id, true, which))
	for _, name := range l.recipients(id) {
		delete(l.owed[name], which.Title)
	}
}

func (l *deskLife) recipients(id uuid.UUID) (names []string) {
	l.must(l.db.Select(&names, `SELECT split_part(a.email, '@', 1) FROM mailer.deliveries d JOIN subscribers.addresses a USING (contact_id)
		WHERE d.edition_id = $1`, id))
	return names
}

func (l *deskLife) withdraw(rt *rapid.T) {
	for _, a := range l.some(rt) {
		l.world.withdraw(a.Title)
		l.withdrawn[a.Title] = true
		for name := range l.rhythms {
			delete(l.owed[name], a.Title)
		}
	}
}

func (l *deskLife) state(rt *rapid.T) {
	d, id := l.desk(), l.one(rt)
	do := rapid.SampledFrom([]string{"approve", "approve", "approve", "hold", "release", "release", "pause", "resume", "cancel", "write"}).Draw(rt, "act")
	words := "Words."
	l.try(rt, map[string]func() error{
		"approve": func() error { return d.Approve(l.ctx, id) },
		"hold":    func() error { return d.Hold(l.ctx, id, "") },
		"release": func() error { return d.Release(l.ctx, id) },
		"pause":   func() error { return d.Pause(l.ctx, id) },
		"resume":  func() error { return d.Resume(l.ctx, id) },
		"cancel":  func() error { return d.Cancel(l.ctx, id, "") },
		"write":   func() error { return d.Write(l.ctx, id, "en", Texts{Introduction: &words}) },
	}[do]())
}

func (l *deskLife) switchRhythm(rt *rapid.T) {
	name := l.anybody(rt)
	l.rhythms[name] = rapid.SampledFrom([]string{"weekly", "daily"}).Draw(rt, "rhythm")
	l.exec(`UPDATE subscribers.subscriptions SET rhythm = $2 WHERE contact_id = (SELECT id FROM subscribers.contacts WHERE email = $1)`,
		name+"@example.org", l.rhythms[name])
}

// fly claims a few deliveries. Nothing that was withdrawn before may be in them.
func (l *deskLife) fly(rt *rapid.T) {
	claimed, err := ledger.Claim(l.ctx, l.db, l.sender, l.clock.Now(), rapid.IntRange(1, 3).Draw(rt, "claims"))
	l.must(err)
	for _, d := range claimed {
		for _, title := range l.holds(d) {
			if l.withdrawn[title] {
				rt.Fatalf("%s, withdrawn, goes out to %s", title, d.Email)
			}
		}
	}
	l.flying = append(l.flying, claimed...)
}

// holds returns the titles of a claimed delivery's articles.
func (l *deskLife) holds(d *ledger.Delivery) (titles []string) {
	l.must(l.db.Select(&titles, `SELECT a.title FROM mailer.variants v, unnest(v.articles || v.more) id JOIN articles.articles a USING (id) WHERE v.id = $1`,
		d.VariantID))
	return titles
}

// land lets one of the deliveries in flight come to an end, or come back.
func (l *deskLife) land(rt *rapid.T) {
	if len(l.flying) == 0 {
		rt.Skip()
	}
	i := rapid.IntRange(0, len(l.flying)-1).Draw(rt, "delivery")
	d := l.flying[i]
	l.flying = slices.Delete(l.flying, i, i+1)
	o := rapid.SampledFrom([]reply.Outcome{reply.Sent, reply.Sent, reply.InDoubt, reply.Failed, reply.Deferred, "back"}).Draw(rt, "outcome")
	if o == "back" {
		l.must(ledger.PutBack(l.ctx, l.db, l.sender, []*ledger.Delivery{d}))
		return
	}
	l.end(rt, d, o)
}

func (l *deskLife) end(rt *rapid.T, d *ledger.Delivery, o reply.Outcome) {
	titles := l.holds(d)
	a := ledger.Attempt{Sender: l.sender, Delivery: d, At: l.clock.Now(), Outcome: o, Reply: reply.Reply{Phase: reply.Dot}}
	if o == reply.Deferred {
		a.DueAt = l.clock.Now()
	}
	l.must(ledger.Settle(l.ctx, l.db, []ledger.Attempt{a}))
	if o != reply.Sent && o != reply.InDoubt {
		return
	}
	name := d.Email[:len(d.Email)-len("@example.org")]
	for _, title := range titles {
		delete(l.owed[name], title)
		if l.repeats[d.EditionID] {
			l.repeated[name][title] = true
			continue
		}
		what := l.listOf[d.EditionID] + " " + title
		if l.received[name][what]++; l.received[name][what] > 1 {
			rt.Fatalf("%s gets %s twice", name, what)
		}
	}
}

// settleUp does what time brings.
func (l *deskLife) settleUp(*rapid.T) {
	l.clock.Advance(time.Minute)
	_, err := l.desk().Sweep(l.ctx)
	l.must(err)
	_, err = ledger.Finish(l.ctx, l.db, l.clock.Now())
	l.must(err)
}

// flush lets everything go and checks that nothing that was owed is missing, and that nothing is left.
func (l *deskLife) flush(rt *rapid.T) {
	for len(l.flying) > 0 {
		d := l.flying[0]
		l.flying = l.flying[1:]
		l.end(rt, d, reply.Sent)
	}
	list := l.list()
	list.MinArticles, list.MaxArticles = 1, 0
	l.declare(list)
	for round := 0; ; round++ {
		l.settleUp(rt)
		l.letAllGo(rt)
		claimed, err := ledger.Claim(l.ctx, l.db, l.sender, l.clock.Now(), 1000)
		l.must(err)
		for _, d := range claimed {
			l.end(rt, d, reply.Sent)
		}
		planned := 0
		for _, slug := range []string{"partners", "other"} {
			for _, rhythm := range []string{"weekly", "daily"} {
				e, _ := l.planList(l.listed(slug), rhythm)
				l.made(e)
				if e.State != Skipped {
					planned++
				}
			}
		}
		var open int // also what waited behind a delivery to somebody who is away
		l.must(l.db.Get(&open, `SELECT count(*) FROM mailer.deliveries WHERE due_at IS NOT NULL`))
		if len(claimed)+planned+open == 0 {
			break
		}
		if round > 20 {
			rt.Fatalf("there is no end of it: %d deliveries are left open", open)
		}
	}
	for name, owed := range l.owed {
		for title := range owed {
			rt.Errorf("%s misses %s", name, title)
		}
	}
}

// enlist makes a sender that never dies: what becomes of the dead is the ledger's affair.
func (l *deskLife) enlist() {
	sender, err := ledger.Enlist(l.ctx, l.db, l.clock.Now().Add(1000*time.Hour))
	l.must(err)
	l.sender = sender
}

// letAllGo approves, releases and resumes what waits.
func (l *deskLife) letAllGo(rt *rapid.T) {
	for _, id := range l.editions {
		for _, do := range []func(context.Context, uuid.UUID) error{l.desk().Approve, l.desk().Release, l.desk().Resume} {
			if err := do(l.ctx, id); err != nil && errs.KindOf(err) != errs.Conflict {
				rt.Fatal(err)
			}
		}
	}
}

func TestNothingLostNothingTwiceAtTheDesk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.list()
	list.Approval = true
	other := list
	other.Slug = "other"
	w.declare(other)
	list.LeaveOut = []string{"other"}
	w.declare(list)
	rapid.Check(t, func(rt *rapid.T) {
		w.exec(`TRUNCATE mailer.positions, mailer.plans, mailer.marks, mailer.released, mailer.editions, mailer.variants, mailer.deliveries,
			mailer.attempts, mailer.senders, mailer.arrangements, mailer.texts, mailer.edition_log, subscribers.contacts, subscribers.subscriptions,
			subscribers.consents, articles.articles, articles.translation_keys CASCADE`)
		l := &deskLife{
			world: w, rt: rt, rhythms: map[string]string{}, withdrawn: map[string]bool{}, owed: map[string]map[string]bool{},
			received: map[string]map[string]int{}, repeated: map[string]map[string]bool{}, repeats: map[uuid.UUID]bool{},
			away: map[string]bool{}, listOf: map[uuid.UUID]string{},
		}
		w.declare(list)
		for i, rhythm := range []string{"weekly", "weekly", "daily"} {
			name := fmt.Sprintf("p%d", i)
			w.subscribe(name, []string{"en", "it;en"}[i%2], rhythm)
			if i > 0 {
				w.subscribeTo("other", name, []string{"en", "it;en"}[i%2], rhythm)
			}
			l.rhythms[name] = rhythm
			l.owed[name], l.received[name], l.repeated[name] = map[string]bool{}, map[string]int{}, map[string]bool{}
		}
		l.enlist()
		l.publish(rt)
		l.publish(rt)
		l.plan(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"publish": l.publish, "plan": l.plan, "make": l.make, "add": l.add, "pin": l.pin, "drop later": l.later, "drop for ever": l.never,
			"withdraw": l.withdraw, "state": l.state, "state again": l.state, "switch rhythm": l.switchRhythm, "fly": l.fly, "land": l.land,
			"land another": l.land, "time": l.settleUp, "limit": l.limit, "come or go": l.comeOrGo,
		})
		l.flush(rt)
	})
}
