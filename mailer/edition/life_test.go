package edition

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/subscribers"
)

// life plays random life on one list and knows what P1 promises of it: per contact, which articles are due to them, and how often
// each was given. An article is due to whoever was active when it was published and has been ever since.
type life struct {
	*world
	rt       *rapid.T
	articles int
	people   map[string]*person
}

type person struct {
	active bool
	rhythm string
	due    map[string]bool // must be in the next edition of the rhythm
	given  map[string]int  // sent, in doubt, or on the way
}

var lifeRhythms = []string{subscribers.Daily, subscribers.Weekly, subscribers.Monthly}

func (l *life) publish(rt *rapid.T) {
	for range rapid.IntRange(1, 3).Draw(rt, "articles") {
		l.articles++
		title := fmt.Sprintf("a%d en", l.articles)
		l.world.publish(title)
		for _, p := range l.people {
			if p.active {
				p.due[title] = true
			}
		}
	}
}

func (l *life) join(rt *rapid.T) {
	name := fmt.Sprintf("p%d", len(l.people))
	p := &person{active: true, rhythm: rapid.SampledFrom(lifeRhythms).Draw(rt, "rhythm"), due: map[string]bool{}, given: map[string]int{}}
	l.subscribe(name, "en", p.rhythm)
	l.people[name] = p
}

// greet sends the last edition to somebody, if they are new enough for it. The notice that sends it stays on record, and what it holds counts as
// given: coming back later, at whatever rhythm, brings no other.
func (l *life) greet(rt *rapid.T) {
	name, p := l.someone(rt)
	_, _, titles := l.last(name)
	for _, title := range titles {
		if p.given[title]++; p.given[title] > 1 || !p.active || p.due[title] {
			rt.Fatalf("%s gets %s with the last edition", name, title)
		}
	}
}

// someone draws a person, or skips the step when there is none yet.
func (l *life) someone(rt *rapid.T) (string, *person) {
	names := slices.Sorted(maps.Keys(l.people))
	if len(names) == 0 {
		rt.Skip()
	}
	name := rapid.SampledFrom(names).Draw(rt, "person")
	return name, l.people[name]
}

func (l *life) leave(rt *rapid.T) {
	name, p := l.someone(rt)
	if !p.active {
		rt.Skip()
	}
	p.active, p.due = false, map[string]bool{}
	l.exec(`UPDATE subscribers.subscriptions SET state = 'unsubscribed' WHERE contact_id = (SELECT id FROM subscribers.contacts WHERE email = $1)`,
		name+"@example.org")
}

func (l *life) comeBack(rt *rapid.T) {
	name, p := l.someone(rt)
	if p.active {
		rt.Skip()
	}
	p.active = true
	l.exec(`UPDATE subscribers.subscriptions SET state = 'active', activation = activation + 1
		WHERE contact_id = (SELECT id FROM subscribers.contacts WHERE email = $1)`, name+"@example.org")
}

func (l *life) switchRhythm(rt *rapid.T) {
	name, p := l.someone(rt)
	p.rhythm = rapid.SampledFrom(lifeRhythms).Draw(rt, "rhythm")
	l.exec(`UPDATE subscribers.subscriptions SET rhythm = $2 WHERE contact_id = (SELECT id FROM subscribers.contacts WHERE email = $1)`,
		name+"@example.org", p.rhythm)
}

// send plans an edition and lets each delivery end in some way.
func (l *life) send(rt *rapid.T) {
	rhythm := rapid.SampledFrom(lifeRhythms).Draw(rt, "rhythm")
	e, _ := l.plan(rhythm)
	got := l.titles(e)
	for name, p := range l.people {
		if !p.active || p.rhythm != rhythm {
			if len(got[name]) > 0 {
				rt.Fatalf("%s is not due for %s and gets %q", name, rhythm, got[name])
			}
			continue
		}
		for title := range p.due {
			if !slices.Contains(got[name], title) {
				rt.Fatalf("%s misses %s in the %s edition: %q", name, title, rhythm, got[name])
			}
		}
		clear(p.due)
		for _, title := range got[name] {
			if p.given[title]++; p.given[title] > 1 {
				rt.Fatalf("%s gets %s twice", name, title)
			}
		}
	}
	l.end(rt, got)
}

// end settles what is on the way: sent, in doubt, or failed, in which case its articles are due again.
func (l *life) end(rt *rapid.T, got map[string][]string) {
	sender, err := ledger.Enlist(l.ctx, l.db, l.clock.Now())
	l.must(err)
	claimed, err := ledger.Claim(l.ctx, l.db, sender, l.clock.Now().Add(time.Second), 1000)
	l.must(err)
	var attempts []ledger.Attempt
	for _, d := range claimed {
		name := d.Email[:len(d.Email)-len("@example.org")]
		o := rapid.SampledFrom([]reply.Outcome{reply.Sent, reply.InDoubt, reply.Failed}).Draw(rt, "outcome of "+name)
		attempts = append(attempts, ledger.Attempt{Sender: sender, Delivery: d, At: l.clock.Now(), Outcome: o, Reply: reply.Reply{Phase: reply.Dot}})
		if p := l.people[name]; o == reply.Failed {
			for _, title := range got[name] {
				p.given[title]--
				p.due[title] = p.active
			}
		}
	}
	l.must(ledger.Settle(l.ctx, l.db, attempts))
}

func (l *life) titles(e *Edition) map[string][]string {
	entries, err := ledger.Entries(l.ctx, l.db, e.ID)
	l.must(err)
	got := map[string][]string{}
	for _, entry := range entries {
		found, err := l.store.ByIDs(l.ctx, l.db, entry.Articles)
		l.must(err)
		for _, a := range found {
			name := entry.Email[:len(entry.Email)-len("@example.org")]
			got[name] = append(got[name], a.Title)
		}
	}
	return got
}

func TestNothingMissedNothingTwiceInAnyLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		w.exec(`TRUNCATE mailer.positions, mailer.plans, mailer.marks, mailer.released, mailer.editions, mailer.variants, mailer.deliveries,
			mailer.attempts, mailer.senders, mailer.notices, mailer.reached, subscribers.contacts, subscribers.subscriptions,
			subscribers.consents, articles.articles, articles.translation_keys CASCADE`)
		l := &life{world: w, rt: rt, people: map[string]*person{}}
		rt.Repeat(map[string]func(*rapid.T){
			"publish": l.publish, "join": l.join, "leave": l.leave, "come back": l.comeBack, "switch rhythm": l.switchRhythm, "send": l.send,
			"greet": l.greet,
		})
	})
}
