package app_test

import (
	"strings"
	"testing"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
)

// mailStates waits until no mail with a link is open and returns how they stand.
func (h *house) mailStates(t *testing.T) (stand []string) {
	t.Helper()
	testkit.Eventually(t, patience, "no mail with a link is open", func() bool {
		return value[int](t, h, `SELECT count(*) FROM accounts.link_mails WHERE open`) == 0
	})
	if err := h.DB.Select(&stand, `SELECT concat_ws(' ', state, attempts, code) FROM accounts.link_mails ORDER BY made_at, id`); err != nil {
		t.Fatal(err)
	}
	return stand
}

// An invitation comes in the language of who is invited; its link works, though it was tried several times to send it, and stands nowhere.
func TestInvitations(t *testing.T) {
	t.Parallel()
	h, _ := asking(t, "", app.Options{}, catcher.Rule{Verb: catcher.Connect, Cut: catcher.CutBefore, Times: 1}, catcher.Rule{Verb: catcher.Dot, Reply: "452 4.3.1 Disk full", Times: 1})
	id, err := h.Invite(t.Context(), accounts.Account{Email: "New@Example.org", Language: "zh-Hans", Roles: []accounts.Role{accounts.Editor}})
	if err != nil {
		t.Fatal(err)
	}
	if states, err := h.InvitationStates(t.Context()); err != nil || states[id] != "pending" {
		t.Errorf("%v %v", states, err)
	}
	h.run(t, app.Parts{Worker: true})
	mail := h.caught(t, 1)[0]
	if mail.to != "new@example.org" || mail.GetHeader("Subject") != "邀请您使用 Silkpost" || !strings.Contains(mail.Text, "设置密码") || mail.GetHeader("List-Unsubscribe") != "" {
		t.Errorf("to %s, %s:\n%s", mail.to, mail.GetHeader("Subject"), mail.Text)
	}
	if got := h.mailStates(t); len(got) != 1 || got[0] != "sent 3 250" {
		t.Errorf("%q", got)
	}
	secret := mail.token(t, h, app.LinkPath)
	if n := value[int](t, h, `SELECT count(*) FROM accounts.links l, river.river_job j WHERE encode(l.hash, 'escape') LIKE '%' || $1 || '%' OR j.args::text LIKE '%' || $1 || '%'`, secret); n != 0 {
		t.Error("what is in the link is stored")
	}
	if _, err := h.Accounts.UseLink(t.Context(), secret, "five quiet words here", accounts.Visit{}); err != nil {
		t.Errorf("the link: %v", err)
	}
	if err := h.SendLink(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	again := h.caught(t, 2)[1]
	if again.GetHeader("Subject") != "设置新密码" || again.token(t, h, app.LinkPath) == secret || again.GetHeader("Message-Id") == mail.GetHeader("Message-Id") {
		t.Errorf("%s", again.GetHeader("Subject"))
	}
	for _, tt := range []struct {
		email string
		kind  errs.Kind
	}{{"new@example.org", errs.Conflict}, {"nobody", errs.Invalid}} {
		if _, err := h.Invite(t.Context(), accounts.Account{Email: tt.email, Roles: []accounts.Role{accounts.Editor}}); errs.KindOf(err) != tt.kind {
			t.Errorf("%s: %v", tt.email, err)
		}
	}
}

// What a server refuses for good is not tried again and shows; who is disabled meanwhile gets nothing.
func TestInvitationsThatFail(t *testing.T) {
	t.Parallel()
	h, _ := asking(t, "", app.Options{}, catcher.Rule{Verb: "RCPT", Reply: "550 5.1.1 No such user"})
	invite := func(email string) int64 {
		id, err := h.Invite(t.Context(), accounts.Account{Email: email, Roles: []accounts.Role{accounts.Editor}})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	id := invite("nobody@example.org")
	if err := h.Accounts.Disable(t.Context(), invite("disabled@example.org")); err != nil {
		t.Fatal(err)
	}
	h.run(t, app.Parts{Worker: true})
	got := h.mailStates(t)
	if states, err := h.InvitationStates(t.Context()); err != nil || states[id] != "failed" || len(got) != 2 || !strings.Contains(strings.Join(got, ", "), "cancelled") {
		t.Errorf("%q %v %v", got, states, err)
	}
}

// Before anything can be sent from, nobody is invited: the account would wait for a mail that never comes.
func TestInvitationsNeedASender(t *testing.T) {
	t.Parallel()
	h := open(t)
	if _, err := h.Invite(t.Context(), accounts.Account{Email: "new@example.org", Roles: []accounts.Role{accounts.Editor}}); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("%v", err)
	}
	if n := value[int](t, h, `SELECT count(*) FROM accounts.accounts`); n != 0 {
		t.Error("the account was made")
	}
}
