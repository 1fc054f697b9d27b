package edition

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/subscribers"
)

// months plays a list for a long time: everything happens at random, planners work at once and die, and what each reader must get and has got is
// compared with a model that knows nothing of positions and marks. Draws come from a seed, which a failure names.
type months struct {
	*world
	*rand.Rand
	list    subscribers.List
	readers map[int64]*reader // by contact
	groups  map[int64]*group
	order   []int64 // of publication
	seen    map[uuid.UUID]bool
	tally   map[string]int
	doubles bool // only what comes twice is looked for
}

type group struct {
	order    int
	key      string
	versions map[string]*version // by language
}

type version struct {
	title, section string
	withdrawn      bool
}

// reader is what the model knows of one. must is what came while they were there, or were to catch up, and they were not given.
type reader struct {
	name      string
	state     string
	catchUp   bool
	rhythm    string
	topics    []string
	languages []string
	must      map[int64]bool
}

const monthsReaders = 120

var (
	monthsTopics    = []string{"News", "Events", "Poems"}
	monthsLanguages = []string{"en", "it", "ru"}
)

func newMonths(t *testing.T, seed uint64) *months {
	m := &months{
		world: newWorld(t), Rand: rand.New(rand.NewPCG(seed, seed)), readers: map[int64]*reader{}, groups: map[int64]*group{},
		seen: map[uuid.UUID]bool{}, tally: map[string]int{},
	}
	m.list = m.world.list()
	for range monthsReaders {
		m.join()
	}
	return m
}

func pick[T any](m *months, all []T) T { return all[m.IntN(len(all))] }

func (m *months) someone() (int64, *reader) {
	ids := slices.Sorted(maps.Keys(m.readers))
	id := pick(m, ids)
	return id, m.readers[id]
}

// wants draws topics and languages.
func (m *months) wants() (topics, languages []string) {
	if m.IntN(2) == 0 {
		topics = []string{pick(m, monthsTopics)}
	}
	return topics, pick(m, [][]string{{"en"}, {"it", "en"}, {"ru"}, {}})
}

func (m *months) join() {
	r := &reader{name: fmt.Sprintf("r%d", len(m.readers)), state: "active", rhythm: pick(m, subscribers.Rhythms), must: map[int64]bool{}}
	r.topics, r.languages = m.wants()
	var id int64
	m.must(m.db.Get(&id, `
		WITH c AS (
			INSERT INTO subscribers.contacts (email, email_key, time_zone, created_at) VALUES ($1, $1, $2, $3) RETURNING id
		)
		INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, created_at)
		SELECT $4, id, 'active', $5, $3 FROM c RETURNING contact_id`,
		r.name+"@example.org", pick(m, walls), m.clock.Now(), m.list.ID, r.rhythm))
	m.readers[id] = r
	m.write(id, r)
}

// write brings the database to what the model says of a reader.
func (m *months) write(id int64, r *reader) {
	m.exec(`UPDATE subscribers.subscriptions SET topics = $2, rhythm = $3 WHERE contact_id = $1`, id, pq.Array(append([]string{}, r.topics...)), r.rhythm)
	var keys []string
	for _, tag := range r.languages {
		keys = append(keys, map[string]string{"en": "en-Latn", "it": "it-Latn", "ru": "ru-Cyrl"}[tag])
	}
	m.exec(`UPDATE subscribers.contacts SET languages = $2, language_keys = $3 WHERE id = $1`,
		id, pq.Array(append([]string{}, r.languages...)), pq.Array(append([]string{}, keys...)))
}

func (m *months) change() {
	id, r := m.someone()
	switch m.IntN(4) {
	case 0:
		r.rhythm = pick(m, subscribers.Rhythms)
	case 1:
		r.topics, _ = m.wants()
	case 2:
		_, r.languages = m.wants()
	case 3:
		m.exec(`UPDATE subscribers.contacts SET time_zone = $2 WHERE id = $1`, id, pick(m, walls))
	}
	m.write(id, r)
}

// comeOrGo makes somebody leave, pause or come back. Who is away without catching up is owed nothing.
func (m *months) comeOrGo() {
	id, r := m.someone()
	set := func(state string, catchUp, anew bool) {
		r.state, r.catchUp = state, catchUp
		m.exec(`UPDATE subscribers.subscriptions SET state = $2, catch_up = $3, activation = activation + CASE WHEN $4 THEN 1 ELSE 0 END
			WHERE contact_id = $1`, id, state, catchUp, anew)
		if state != "active" && !catchUp {
			clear(r.must)
		}
	}
	switch {
	case r.state != "active":
		set("active", false, !r.catchUp)
	case m.IntN(3) == 0:
		set("unsubscribed", false, false)
	default:
		set("paused", m.IntN(2) == 0, false)
	}
}

// publish saves new articles, some of them late, some known already, and translations of any age.
func (m *months) publish() {
	var drafts []articles.Draft
	draft := func(key, tag, section string) {
		drafts = append(drafts, articles.Draft{
			ExternalKey: key + " " + tag, TranslationKey: key, Title: key + " " + tag, Text: "Text of " + key + " in " + tag + ".", Language: tag,
			Section: section, Published: m.clock.Now().AddDate(0, 0, -m.IntN(3)*m.IntN(300)),
		})
	}
	for range 1 + m.IntN(3) {
		key := fmt.Sprintf("a%d", len(m.groups)+len(drafts))
		for _, tag := range monthsLanguages[:1+m.IntN(3)] {
			if m.IntN(3) > 0 || tag == "en" && m.IntN(2) == 0 {
				draft(key, tag, pick(m, monthsTopics))
			}
		}
	}
	if len(m.order) > 0 {
		old := m.groups[pick(m, m.order)]
		draft(old.key, pick(m, monthsLanguages), pick(m, monthsTopics)) // a translation, or the same again, in another section
	}
	m.save(drafts)
}

func (m *months) save(drafts []articles.Draft) {
	if len(drafts) == 0 {
		return
	}
	m.must(database.Transact(m.ctx, m.db, func(tx *sqlx.Tx) error {
		_, err := m.store.Save(m.ctx, tx, m.source, drafts, articles.SaveOptions{Now: m.clock.Now(), Archive: false})
		return err
	}))
	var rows []struct {
		Group    int64  `db:"group_id"`
		Title    string `db:"title"`
		Language string `db:"language"`
		Section  string `db:"section"`
	}
	m.must(m.db.Select(&rows, `SELECT group_id, title, language, section FROM articles.articles ORDER BY id`))
	for _, row := range rows {
		g := m.groups[row.Group]
		if g == nil {
			key, _, _ := strings.Cut(row.Title, " ")
			g = &group{order: len(m.order), key: key, versions: map[string]*version{}}
			m.groups[row.Group], m.order = g, append(m.order, row.Group)
			for _, r := range m.readers {
				if r.state == "active" || r.catchUp {
					r.must[row.Group] = true
				}
			}
		}
		if g.versions[row.Language] == nil {
			g.versions[row.Language] = &version{}
		}
		v := g.versions[row.Language]
		v.title, v.section = row.Title, row.Section
	}
}

// withdraw takes an article back, or restores it.
func (m *months) withdraw() {
	if len(m.order) == 0 {
		return
	}
	g := m.groups[pick(m, m.order[max(0, len(m.order)-8):])]
	v := g.versions[pick(m, slices.Sorted(maps.Keys(g.versions)))]
	v.withdrawn = !v.withdrawn
	m.exec(`UPDATE articles.articles SET withdrawn_at = CASE WHEN $2 THEN $3::timestamptz END WHERE title = $1`, v.title, v.withdrawn, m.clock.Now())
}

// settings gives the list other limits, hours, days and zones.
func (m *months) settings() {
	l := &m.list
	l.MinArticles, l.MaxArticles = pick(m, []int{1, 1, 1, 3}), pick(m, []int{0, 0, 3, 8})
	l.Rest = pick(m, []string{subscribers.RestWaits, subscribers.RestMore})
	l.TimeZone, l.EditorialHour = pick(m, walls), pick(m, []string{"02:30", "17:00"})
	l.WeeklyOn, l.NotOn = pick(m, subscribers.Weekdays), pick(m, [][]string{{}, {"sunday"}})
	l.Approval = m.IntN(4) == 0
	m.declare(*l)
}

// fits reports whether a reader may get a group now: a version that there is, in a language of theirs or the list's, on a topic of theirs.
func (m *months) fits(r *reader, id int64) bool {
	language, topic := false, len(r.topics) == 0
	for tag, v := range m.groups[id].versions {
		if !v.withdrawn {
			language = language || tag == "en" || slices.Contains(r.languages, tag)
			topic = topic || slices.Contains(r.topics, v.section)
		}
	}
	return language && topic
}

// planning has several planners look at the list at once. Some die in the midst of it; one comes through.
func (m *months) planning() {
	var all sync.WaitGroup
	for n := range 3 {
		ctx, die := context.WithCancel(m.ctx)
		planner := *m.planner
		if n < 2 && m.IntN(3) == 0 {
			planner.Languages = meanwhile{planner.Languages, die}
		}
		all.Go(func() {
			defer die()
			_, _, _ = planner.PlanDue(ctx, m.db, m.list)
		})
	}
	all.Wait()
	for again := true; again; { // until nobody else is at it
		_, next, err := m.planner.PlanDue(m.ctx, m.db, m.list)
		m.must(err)
		again = next.Equal(m.clock.Now().Add(busyFor))
	}
	m.checkEditions()
}

// given is what an edition gives a contact.
type given struct {
	Contact int64         `db:"contact_id"`
	Groups  pq.Int64Array `db:"groups"`
}

func (m *months) checkEditions() {
	var all []Edition
	m.must(m.db.Select(&all, `SELECT `+columns+` FROM mailer.editions ORDER BY id`))
	for _, e := range all {
		if m.seen[e.ID] {
			continue
		}
		m.seen[e.ID] = true
		m.tally["editions "+string(e.State)]++
		var rows []given
		m.must(m.db.Select(&rows, `SELECT d.contact_id, v.groups FROM mailer.deliveries d JOIN mailer.variants v ON v.id = d.variant_id WHERE d.edition_id = $1`, e.ID))
		gets := map[int64][]int64{}
		for _, row := range rows {
			gets[row.Contact] = row.Groups
		}
		for id, r := range m.readers {
			if r.state == "active" && r.rhythm == e.Rhythm {
				m.checkReader(e, r, gets[id])
			} else if len(gets[id]) > 0 {
				m.t.Fatalf("%s, who is %s and reads %s, is in the %s edition", r.name, r.state, r.rhythm, e.Rhythm)
			}
		}
	}
}

// checkReader compares what a reader gets of an edition with what they must, and forgets what was dealt with.
func (m *months) checkReader(e Edition, r *reader, gets []int64) {
	least, most := m.list.MinArticles, m.list.MaxArticles
	if e.Rhythm == immediate {
		least, most = 1, 0
	}
	if m.list.Rest == subscribers.RestMore {
		most = 0
	}
	var owed []int64
	for id := range r.must {
		if m.fits(r, id) {
			owed = append(owed, id)
		}
	}
	last := -1
	for _, id := range gets {
		if !m.fits(r, id) {
			m.t.Fatalf("%s gets %s in the %s edition: %v %v", r.name, m.groups[id].key, e.Rhythm, r.topics, r.languages)
		}
		last = max(last, m.groups[id].order)
	}
	// What does not fit is passed by, but behind the last article of a digest that left a rest: that is not dealt with yet. A digest that holds
	// exactly as many as it may, and leaves nothing, has dealt with all.
	rest := most > 0 && len(gets) == most && slices.ContainsFunc(owed, func(id int64) bool { return !slices.Contains(gets, id) })
	switch {
	case len(gets) == 0 && len(owed) > 0 && len(owed) < least:
		m.tally["waiting"]++
		return // all of it waits
	case len(gets) > 0 && len(gets) < least, most > 0 && len(gets) > most:
		m.t.Fatalf("%s gets %d of between %d and %d articles", r.name, len(gets), least, most)
	}
	for _, id := range owed {
		if !m.doubles && !slices.Contains(gets, id) && (!rest || m.groups[id].order < last) {
			m.t.Fatalf("%s misses %s in the %s edition %s", r.name, m.groups[id].key, e.Rhythm, e.ID)
		}
	}
	for id := range r.must {
		if slices.Contains(gets, id) || !rest || m.groups[id].order < last {
			delete(r.must, id)
		}
	}
	m.tally["given"] += len(gets)
}

// sending lets go what waits for a person, claims what is due and lets it end somehow; senders die, and settle again what they settled.
func (m *months) sending() {
	now := m.clock.Now()
	var waits []uuid.UUID
	m.must(m.db.Select(&waits, `SELECT id FROM mailer.editions WHERE state IN ('review', 'held') OR state IN ('approved', 'sending') AND reason <> ''`))
	for _, id := range waits {
		if m.IntN(4) == 0 {
			_ = m.desk().Approve(m.ctx, id)
			_ = m.desk().Release(m.ctx, id)
		}
	}
	sender, err := ledger.Enlist(m.ctx, m.db, now)
	m.must(err)
	claimed, err := ledger.Claim(m.ctx, m.db, sender, now, 40+m.IntN(400))
	m.must(err)
	m.atOnce()
	var attempts []ledger.Attempt
	for _, d := range claimed {
		if m.IntN(30) == 0 {
			continue // a message in hand when the sender died
		}
		o := pick(m, []reply.Outcome{reply.Sent, reply.Sent, reply.Sent, reply.Sent, reply.InDoubt, reply.Deferred, reply.Failed})
		a := ledger.Attempt{Sender: sender, Delivery: d, At: now, Outcome: o, Reply: reply.Reply{Phase: reply.Dot}}
		if o == reply.Deferred || o == reply.InDoubt && m.IntN(2) == 0 {
			a.DueAt = now.Add(time.Duration(1+m.IntN(20)) * time.Hour)
		}
		attempts = append(attempts, a)
		m.tally[string(o)]++
	}
	m.must(ledger.Settle(m.ctx, m.db, attempts))
	m.must(ledger.Settle(m.ctx, m.db, attempts)) // the answer to the first was lost
	m.must(ledger.Retire(m.ctx, m.db, sender))
	_, err = ledger.NoteLate(m.ctx, m.db, now)
	m.must(err)
	_, err = ledger.Finish(m.ctx, m.db, now)
	m.must(err)
	m.owedAgain()
}

// atOnce wants nobody to have two digests on their way.
func (m *months) atOnce() {
	var n int
	m.must(m.db.Get(&n, `SELECT count(*) FROM (
		SELECT FROM mailer.deliveries WHERE state = 'in_flight' GROUP BY subscription_id HAVING count(*) > 1) two`))
	if n > 0 {
		m.t.Fatalf("%d have two digests on their way at once", n)
	}
}

// owedAgain adds what ended without reaching its reader, and was never in doubt, to what they must get, as long as they are there.
func (m *months) owedAgain() {
	var rows []given
	m.must(m.db.Select(&rows, `
		WITH ended AS (
			SELECT d.edition_id, d.contact_id, d.variant_id FROM mailer.deliveries d
			WHERE d.state IN ('failed', 'suppressed') AND d.code = 0
		), marked AS (
			UPDATE mailer.deliveries d SET code = 1 FROM ended WHERE d.edition_id = ended.edition_id AND d.contact_id = ended.contact_id
		)
		SELECT e.contact_id, ARRAY(SELECT g FROM unnest(v.groups) g WHERE NOT `+ledger.Closed("g")+`) AS groups
		FROM ended e JOIN mailer.variants v ON v.id = e.variant_id
		WHERE NOT EXISTS (SELECT FROM mailer.attempts a WHERE a.edition_id = e.edition_id AND a.contact_id = e.contact_id AND a.outcome IN ('in_doubt', 'sent'))`))
	for _, row := range rows {
		if r := m.readers[row.Contact]; r.state == "active" || r.catchUp {
			for _, id := range row.Groups {
				r.must[id] = true
			}
		}
	}
}

// repeated counts the articles that a contact has, may have or is to get by two messages.
func (m *months) repeated() (n int) {
	m.must(m.db.Get(&n, `
		SELECT count(*) FROM (
			SELECT FROM mailer.deliveries d JOIN mailer.variants v ON v.id = d.variant_id, unnest(v.groups) g
			WHERE d.state NOT IN ('failed', 'suppressed', 'cancelled')
			   OR EXISTS (SELECT FROM mailer.attempts a WHERE a.edition_id = d.edition_id AND a.contact_id = d.contact_id AND a.outcome IN ('in_doubt', 'sent'))
			GROUP BY d.subscription_id, g HAVING count(*) > 1
		) twice`))
	if m.tally["months dropped"] > 0 {
		var again int
		m.must(m.db.Get(&again, `
			SELECT count(*) FROM mailer.deliveries d JOIN mailer.variants v ON v.id = d.variant_id, unnest(v.groups) g
			WHERE EXISTS (SELECT FROM remembered r WHERE r.subscription_id = d.subscription_id AND r.group_id = g)`))
		n += again
	}
	return n
}

// retain drops the months before this one, when an editor has ended what still was open of them. Who was given what by them the test remembers.
func (m *months) retain() {
	now := m.clock.Now()
	before := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	var open []struct {
		ID    uuid.UUID `db:"id"`
		State State     `db:"state"`
	}
	m.must(m.db.Select(&open, `SELECT id, state FROM mailer.editions WHERE id < $1 AND finished_at IS NULL`, ledger.NewEditionID(before)))
	for _, old := range open {
		if old.State != Held { // it was late
			m.must(m.desk().Hold(m.ctx, old.ID, "it is old"))
		}
		m.must(m.desk().Cancel(m.ctx, old.ID, "it is old"))
	}
	m.owedAgain()
	m.exec(`CREATE TABLE IF NOT EXISTS remembered (subscription_id bigint, group_id bigint)`)
	m.exec(`INSERT INTO remembered SELECT d.subscription_id, g FROM mailer.deliveries d JOIN mailer.variants v ON v.id = d.variant_id, unnest(v.groups) g
		WHERE d.edition_id < $1 AND `+counts, ledger.NewEditionID(before))
	counted, err := ledger.Count(m.ctx, m.db)
	m.must(err)
	done, err := ledger.Retain(m.ctx, m.db, before, now)
	m.must(err)
	m.tally["months dropped"] += len(done.Months)
	if done.Blocked != "" {
		m.t.Fatalf("%s has something open", done.Blocked)
	}
	if after, err := ledger.Count(m.ctx, m.db); err != nil || after != counted {
		m.t.Fatalf("%+v became %+v (%v)", counted, after, err)
	}
	var closed []int64
	m.must(m.db.Select(&closed, `SELECT DISTINCT group_id FROM articles.articles a WHERE `+ledger.Closed("a.group_id")))
	for _, r := range m.readers {
		for _, id := range closed {
			delete(r.must, id)
		}
	}
}

// seeds returns so many of them, beginning with that of -rapid.seed.
func seeds(t *testing.T, n int) (all []uint64) {
	first, err := strconv.ParseUint(flag.Lookup("rapid.seed").Value.String(), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(n) {
		all = append(all, first+i)
	}
	return all
}

// live plays some days.
func (m *months) live(days int) {
	for end := m.clock.Now().AddDate(0, 0, days); m.clock.Now().Before(end); {
		m.clock.Advance(time.Duration(60+m.IntN(20*60)) * time.Minute)
		for range m.IntN(12) {
			pick(m, []func(){m.change, m.change, m.change, m.comeOrGo, m.comeOrGo, m.withdraw, m.join})()
		}
		if m.IntN(3) > 0 {
			m.publish()
		}
		if m.IntN(25) == 0 {
			m.settings()
		}
		m.planning()
		m.sending()
		if n := m.repeated(); n > 0 {
			m.t.Fatalf("%d articles are given twice", n)
		}
	}
}

// Old months are dropped in the midst of life: nobody gets anything twice that was given by them, also when the list changes what it selects.
func TestMonthsOfLifeWithRetention(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(t, 2) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			m := newMonths(t, seed)
			for range 3 {
				m.live(25)
				m.retain()
			}
			t.Logf("%d readers, %d articles, %v", len(m.readers), len(m.order), m.tally)
			if m.tally["months dropped"] < 2 || m.tally["given"] == 0 {
				t.Errorf("not much was dropped: %v", m.tally)
			}
		})
	}
}

func TestMonthsOfLife(t *testing.T) {
	t.Parallel()
	checks, err := strconv.Atoi(flag.Lookup("rapid.checks").Value.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, seed := range seeds(t, max(1, checks/25)) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			m := newMonths(t, seed)
			m.live(30)
			t.Logf("%d readers, %d articles, %v", len(m.readers), len(m.order), m.tally)
			if m.tally["given"] == 0 || m.tally[string(reply.Failed)] == 0 {
				t.Errorf("not much of a life: %v", m.tally)
			}
		})
	}
}
