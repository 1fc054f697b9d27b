package subscribers_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"silkpost/internal/database"
	"silkpost/subscribers"
)

// model is what a history must lead to: everybody on one list, by the key of their address.
type model map[string]*person

// forms are the ways in which the addresses of a history are written. Each history has its own people: suppression and erasure go beyond lists.
func forms(history int) []string {
	var all []string
	for _, form := range []string{
		"a-%d@example.org", "A-%d@example.org", "a-%d@EXAMPLE.org", "b@d%d.example", "B@D%d.Example", "ü-%d@bücher.example", "U\u0308-%d@xn--bcher-kva.example",
		"c@d%d.example", "e-%d@example.org",
	} {
		all = append(all, fmt.Sprintf(form, history))
	}
	return append(all, "broken")
}

// history is one random history, done to the database and to the model.
type history struct {
	*bundle
	t       *testing.T
	rt      *rapid.T
	list    string
	n       int
	want    model
	ids     map[string]int64 // of the subscriptions
	domains map[string]bool  // that are suppressed
	last    string           // whom the last change concerned; most things happen to the same people
}

// No history of imports, with consent or without, in whatever form the address is written and whatever the rows say, and of what people and
// administrators do, makes somebody mailable who has left, bounced, complained, was suppressed or erased, but by their own word; and the log
// explains every state.
func TestHistories(t *testing.T) {
	t.Parallel()
	b := setup(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		list := subscribers.NewList(fmt.Sprintf("history-%d", n))
		if _, err := subscribers.DeclareList(t.Context(), b.db, list); err != nil {
			rt.Fatal(err)
		}
		h := &history{bundle: b, t: t, rt: rt, list: list.Slug, n: n, want: model{}, ids: map[string]int64{}, domains: map[string]bool{}}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			if living := h.living(); len(living) > 0 && rapid.Bool().Draw(rt, "a change") {
				if !slices.Contains(living, h.last) || rapid.IntRange(0, 2).Draw(rt, "somebody else") == 0 {
					h.last = rapid.SampledFrom(living).Draw(rt, "address")
				}
				h.changes(h.last)
			} else {
				h.imports()
			}
			h.compare()
		}
	})
}

// living returns who can still be spoken of by an address.
func (h *history) living() (keys []string) {
	for key, p := range h.want {
		if !p.erased {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// sayings are what a row can say of its subscription.
var sayings = []string{"", "", "", "", "active", "pending", "unsubscribed", "hard bounce", "complaint", "manual"}

func (h *history) imports() {
	o := subscribers.ImportOptions{
		List: h.list, Now: h.now, Origin: "history.csv", KeepGoing: rapid.Bool().Draw(h.rt, "keep going"), DryRun: rapid.IntRange(0, 4).Draw(h.rt, "dry run") == 0,
	}
	if rapid.Bool().Draw(h.rt, "consent") {
		o.Consent = "agreed"
	}
	rows, refused := []string{"email,status,country"}, 0
	says, heard := map[string][]string{}, map[string][]string{} // in rows that are taken, and in those that are refused for their country
	for range rapid.IntRange(0, 6).Draw(h.rt, "rows") {
		form, word, country := rapid.SampledFrom(forms(h.n)).Draw(h.rt, "address"), rapid.SampledFrom(sayings).Draw(h.rt, "status"), ""
		if rapid.IntRange(0, 3).Draw(h.rt, "country") == 0 {
			country, word = "Atlantis", rapid.SampledFrom([]string{"", "pending", "unsubscribed", "unsubscribed", "complaint"}).Draw(h.rt, "status of a refused row")
		}
		rows = append(rows, form+","+statusWord(word)+","+country)
		address, err := subscribers.ParseAddress(form)
		switch {
		case err != nil || h.want[address.Key] != nil && h.want[address.Key].erased:
			refused++
		case country != "":
			refused++
			heard[address.Key] = append(heard[address.Key], word)
		default:
			says[address.Key] = append(says[address.Key], word)
		}
	}
	before := h.mailable()
	result, err := h.importText(h.t, o, strings.Join(rows, "\n")+"\n")
	if (err != nil) != (refused > 0 && !o.KeepGoing) || result.Refused != refused {
		h.rt.Fatalf("%q: %+v, %v", rows, result, err)
	}
	if err == nil && !o.DryRun {
		for key, words := range says {
			if h.want[key] == nil {
				h.want[key] = newPerson()
				h.want[key].domain = h.domains[key[strings.LastIndexByte(key, '@')+1:]]
				h.ids[key] = h.subscriptionOf(h.t, h.list, key)
			}
			h.want[key].imported(slices.Concat(words, heard[key]), o.Consent != "")
		}
		for key, words := range heard {
			if says[key] == nil && h.want[key] != nil {
				h.want[key].imported(words, false)
			}
		}
	}
	h.onlyTheWelcome(before, says, heard, o.Consent != "")
}

// statusWord is how a table says it.
func statusWord(says string) string {
	if says == "manual" {
		return "blocklisted"
	}
	return says
}

// onlyTheWelcome checks what an import must never do, without the model's help: whoever is mailable now and was not before is somebody for whom
// a consent was stated and of whom no row said no, and who was new or pending.
func (h *history) onlyTheWelcome(before []string, says, heard map[string][]string, consent bool) {
	for _, key := range h.mailable() {
		spokeAgainst := slices.ContainsFunc(slices.Concat(says[key], heard[key]), func(word string) bool { return word != "" && word != "active" })
		if !slices.Contains(before, key) && (!consent || spokeAgainst || says[key] == nil) {
			h.rt.Fatalf("an import made %s mailable", key)
		}
	}
}

func (h *history) mailable() []string {
	return h.query(h.t, `SELECT c.email_key FROM subscribers.mailable m JOIN subscribers.lists l ON l.id = m.list_id
		JOIN subscribers.contacts c ON c.id = m.contact_id WHERE l.slug = $1`, h.list)
}

// changes is what a person, an administrator or the time does to a subscription or an address.
func (h *history) changes(key string) {
	p, id := h.want[key], h.ids[key]
	e := subscribers.Evidence{At: h.now, Method: rapid.SampledFrom([]subscribers.Method{subscribers.ByOneClick, subscribers.ByPage, subscribers.ByConfirmation}).Draw(h.rt, "method")}
	later := h.now.Add(time.Hour)
	ctx, domain := h.t.Context(), key[strings.LastIndexByte(key, '@')+1:]
	var err error
	switch change := rapid.SampledFrom([]string{
		"unsubscribe", "leave and come back", "confirm", "confirm", "pause", "resume", "schedule", "suppress", "suppress the domain", "lift", "lift the domain", "erase",
	}).Draw(h.rt, "change"); change {
	case "unsubscribe":
		err = subscribers.Unsubscribe(ctx, h.db, id, e)
		p.unsubscribe()
	case "leave and come back":
		err = database.Transact(ctx, h.db, func(tx *sqlx.Tx) error {
			ended, err := subscribers.Leave(ctx, tx, []int64{id}, e)
			if err != nil {
				return err
			}
			return subscribers.Restore(ctx, tx, ended, e)
		})
		p.leaveAndComeBack()
	case "confirm":
		err = subscribers.Confirm(ctx, h.db, id, e)
		p.confirm()
	case "pause":
		err = subscribers.Pause(ctx, h.db, id, &later, rapid.Bool().Draw(h.rt, "catch up later"), e)
		p.pause()
	case "resume":
		err = subscribers.Resume(ctx, h.db, id, rapid.Bool().Draw(h.rt, "catch up"), e)
		p.resume(true)
	case "schedule":
		_, err = subscribers.ResumeDue(ctx, h.db, later)
		for _, other := range h.want {
			other.resume(false)
		}
	case "suppress":
		reason := rapid.SampledFrom(reasons).Draw(h.rt, "reason")
		_, err = subscribers.Suppress(ctx, h.db, key, reason, "a test", h.now)
		p.suppress(reason)
	case "suppress the domain":
		if domain == fmt.Sprintf("d%d.example", h.n) { // nobody else's
			_, err = subscribers.Suppress(ctx, h.db, domain, subscribers.Manual, "a test", h.now)
			h.suppressDomain(domain, true)
		}
	case "lift":
		_ = subscribers.Lift(ctx, h.db, key, "1", h.now) // it may say that there is more, or nothing
		delete(p.suppressed, subscribers.Manual)
	case "lift the domain":
		_ = subscribers.Lift(ctx, h.db, domain, "1", h.now)
		h.suppressDomain(domain, false)
	case "erase":
		h.erase(h.t, key)
		p.erase()
	}
	if err != nil {
		h.rt.Fatal(err)
	}
}

func (h *history) suppressDomain(domain string, on bool) {
	h.domains[domain] = on
	for key, p := range h.want {
		if strings.HasSuffix(key, "@"+domain) {
			p.domain = on
		}
	}
}

// compare compares everything that the model knows.
func (h *history) compare() {
	expected := []string{}
	for key, p := range h.want {
		expected = append(expected, fmt.Sprintf("%d %v", h.ids[key], p))
	}
	slices.Sort(expected)
	got := h.standings(h.t, h.list)
	slices.Sort(got)
	if diff := cmp.Diff(expected, got); diff != "" {
		h.rt.Fatalf("subscription, state, mailable, log, suppressed (-model +database):\n%s", diff)
	}
	if odd := h.unexplained(h.t); len(odd) > 0 {
		h.rt.Fatalf("the log does not explain subscriptions %v", odd)
	}
}

// standings returns what the model knows, of everybody on a list.
func (b *bundle) standings(t testing.TB, list string) []string {
	t.Helper()
	return b.query(t, `
		SELECT s.id || ' ' || s.state || ' ' || (EXISTS (SELECT FROM subscribers.mailable m WHERE m.subscription_id = s.id))::text || ' '
		       || (SELECT string_agg(g.state, '>' ORDER BY g.id) FROM subscribers.consents g WHERE g.subscription_id = s.id) || ' ['
		       || coalesce((SELECT string_agg(x.reason, ' ' ORDER BY x.reason) FROM subscribers.suppressions x
		                    WHERE x.address_key = c.email_key AND x.lifted_at IS NULL), '') || ']'
		FROM subscribers.subscriptions s
		JOIN subscribers.contacts c ON c.id = s.contact_id JOIN subscribers.lists l ON l.id = s.list_id
		WHERE l.slug = $1`, list)
}

// unexplained returns subscriptions whose state is not what the log says last, whose log says the same twice in a row (but for a pause that was
// changed), or which were active without a word.
func (b *bundle) unexplained(t testing.TB) []string {
	t.Helper()
	return b.query(t, `
		WITH said AS (
			SELECT subscription_id, state, lag(state) OVER w AS before, row_number() OVER (PARTITION BY subscription_id ORDER BY id DESC) AS age
			FROM subscribers.consents WINDOW w AS (PARTITION BY subscription_id ORDER BY id))
		SELECT s.id FROM subscribers.subscriptions s
		WHERE s.state IS DISTINCT FROM (SELECT state FROM said WHERE subscription_id = s.id AND age = 1)
		   OR EXISTS (SELECT FROM said WHERE subscription_id = s.id AND state = before AND state <> 'paused')
		   OR (s.activation > 0) IS DISTINCT FROM EXISTS (SELECT FROM said WHERE subscription_id = s.id AND state = 'active')`)
}

// Imports of the same people in opposite orders, on two lists, while some of them unsubscribe.
func TestConcurrentImports(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := subscribers.DeclareList(t.Context(), b.db, fullList()); err != nil {
		t.Fatal(err)
	}
	const people, importers = 200, 12
	b.mustImport(t, b.options(), overlapping(0, people))
	var left []int64
	for i := 0; i < people; i += 4 {
		left = append(left, b.subscriptionOf(t, "partners", fmt.Sprintf("p%d@example.org", i)))
	}
	var work sync.WaitGroup
	for i := range importers {
		work.Go(func() {
			o := b.options()
			o.List = []string{"partners", "events"}[i%2]
			o.Now = b.now.Add(time.Duration(i) * time.Second)
			if result, err := b.importText(t, o, overlapping(i, people)); err != nil || result.Refused > 0 {
				t.Errorf("import %d: %+v, %v", i, result, err)
			}
		})
	}
	for _, id := range left {
		work.Go(func() {
			if err := subscribers.Unsubscribe(t.Context(), b.db, id, subscribers.Evidence{At: b.now, Method: subscribers.ByOneClick, Statement: ""}); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	got := b.query(t, `
		SELECT l.slug || ' ' || s.state || ' ' || count(*) FROM subscribers.subscriptions s
		JOIN subscribers.lists l ON l.id = s.list_id GROUP BY l.slug, s.state ORDER BY 1`)
	if diff := cmp.Diff([]string{"events active 200", "partners active 150", "partners unsubscribed 50"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if odd := b.unexplained(t); len(odd) > 0 {
		t.Errorf("the log does not explain subscriptions %v", odd)
	}
	counts := b.query(t, `SELECT (SELECT count(*) FROM subscribers.contacts) || ' ' || (SELECT count(*) FROM subscribers.organisations)
		|| ' ' || (SELECT count(*) FROM subscribers.memberships)`)
	if counts[0] != "200 7 200" {
		t.Errorf("contacts, organisations, memberships: %s", counts[0])
	}
}

// overlapping returns a file of the same people, every other time backwards.
func overlapping(turn, people int) string {
	var file strings.Builder
	file.WriteString("email,organisation,country,turn\n")
	for i := range people {
		if turn%2 == 1 {
			i = people - 1 - i
		}
		fmt.Fprintf(&file, "p%d@example.org,Partner %d,IT,%d\n", i, i%7, turn)
	}
	return file.String()
}
