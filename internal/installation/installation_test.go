package installation_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/installation"
	"silkpost/internal/testkit"
	"silkpost/internal/token"
)

func ring(t *testing.T, secrets ...string) token.Keys {
	t.Helper()
	keys, err := token.NewKeys(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// Only who has the key and reads the same database can prove it; proofs are for one challenge.
func TestProofs(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	if err := installation.Enrol(t.Context(), db, "", now); err != nil {
		t.Fatal(err)
	}
	keys := ring(t, "a newer key, which signs", "a key of the tests alone")
	nonce, err := installation.Challenge(t.Context(), db, now)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := installation.Reply(t.Context(), db, keys, nonce)
	if err != nil {
		t.Fatal(err)
	}
	sent, _ := json.Marshal(answer)
	if answer, err = installation.ParseAnswer(sent); err != nil || !answer.Proves(keys, nonce) {
		t.Errorf("%s, %v", sent, err)
	}
	other, _ := installation.Challenge(t.Context(), db, now)
	if other == nonce || answer.Proves(keys, other) {
		t.Error("one proof is good for two challenges")
	}
	for name, forged := range map[string]string{
		"none": "", "another key's": ring(t, "the key of somebody else").SignWith("installation", 0, nonce), "another purpose": keys.SignWith("view", 0, nonce),
		"another id": keys.SignWith("installation", 1, nonce),
	} {
		if (installation.Answer{Proof: forged}).Proves(keys, nonce) {
			t.Errorf("%s proves it", name)
		}
	}
	if theirs, err := installation.Reply(t.Context(), db, ring(t, "the key of somebody else"), nonce); err != nil || theirs.Proves(keys, nonce) {
		t.Errorf("a process with another key proves it: %v", err)
	}
	for _, guess := range []string{"", "x", "\x00", strings.Repeat("A", 26), strings.Repeat("A", 1<<16), nonce + "A"} {
		if a, err := installation.Reply(t.Context(), db, keys, guess); err != nil || a.Proof != "" {
			t.Errorf("%.30q: %+v, %v", guess, a, err)
		}
	}
	if _, err := installation.Challenge(t.Context(), db, now.Add(11*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if a, err := installation.Reply(t.Context(), db, keys, nonce); err != nil || a.Proof != "" {
		t.Errorf("an old challenge is answered: %+v, %v", a, err)
	}
}

func FuzzParseAnswer(f *testing.F) {
	for _, seed := range []string{`{"installation":"0190a000-0000-7000-8000-000000000001","proof":"x"}`, `{}`, `<!doctype html>`, `{"installation":1}`, `null`} {
		f.Add([]byte(seed))
	}
	keys, err := token.NewKeys("a key of the tests alone")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := installation.ParseAnswer(body)
		if err != nil && errs.KindOf(err) != errs.Invalid {
			t.Errorf("%q: %v", body, err)
		}
		if a.Proves(keys, "NONCE") {
			t.Errorf("%q proves something", body)
		}
	})
}

// A database that was never enrolled is not held, and can be adopted. What was noted first stays.
func TestHold(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	if why := standing(t, db); why != "" {
		t.Errorf("never enrolled: %s", why)
	}
	if err := installation.Adopt(t.Context(), db, "", now); err != nil {
		t.Fatal(err)
	}
	for _, why := range []string{"first", "second"} {
		if err := installation.Hold(t.Context(), db, why); err != nil {
			t.Fatal(err)
		}
	}
	if why := standing(t, db); why != "first" {
		t.Errorf("held because of %q", why)
	}
	if err := installation.Adopt(t.Context(), db, "", now); err != nil {
		t.Fatal(err)
	}
	if why := standing(t, db); why != "" {
		t.Errorf("adopted: %s", why)
	}
}

func standing(t *testing.T, db *sqlx.DB) string {
	t.Helper()
	s, err := installation.Of(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return s.Held
}

// An ordinary account, as administrators give one to a program, may ask what is needed; one that may not is not held for it.
func TestOrdinaryAccounts(t *testing.T) {
	t.Parallel()
	raw := testkit.FreshURL(t)
	admin, err := database.Open(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	role := "plain_" + strings.ReplaceAll(raw[strings.LastIndex(raw, "test_"):][:6], "?", "")
	admin.MustExec(`CREATE ROLE ` + role + ` LOGIN; GRANT USAGE ON SCHEMA installation TO ` + role + `; GRANT ALL ON ALL TABLES IN SCHEMA installation TO ` + role)
	t.Cleanup(func() { admin.MustExec(`DROP OWNED BY ` + role + `; DROP ROLE ` + role) })
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("user", role)
	u.User, u.RawQuery = url.User(role), query.Encode()
	plain, err := database.Open(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	if err := installation.Enrol(t.Context(), plain, "", now); err != nil {
		t.Fatal(err)
	}
	if s, err := installation.Of(t.Context(), plain); err != nil || s.Blind || s.Held != "" {
		t.Errorf("%+v, %v", s, err)
	}
	admin.MustExec(`REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_current_wal_lsn(), pg_walfile_name(pg_lsn) FROM public`)
	if s, err := installation.Of(t.Context(), plain); err != nil || !s.Blind || s.Held != "" {
		t.Errorf("who may not ask: %+v, %v", s, err)
	}
}
