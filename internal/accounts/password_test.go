package accounts

import (
	"context"
	"strings"
	"testing"

	"silkpost/internal/errs"
)

func TestPasswordsAreHashedWithArgon2id(t *testing.T) {
	t.Parallel()
	s := &Store{}
	hash, err := s.hash(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	c, salt, sum, err := parsePHC(hash)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=") || c.memory < 46<<10 || c.passes < 1 || len(salt) < 16 || len(sum) < 32 {
		t.Errorf("%s: %+v %v", hash, c, err) // OWASP's Password Storage Cheat Sheet
	}
	if again, _ := s.hash(t.Context(), good); again == hash {
		t.Error("the salt is the same")
	}
	for password, want := range map[string]bool{good: true, good + " ": false, "": false, "Five quiet words here": false} {
		if ok, weak, err := s.matches(t.Context(), password, hash); ok != want || weak || err != nil {
			t.Errorf("%q: %v %v %v", password, ok, weak, err)
		}
	}
	if ok, _, _ := s.matches(t.Context(), good, ""); ok {
		t.Error("it matches nobody's")
	}
	composed, apart := "caf\u00e9 am Marktplatz", "cafe\u0301 am Marktplatz" // one word, typed on two machines
	if hash, err = s.hash(t.Context(), composed); err != nil {
		t.Fatal(err)
	}
	if ok, _, _ := s.matches(t.Context(), apart, hash); !ok {
		t.Error("the other normal form is another password")
	}
}

// A hash that was made at less than today's cost is replaced when its owner comes.
func TestWeakHashesAreReplaced(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account("owner@example.org", Owner)
	weak := cost{memory: 1 << 10, passes: 1, threads: 1}
	salt := make([]byte, saltBytes)
	sum, err := b.sum(t.Context(), good, salt, weak)
	if err != nil {
		t.Fatal(err)
	}
	b.DB.MustExec(`UPDATE accounts.accounts SET password = $2 WHERE id = $1`, id, phc(weak, salt, sum))
	b.signIn("owner@example.org")
	if n := b.count(`SELECT count(*) FROM accounts.accounts WHERE password LIKE '$argon2id$v=19$m=47104,t=2,p=1$%'`); n != 1 {
		t.Error("the weak hash stays")
	}
	b.signIn("owner@example.org")
}

func TestPasswordsThatAreRefused(t *testing.T) {
	t.Parallel()
	for password, ok := range map[string]bool{
		good: true, "short": false, "elevenchars": false, "aaaaaaaaaaaaaa": false, "owner.of.this@example.org": false, "owner.of.this1": false,
		strings.Repeat("abcdefgh", 30): false, "宁静的清晨里有五个词汇和茶": true,
	} {
		if err := CheckPassword(password, "owner.of.this@example.org"); (err == nil) != ok {
			t.Errorf("%s: %v", password, err)
		}
	}
}

// A flood of sign-ins takes the memory of two, and is turned away when the queue is full.
func TestHashingIsBounded(t *testing.T) {
	t.Parallel()
	var turns turns
	var ends []func()
	for range hashAtOnce {
		end, err := turns.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, end)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, hashersWait)
	for range hashersWait {
		go func() {
			_, err := turns.take(ctx)
			waiting <- err
		}()
	}
	for len(turns.queue) < hashersWait { //nolint:revive // until all have come
	}
	if _, err := turns.take(t.Context()); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("one too many: %v", err)
	}
	cancel()
	for range hashersWait {
		if err := <-waiting; err == nil {
			t.Error("more than two hash at once")
		}
	}
	for _, end := range ends {
		end()
	}
	if end, err := turns.take(t.Context()); err != nil {
		t.Error(err)
	} else {
		end()
	}
}
