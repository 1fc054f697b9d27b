package dkim

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/internal/token"
)

func secrets(t testing.TB, words ...string) token.Keys {
	t.Helper()
	keys, err := token.NewKeys(words...)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// table is a ring on a database, with a clock.
type table struct {
	*Ring
	t     *testing.T
	clock *testkit.Clock
	log   *bytes.Buffer
}

func newTable(t *testing.T, secretWords ...string) *table {
	t.Helper()
	tb := &table{t: t, clock: testkit.NewClock(noon), log: &bytes.Buffer{}}
	tb.Ring = tb.ring(testkit.DB(t), secretWords...)
	return tb
}

func (tb *table) ring(db *sqlx.DB, secretWords ...string) *Ring {
	return &Ring{DB: db, Secrets: secrets(tb.t, secretWords...), Clock: tb.clock, Log: slog.New(slog.NewTextHandler(tb.log, nil))}
}

func (tb *table) create(domain string, a Algorithm) Key {
	tb.t.Helper()
	k, err := Create(tb.t.Context(), tb.DB, tb.Secrets, domain, "", a, tb.clock.Now())
	tb.must(err)
	return k
}

func (tb *table) use(k Key) []Key {
	tb.t.Helper()
	retired, err := Use(tb.t.Context(), tb.DB, tb.Secrets, k, tb.clock.Now())
	tb.must(err)
	tb.clock.Advance(fresh)
	return retired
}

func (tb *table) must(err error) {
	tb.t.Helper()
	if err != nil {
		tb.t.Fatal(err)
	}
}

// selectors are those that a message from an address is signed with, each with its domain.
func (tb *table) selectors(from string) (found []string) {
	tb.t.Helper()
	header, err := tb.Sign(from, []byte(letter))
	tb.must(err)
	if tb.Signs(from) != (len(header) > 0) {
		tb.t.Errorf("whether a message from %s is signed: %v, and it is %v", from, tb.Signs(from), len(header) > 0)
	}
	for _, one := range strings.Split(string(header), "DKIM-Signature:")[1:] {
		_, domain, _ := strings.Cut(one, " d=")
		_, selector, _ := strings.Cut(one, " s=")
		found = append(found, strings.SplitN(selector, ";", 2)[0]+"/"+strings.SplitN(domain, ";", 2)[0])
	}
	return found
}

func (tb *table) wantSelectors(from string, want ...string) {
	tb.t.Helper()
	if got := tb.selectors(from); strings.Join(got, " ") != strings.Join(want, " ") {
		tb.t.Errorf("a message from %s is signed with %v, want %v", from, got, want)
	}
}

const secretA, secretB = "the first secret of tests", "the second secret of tests"

func TestKeysSignFromTheirUseToTheirRetirement(t *testing.T) {
	t.Parallel()
	tb := newTable(t, secretA)
	tb.wantSelectors("news@example.org")
	first := tb.create("example.org", Ed25519)
	tb.clock.Advance(fresh)
	tb.wantSelectors("news@example.org") // its record is not published yet
	tb.use(first)
	tb.wantSelectors("news@example.org", "202611-ed25519/example.org")
	tb.wantSelectors("news@Mail.Example.org", "202611-ed25519/example.org") // DMARC takes a parent for aligned
	tb.wantSelectors("news@example.com")
	tb.wantSelectors("news@badexample.org")

	second := tb.create("example.org", RSA)
	if retired := tb.use(second); len(retired) > 0 {
		t.Errorf("a key of another algorithm was retired: %+v", retired)
	}
	tb.wantSelectors("news@example.org", "202611-rsa/example.org", "202611-ed25519/example.org")

	third := tb.create("example.org", Ed25519)
	if retired := tb.use(third); len(retired) != 1 || retired[0].Selector != first.Selector {
		t.Errorf("rotating retired %+v", retired)
	}
	tb.wantSelectors("news@example.org", "202611-rsa/example.org", "202611-ed25519-2/example.org")

	own := tb.create("mail.example.org", Ed25519)
	tb.use(own)
	tb.wantSelectors("news@mail.example.org", "202611-ed25519/mail.example.org")

	if err := Remove(t.Context(), tb.DB, third); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a key that signs was removed: %v", err)
	}
	tb.must(Retire(t.Context(), tb.DB, third, noon))
	if err := Retire(t.Context(), tb.DB, third, noon); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a key was retired twice: %v", err)
	}
	tb.clock.Advance(fresh)
	tb.wantSelectors("news@example.org", "202611-rsa/example.org")
	tb.must(Remove(t.Context(), tb.DB, third))
	if _, err := ByName(t.Context(), tb.DB, "example.org", third.Selector); errs.KindOf(err) != errs.NotFound {
		t.Errorf("a key that was removed: %v", err)
	}
}

func TestSecretKeysAreRotated(t *testing.T) {
	t.Parallel()
	tb := newTable(t, secretA)
	key := tb.create("example.org", Ed25519)
	tb.use(key)

	tb.Ring = tb.ring(tb.DB, secretB, secretA) // the new one in front
	tb.wantSelectors("news@example.org", "202611-ed25519/example.org")
	locks, err := Locks(t.Context(), tb.DB, tb.Secrets)
	tb.must(err)
	if len(locks) != 1 || locks[0].Secret != 1 || locks[0].Failure != "" {
		t.Errorf("locks: %+v", locks)
	}
	for _, want := range []int{1, 0} {
		if changed, err := Reseal(t.Context(), tb.DB, tb.Secrets); err != nil || changed != want {
			t.Errorf("%d keys were sealed anew (%v), want %d", changed, err, want)
		}
	}
	tb.Ring = tb.ring(tb.DB, secretB) // the old one is gone
	tb.wantSelectors("news@example.org", "202611-ed25519/example.org")
}

// TestWhatCannotBeSignedIsNotSent: mail that is to be signed never goes out without.
func TestWhatCannotBeSignedIsNotSent(t *testing.T) {
	t.Parallel()
	tb := newTable(t, secretA)
	tb.use(tb.create("example.org", Ed25519))
	tb.use(tb.create("example.org", RSA))
	waiting := tb.create("example.com", Ed25519)

	tb.Ring = tb.ring(tb.DB, secretB)
	for range 3 {
		header, err := tb.Sign("news@example.org", []byte(letter))
		if header != nil || errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), "SILKPOST_SECRET_KEY") {
			t.Errorf("%q, %v", header, err)
		}
		if !tb.Signs("news@example.org") {
			t.Error("it is not to be signed")
		}
		tb.clock.Advance(fresh)
	}
	if told := strings.Count(tb.log.String(), "cannot be opened"); told != 2 {
		t.Errorf("it was told %d times, want once for each key:\n%s", told, tb.log)
	}
	tb.wantSelectors("news@example.com") // where no key signs nothing is missing
	if _, err := Use(t.Context(), tb.DB, tb.Secrets, waiting, noon); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("a key that cannot be opened is used: %v", err)
	}
	if _, err := Reseal(t.Context(), tb.DB, tb.Secrets); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("keys that cannot be opened were sealed anew: %v", err)
	}
	locks, err := Locks(t.Context(), tb.DB, tb.Secrets)
	tb.must(err)
	for _, l := range locks {
		if l.Failure == "" {
			t.Errorf("%s opens", l.Selector)
		}
	}
	if _, err := tb.ring(tb.DB, secretB).Sign("news@example.org", []byte(letter)); err == nil {
		t.Error("signed with another secret")
	}
}

func TestWhatIsKnownHoldsWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	tb := newTable(t, secretA)
	tb.use(tb.create("example.org", Ed25519))
	tb.wantSelectors("news@example.org", "202611-ed25519/example.org")
	tb.must(tb.DB.Close())
	tb.clock.Advance(stale - fresh)
	tb.wantSelectors("news@example.org", "202611-ed25519/example.org")
	tb.clock.Advance(stale)
	if header, err := tb.Sign("news@example.org", []byte(letter)); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("%q, %v", header, err)
	}
	if !tb.Signs("news@example.org") {
		t.Error("what cannot be signed would go unsigned")
	}
}

// TestADumpSignsNothing looks for the private keys in all that the table holds.
func TestADumpSignsNothing(t *testing.T) {
	t.Parallel()
	tb := newTable(t, secretA)
	key := tb.create("example.org", Ed25519)
	private, _, err := openStored(t.Context(), tb.DB, tb.Secrets, &key)
	tb.must(err)
	seed := private.(interface{ Seed() []byte }).Seed()
	var rows []byte
	tb.must(tb.DB.Get(&rows, `SELECT string_agg(sealed || public || convert_to(selector || domain, 'UTF8'), '') FROM mailer.dkim_keys`))
	if len(seed) != 32 || bytes.Contains(rows, seed) {
		t.Error("the table holds a private key")
	}
	// In another row it does not open: nobody can move a key to a domain that they may publish records of.
	if _, err := tb.DB.Exec(`UPDATE mailer.dkim_keys SET domain = 'evil.example'`); err != nil {
		t.Fatal(err)
	}
	key.Domain = "evil.example"
	if _, _, err := openStored(t.Context(), tb.DB, tb.Secrets, &key); err == nil {
		t.Error("a sealed key opens in another row")
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	tb := newTable(t, secretA)
	for _, tt := range []struct {
		domain, selector string
		algorithm        Algorithm
		want             errs.Kind
	}{
		{"org", "s", RSA, errs.Invalid},
		{"co.uk", "s", RSA, errs.Invalid},
		{"example.org", "a b", Ed25519, errs.Invalid},
		{"example.org", "-a", Ed25519, errs.Invalid},
		{"example.org", strings.Repeat("a.", 9) + "a", Ed25519, errs.Invalid},
		{"example.org", "s", "dsa", errs.Invalid},
	} {
		if _, err := Create(t.Context(), tb.DB, tb.Secrets, tt.domain, tt.selector, tt.algorithm, noon); errs.KindOf(err) != tt.want || err == nil {
			t.Errorf("%+v: %v", tt, err)
		}
	}
	if _, err := Create(t.Context(), tb.DB, nil, "example.org", "s", Ed25519, noon); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("sealed without a secret key: %v", err)
	}
	_, err := Create(t.Context(), tb.DB, tb.Secrets, "example.org", "S", Ed25519, noon)
	tb.must(err)
	if _, err := Create(t.Context(), tb.DB, tb.Secrets, "Example.org", "s", RSA, noon); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a selector was taken twice: %v", err)
	}
}

// TestManySignAtOnce is for the race detector.
func TestManySignAtOnce(t *testing.T) {
	t.Parallel()
	tb := newTable(t, secretA)
	tb.use(tb.create("example.org", Ed25519))
	tb.use(tb.create("example.org", RSA))
	done := make(chan error)
	for range 8 {
		go func() {
			var failed error
			for range 5 {
				if _, err := tb.Sign("news@example.org", []byte(letter)); err != nil {
					failed = err
				}
				tb.clock.Advance(time.Second)
			}
			done <- failed
		}()
	}
	for range 8 {
		tb.must(<-done)
	}
}
