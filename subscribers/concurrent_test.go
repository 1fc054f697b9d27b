package subscribers_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/subscribers"
)

// crowd are people of one list to whom many things happen at the same time.
type crowd struct {
	*bundle
	random  *rand.Rand
	ids     []int64   // of the subscriptions
	began   []*person // as they were before
	acts    [][]act   // what happens to each
	covered [][]int   // whom each import speaks of
	all     []func() error
}

// act is what one of the things that happen does to one person, in the model.
type act struct {
	name string
	on   func(p *person)
}

func address(i int) string { return fmt.Sprintf("p%d@example.org", i) }

// gather makes a crowd, half of which agreed.
func gather(t *testing.T, people int, seed uint64) *crowd {
	t.Helper()
	c := &crowd{bundle: setup(t), random: rand.New(rand.NewPCG(seed, 2026)), acts: make([][]act, people)}
	for i := range people {
		p, o := newPerson(), c.options()
		if i%2 == 1 {
			o.Consent = ""
		}
		p.imported(nil, o.Consent != "")
		c.began = append(c.began, p)
		c.mustImport(t, o, "email\n"+address(i)+"\n")
		c.ids = append(c.ids, c.subscriptionOf(t, "partners", address(i)))
	}
	return c
}

// addImport adds an import of some people; its number stands with each of them as an attribute.
func (c *crowd) addImport(t *testing.T, people int) {
	n, o := len(c.covered), c.options()
	o.KeepGoing = true
	if n%2 == 1 {
		o.Consent = ""
	}
	rows, whom := []string{"email,status,turn"}, c.random.Perm(len(c.ids))[:people]
	for _, i := range whom {
		word := sayings[c.random.IntN(len(sayings))]
		rows = append(rows, fmt.Sprintf("%s,%s,%d", address(i), statusWord(word), n))
		c.acts[i] = append(c.acts[i], act{
			name: fmt.Sprintf("import %d, consent %v, %q", n, o.Consent != "", word),
			on:   func(p *person) { p.imported([]string{word}, o.Consent != "") },
		})
	}
	c.covered = append(c.covered, whom)
	c.all = append(c.all, func() error {
		_, err := c.importText(t, o, strings.Join(rows, "\n")+"\n")
		return err
	})
}

// addChange adds something that concerns one person.
func (c *crowd) addChange(t *testing.T) {
	i := c.random.IntN(len(c.ids))
	id, e, ctx := c.ids[i], subscribers.Evidence{At: c.now, Method: subscribers.ByPage}, t.Context()
	reason := reasons[c.random.IntN(len(reasons))]
	later := c.now.Add(time.Hour)
	changes := []struct {
		act
		do func(tx *sqlx.Tx) error
	}{
		{act{"unsubscribe", (*person).unsubscribe}, func(tx *sqlx.Tx) error { return subscribers.Unsubscribe(ctx, tx, id, e) }},
		{act{"confirm", (*person).confirm}, func(tx *sqlx.Tx) error { return subscribers.Confirm(ctx, tx, id, e) }},
		{act{"pause", (*person).pause}, func(tx *sqlx.Tx) error { return subscribers.Pause(ctx, tx, id, &later, false, e) }},
		{act{"resume", func(p *person) { p.resume(true) }}, func(tx *sqlx.Tx) error { return subscribers.Resume(ctx, tx, id, true, e) }},
		{act{"suppress for a " + string(reason), func(p *person) { p.suppress(reason) }}, func(tx *sqlx.Tx) error {
			_, err := subscribers.Suppress(ctx, tx, address(i), reason, "a test", c.now)
			return err
		}},
		{act{"erase", (*person).erase}, func(tx *sqlx.Tx) error {
			s, err := subscribers.SubscriptionByID(ctx, tx, id)
			if err != nil {
				return err
			}
			return subscribers.Erase(ctx, tx, s.Contact.ID, c.now, "1")
		}},
	}
	change := changes[c.random.IntN(len(changes))]
	c.acts[i] = append(c.acts[i], change.act)
	c.all = append(c.all, func() error { return database.Transact(ctx, c.db, change.do) })
}

// happen lets everything happen at once. Whoever is too late for somebody who was erased is told so.
func (c *crowd) happen(t *testing.T) {
	t.Helper()
	var work sync.WaitGroup
	for _, do := range c.all {
		work.Go(func() {
			if err := do(); err != nil && errs.KindOf(err) != errs.Gone && !strings.Contains(err.Error(), "no rows") {
				t.Error(err)
			}
		})
	}
	work.Wait()
}

// checkEverybody checks that for each person some order of what happened explains how they stand and their whole log.
func (c *crowd) checkEverybody(t *testing.T) {
	t.Helper()
	standings := map[int64]string{}
	for _, line := range c.standings(t, "partners") {
		id, standing, _ := strings.Cut(line, " ")
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		standings[n] = standing
	}
	for i, id := range c.ids {
		if !explains(c.began[i], c.acts[i], standings[id], map[string]bool{}) {
			var names []string
			for _, a := range c.acts[i] {
				names = append(names, a.name)
			}
			t.Errorf("%s, who was %v, is %q; no order of these explains it:\n%s", address(i), c.began[i], standings[id], strings.Join(names, "\n"))
		}
	}
	if odd := c.unexplained(t); len(odd) > 0 {
		t.Errorf("the log does not explain subscriptions %v", odd)
	}
}

// explains reports whether doing the acts in some order leads to a standing. seen holds what was tried in vain.
func explains(p *person, acts []act, standing string, seen map[string]bool) bool {
	if len(acts) == 0 {
		return p.String() == standing
	}
	for i, a := range acts {
		next, rest := p.clone(), slices.Concat(acts[:i], acts[i+1:])
		a.on(next)
		var names []string
		for _, r := range rest {
			names = append(names, r.name)
		}
		key := fmt.Sprint(next, next.saidYes, next.erased, next.ever, names)
		if seen[key] {
			continue
		}
		if explains(next, rest, standing, seen) {
			return true
		}
		seen[key] = true
	}
	return false
}

// checkTurns checks that one order of the imports explains for everybody which was the last to speak of them.
func (c *crowd) checkTurns(t *testing.T) {
	t.Helper()
	before := map[int]map[int]bool{} // the imports that each comes after
	for n := range c.covered {
		before[n] = map[int]bool{}
	}
	for i := range c.ids {
		last := c.query(t, `SELECT attributes->>'turn' FROM subscribers.contacts WHERE email_key = $1 AND attributes ? 'turn'`, address(i))
		if len(last) == 0 {
			continue // erased, or never spoken of
		}
		n, err := strconv.Atoi(last[0])
		if err != nil {
			t.Fatal(err)
		}
		for other, whom := range c.covered {
			if other != n && slices.Contains(whom, i) {
				before[n][other] = true
			}
		}
	}
	for len(before) > 0 {
		free := slices.IndexFunc(slices.Sorted(maps.Keys(before)), func(n int) bool {
			return !slices.ContainsFunc(slices.Collect(maps.Keys(before[n])), func(m int) bool { return before[m] != nil })
		})
		if free < 0 {
			t.Fatalf("no order explains who came last: %v", before)
		}
		delete(before, slices.Sorted(maps.Keys(before))[free])
	}
}

// Fifty imports and changes of overlapping people at the same time end in a state that some order of them, one after the other, explains.
func TestConcurrentImportsAndChanges(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		c := gather(t, 40, seed)
		for range 25 {
			c.addImport(t, 8)
			c.addChange(t)
		}
		c.happen(t)
		c.checkEverybody(t)
		c.checkTurns(t)
	}
}

// meanwhile does something in a transaction, begins an import, and commits when the import waits for it.
func (b *bundle) meanwhile(t *testing.T, do func(tx *sqlx.Tx) error, o subscribers.ImportOptions, file string) subscribers.ImportResult {
	t.Helper()
	var result subscribers.ImportResult
	var work sync.WaitGroup
	err := database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		work.Go(func() {
			var err error
			if result, err = b.importText(t, o, file); err != nil {
				t.Error(err)
			}
		})
		testkit.Eventually(t, time.Minute, "the import waits", func() bool {
			return b.query(t, `SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())`)[0] != "0"
		})
		return nil
	})
	work.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Whoever says yes while a file that says no for them is being imported has said it in time.
func TestImportHearsAYesThatIsBeingSaid(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.options()
	o.Consent = ""
	b.mustImport(t, o, "email\na@example.org\n")
	id := b.subscriptionOf(t, "partners", "a@example.org")
	b.meanwhile(t, func(tx *sqlx.Tx) error {
		return subscribers.Confirm(t.Context(), tx, id, subscribers.Evidence{At: b.now, Method: subscribers.ByConfirmation})
	}, o, "email,status\na@example.org,unsubscribed\n")
	if got := b.mailable(t); !slices.Equal(got, []string{"a@example.org"}) {
		t.Errorf("mailable: %q", got)
	}
}

// Whoever is being erased while a file that names them is imported does not come back by it.
func TestImportHearsOfAnErasureThatIsBeingDone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email\na@example.org\n")
	contact, err := subscribers.ContactByEmail(t.Context(), b.db, "a@example.org")
	if err != nil {
		t.Fatal(err)
	}
	o := b.options()
	o.KeepGoing = true
	got := b.meanwhile(t, func(tx *sqlx.Tx) error { return subscribers.Erase(t.Context(), tx, contact.ID, b.now, "1") }, o, "email\na@example.org\nb@example.org\n")
	if got.Refused != 1 || got.Imported != 1 || !slices.Equal(b.mailable(t), []string{"b@example.org"}) {
		t.Errorf("%+v, mailable: %q", got, b.mailable(t))
	}
}

// An import begins anew when addresses are added or changed between its statements, and loses nobody.
func TestImportBeginsAnew(t *testing.T) {
	t.Parallel()
	for name, doing := range map[string]string{
		"changed": `UPDATE subscribers.contacts SET email = 'c@example.org', email_key = 'c@example.org' WHERE email_key = 'a@example.org'`,
		"added":   `INSERT INTO subscribers.contacts (email, email_key, created_at) VALUES ('b@example.org', 'b@example.org', '2026-01-01')`,
	} {
		b := setup(t)
		b.mustImport(t, b.options(), "email,name\na@example.org,A\n")
		// The sequence remembers that it was done, though what was done is rolled back with the import.
		b.db.MustExecContext(t.Context(), `
			CREATE SEQUENCE attempts;
			CREATE FUNCTION somebody_else() RETURNS trigger LANGUAGE plpgsql AS $$
			BEGIN
				IF pg_trigger_depth() = 1 AND nextval('attempts') = 1 THEN `+doing+`; END IF;
				RETURN NULL;
			END $$;
			CREATE TRIGGER somebody_else BEFORE INSERT ON subscribers.contacts FOR EACH STATEMENT EXECUTE FUNCTION somebody_else()`)
		got := b.mustImport(t, b.options(), "email,name\na@example.org,New\nb@example.org,B\n")
		if diff := cmp.Diff(subscribers.ImportResult{Imported: 1, Changed: 1}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		names := b.query(t, `SELECT name FROM subscribers.contacts ORDER BY email`)
		if attempts := b.query(t, `SELECT last_value FROM attempts`)[0]; !slices.Equal(names, []string{"New", "B"}) || attempts != "2" {
			t.Errorf("%s: %q after %s attempts", name, names, attempts)
		}
	}
}
