package accounts

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"silkpost/internal/errs"
	"silkpost/internal/token"
)

// factor sets a second factor up and returns its secret and the recovery codes.
func (b bench) factor(id int64) (secret string, recovery []string) {
	b.t.Helper()
	if err := b.BeginFactor(b.t.Context(), id); err != nil {
		b.t.Fatal(err)
	}
	f, err := b.NewFactor(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	recovery, err = b.FinishFactor(b.t.Context(), id, b.code(f.Secret, 0), 0)
	if err != nil {
		b.t.Fatal(err)
	}
	b.clock.Advance(codeEvery)
	return f.Secret, recovery
}

// code returns the code of a moment, as an app shows it.
func (b bench) code(secret string, later time.Duration) string {
	b.t.Helper()
	code, err := totp.GenerateCode(secret, b.clock.Now().Add(later))
	if err != nil {
		b.t.Fatal(err)
	}
	return code
}

func TestTheSecondFactorIsNeeded(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account("owner@example.org", Owner)
	earlier := b.signIn("owner@example.org").Token
	secret, _ := b.factor(id)
	if !b.gone(earlier) {
		t.Error("a session from before goes on")
	}
	waiting := b.signIn("owner@example.org")
	if !waiting.NeedsCode || !b.gone(waiting.Token) {
		t.Fatalf("%+v: the password alone is enough", waiting)
	}
	code := b.code(secret, 0)
	got, err := b.EnterCode(t.Context(), waiting.Token, code[:3]+" "+code[3:], from("192.0.2.1"))
	if err != nil || b.gone(got.Token) || got.Token == waiting.Token {
		t.Fatalf("%v", err)
	}
	if _, err := b.EnterCode(t.Context(), waiting.Token, b.code(secret, codeEvery), from("192.0.2.1")); errs.KindOf(err) != errs.NotFound {
		t.Errorf("the waiting session can be used twice: %v", err)
	}
	if n := b.count(`SELECT count(*) FROM accounts.accounts WHERE encode(totp, 'escape') LIKE '%' || $1 || '%'`, secret); n != 0 {
		t.Error("the secret is stored as it is")
	}
}

func TestCodesWorkOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	secret, recovery := b.factor(b.account("owner@example.org", Owner))
	used := b.code(secret, 0)
	for _, tt := range []struct {
		code string
		ok   bool
	}{
		{used, true},
		{used, false},
		{b.code(secret, -codeEvery), false},
		{b.code(secret, 3*codeEvery), false},
		{b.code(secret, codeEvery), true},
		{"", false},
		{"000000000", false},
		{recovery[0], true},
		{recovery[0], false},
		{strings.ToUpper(strings.ReplaceAll(recovery[1], "-", " ")), true},
		{recovery[1], false},
		{recovery[2], true},
	} {
		waiting := b.signIn("owner@example.org")
		if _, err := b.EnterCode(t.Context(), waiting.Token, tt.code, from("192.0.2.1")); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.code, err)
		}
	}
	if a, err := b.ByEmail(t.Context(), "owner@example.org"); err != nil || a.Recovery != recoveryCodes-3 {
		t.Errorf("%d recovery codes are left, %v", a.Recovery, err)
	}
}

func TestCodesCannotBeGuessed(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account("owner@example.org", Owner)
	secret, _ := b.factor(id)
	tried := 0
	for range 20 {
		waiting := b.signIn("owner@example.org") // a new session each time is no way round the limit
		if _, err := b.EnterCode(t.Context(), waiting.Token, "12345", from("192.0.2.1")); errs.KindOf(err) == errs.Invalid {
			tried++
		}
	}
	if tried > perCode.free {
		t.Errorf("%d codes were tried", tried)
	}
	b.clock.Advance(perCode.longest)
	waiting := b.signIn("owner@example.org")
	b.clock.Advance(codeDue)
	if _, err := b.EnterCode(t.Context(), waiting.Token, b.code(secret, 0), from("192.0.2.1")); errs.KindOf(err) != errs.NotFound {
		t.Errorf("a code after too long: %v", err)
	}
}

// When the secret key changes the second factors are sealed anew; then the old key can go. Until then it is needed, and one that nothing opens is said.
func TestSecondFactorsAreResealed(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account("owner@example.org", Owner)
	secret, _ := b.factor(id)
	begun := b.account("reader@example.org", Reader)
	if err := b.BeginFactor(t.Context(), begun); err != nil {
		t.Fatal(err)
	}
	newer, err := token.NewKeys("another secret key", "a secret key of tests")
	if err != nil {
		t.Fatal(err)
	}
	b.Keys = newer[:1]
	if _, err := b.Reseal(t.Context(), b.DB); errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), "owner@example.org --reset-second-factor") {
		t.Errorf("what nothing opens: %v", err)
	}
	b.Keys = newer
	for round, want := range []int{2, 0} {
		outdated, err := b.Outdated(t.Context())
		if changed, failed := b.Reseal(t.Context(), b.DB); failed != nil || err != nil || changed != want || outdated != min(want, 1) {
			t.Errorf("round %d: %d of %d were sealed anew, %v, %v", round, changed, outdated, err, failed)
		}
	}
	b.Keys = newer[:1]
	waiting := b.signIn("owner@example.org")
	if _, err := b.EnterCode(t.Context(), waiting.Token, b.code(secret, 0), from("192.0.2.1")); err != nil {
		t.Errorf("without the old key: %v", err)
	}
	if _, err := b.NewFactor(t.Context(), begun); err != nil {
		t.Errorf("what was begun: %v", err)
	}
}

func TestALinkDoesNotStandInForTheSecondFactor(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account("owner@example.org", Owner)
	b.factor(id)
	for purpose, password := range map[Purpose]string{ToSetPassword: "other quiet words", ToSignIn: ""} {
		link, err := b.MakeLink(t.Context(), id, purpose, LinkFor)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b.UseLink(t.Context(), link, password, from("192.0.2.1")); err != nil || !got.NeedsCode {
			t.Errorf("%s: %+v %v", purpose, got, err)
		}
	}
	if err := b.ResetFactor(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if got, err := b.SignIn(t.Context(), "owner@example.org", "other quiet words", from("192.0.2.1")); err != nil || got.NeedsCode {
		t.Errorf("after its reset: %+v %v", got, err)
	}
}
