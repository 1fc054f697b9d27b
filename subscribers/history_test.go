package subscribers_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"silkpost/subscribers"
)

// model is what a history of imports and unsubscriptions must lead to: the state of each address on one list.
type model map[string]subscribers.State

// imports says what one import does to one address.
func (m model) imports(key string, consent bool) {
	switch {
	case m[key] == subscribers.Unsubscribed || m[key] == subscribers.Active:
	case consent:
		m[key] = subscribers.Active
	default:
		m[key] = subscribers.Pending
	}
}

// No history of imports, with consent or without, in whatever form the address is written, makes somebody mailable who has
// unsubscribed, or who never agreed; and the last line of the log explains every state.
func TestHistories(t *testing.T) {
	t.Parallel()
	b := setup(t)
	histories := 0
	rapid.Check(t, func(rt *rapid.T) {
		histories++
		list := subscribers.NewList(fmt.Sprintf("history-%d", histories)) // contacts are shared by all histories
		if _, err := subscribers.DeclareList(t.Context(), b.db, list); err != nil {
			rt.Fatal(err)
		}
		want := model{}
		for range rapid.IntRange(1, 10).Draw(rt, "steps") {
			if len(want) > 0 && rapid.Bool().Draw(rt, "unsubscribe") {
				b.unsubscribeOne(t, rt, list.Slug, want)
			} else {
				b.importSome(t, rt, list.Slug, want)
			}
			b.compare(t, rt, list.Slug, want)
		}
	})
}

func (b *bundle) importSome(t *testing.T, rt *rapid.T, list string, want model) {
	forms := rapid.SliceOfN(rapid.SampledFrom([]string{
		"a@example.org", "A@example.org", "a@EXAMPLE.org", "b@example.org", "B@Example.Org", "ü@bücher.example",
		"U\u0308@xn--bcher-kva.example", "broken", "d@example.org",
	}), 0, 6).Draw(rt, "addresses")
	o := subscribers.ImportOptions{List: list, Now: b.now, KeepGoing: rapid.Bool().Draw(rt, "keep going"), DryRun: rapid.Bool().Draw(rt, "dry run")}
	if rapid.Bool().Draw(rt, "consent") {
		o.Consent = "agreed"
	}
	result, err := b.importText(t, o, "email\n"+strings.Join(forms, "\n")+"\n")
	broken := slices.Contains(forms, "broken")
	if (err != nil) != (broken && !o.KeepGoing) {
		rt.Fatalf("%+v, %v", result, err)
	}
	if err != nil || o.DryRun {
		return
	}
	for _, form := range forms {
		if address, err := subscribers.ParseAddress(form); err == nil {
			want.imports(address.Key, o.Consent != "")
		}
	}
}

func (b *bundle) unsubscribeOne(t *testing.T, rt *rapid.T, list string, want model) {
	key := rapid.SampledFrom(slices.Sorted(maps.Keys(want))).Draw(rt, "address")
	b.unsubscribe(t, fmt.Sprint(b.subscriptionOf(t, list, key)))
	want[key] = subscribers.Unsubscribed
}

func (b *bundle) compare(t *testing.T, rt *rapid.T, list string, want model) {
	expected := []string{}
	for key, state := range want {
		expected = append(expected, fmt.Sprintf("%s %s %t", key, state, state == subscribers.Active))
	}
	slices.Sort(expected)
	got := b.query(t, `
		SELECT concat_ws(' ', c.email_key, s.state,
		       CASE WHEN EXISTS (SELECT FROM subscribers.mailable m WHERE m.subscription_id = s.id) THEN 'true' ELSE 'false' END)
		FROM subscribers.subscriptions s
		JOIN subscribers.contacts c ON c.id = s.contact_id JOIN subscribers.lists l ON l.id = s.list_id
		WHERE l.slug = $1 ORDER BY c.email_key COLLATE "C"`, list)
	if diff := cmp.Diff(expected, got); diff != "" {
		rt.Fatalf("address, state, mailable (-model +database):\n%s", diff)
	}
	if odd := b.unexplained(t); len(odd) > 0 {
		rt.Fatalf("the log does not explain subscriptions %v", odd)
	}
}

// unexplained returns subscriptions whose state is not what the log says last, or whose log repeats itself.
func (b *bundle) unexplained(t testing.TB) []string {
	t.Helper()
	return b.query(t, `
		SELECT s.id FROM subscribers.subscriptions s
		WHERE s.state IS DISTINCT FROM (SELECT g.state FROM subscribers.consents g WHERE g.subscription_id = s.id ORDER BY g.id DESC LIMIT 1)
		   OR EXISTS (SELECT FROM subscribers.consents g WHERE g.subscription_id = s.id GROUP BY g.state HAVING count(*) > 1)
		   OR (s.activation > 0) IS DISTINCT FROM EXISTS (SELECT FROM subscribers.consents g WHERE g.subscription_id = s.id AND g.state = 'active')`)
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
