package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"silkpost/internal/app"
	"silkpost/internal/doctor"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/dkim"
)

// says writes findings as "check state".
func says(found []doctor.Finding) string {
	var all []string
	for _, f := range found {
		all = append(all, fmt.Sprint(f.Check, " ", f.State))
	}
	return strings.Join(all, ", ")
}

// tried is what TryMail returned.
type tried struct {
	found []doctor.Finding
	err   error
}

// try sends a test mail, and returns it with the address for answers when the relay has it; what TryMail returns comes later.
func (h *bounceHouse) try(t *testing.T, to string, before int) (message []byte, answerTo string, come <-chan tried) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	result, sent := make(chan tried, 1), make(chan string, 1)
	go func() {
		found, err := h.TryMail(ctx, app.TrialOptions{To: to, Sent: func(_, answerTo string) { sent <- answerTo }})
		result <- tried{found, err}
	}()
	select {
	case answerTo = <-sent:
	case r := <-result:
		t.Fatalf("%+v", r)
	}
	h.post.WaitMessages(t, before+1)
	last := h.post.Messages()[before]
	_, message, err := h.post.Open(last.ID)
	if err != nil {
		t.Fatal(err)
	}
	if last.From != answerTo {
		t.Errorf("the envelope sender is %s, want %s", last.From, answerTo)
	}
	return message, answerTo, result
}

// bring hands a message to our listener.
func (h *bounceHouse) bring(t *testing.T, to, message string) {
	t.Helper()
	if err := smtp.SendMail(h.bounces.Addr().String(), nil, "", []string{to}, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

func TestTryMail(t *testing.T) {
	t.Parallel()
	h := openForBounces(t, catcher.Config{})
	h.apply(t, list)
	key := h.signs(t, "example.org", dkim.Ed25519)
	h.run(t, app.Parts{Worker: true, Bounces: h.bounces})

	// To ourselves, through a server that looks at it.
	message, to, come := h.try(t, "doctor@Bounce.example.org", 0)
	if m := h.post.Messages()[0]; m.To[0] != to {
		t.Errorf("it went to %v, want %s", m.To, to)
	}
	wantSigned(t, message, key)
	h.bring(t, to, "Authentication-Results: mx.example.net; spf=softfail smtp.mailfrom=bounce.example.org;\r\n dkim=pass header.d=example.org; dmarc=pass header.from=example.org\r\n"+string(message))
	if got := <-come; got.err != nil || says(got.found) != "sent.arrival ok, sent.spf problem, sent.dkim ok, sent.dmarc ok" {
		t.Errorf("%s, %v", says(got.found), got.err)
	}

	// To somebody, who forwards it.
	message, to, come = h.try(t, "you@elsewhere.example", 1)
	if m := h.post.Messages()[1]; m.To[0] != "you@elsewhere.example" || !strings.Contains(string(message), "Reply-To: <"+to+">") {
		t.Errorf("it went to %v, and says\n%s", m.To, message)
	}
	h.bring(t, to, "From: you@elsewhere.example\r\nSubject: Fwd: A test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"+
		"Authentication-Results: mx.elsewhere.example; spf=pass; dkim=pass; dmarc=pass\r\n"+string(message)+"\r\n--b--\r\n")
	if got := <-come; got.err != nil || says(got.found) != "sent.arrival ok, sent.spf ok, sent.dkim ok, sent.dmarc ok" {
		t.Errorf("%s, %v", says(got.found), got.err)
	}

	// To nobody.
	_, to, come = h.try(t, "nobody@elsewhere.example", 2)
	h.refuse(t, to)
	if got := <-come; got.err != nil || says(got.found) != "sent.arrival problem" || !strings.Contains(got.found[0].Says, "no such user") {
		t.Errorf("%+v, %v", got.found, got.err)
	}
	if n := value[int](t, h.house, `SELECT count(*) FROM subscribers.suppressions`); n != 0 {
		t.Errorf("%d suppressions after test mails", n)
	}

	// Nothing comes.
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := h.TryMail(ended, app.TrialOptions{To: "you@elsewhere.example"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := h.TryMail(t.Context(), app.TrialOptions{To: "you@elsewhere.example", List: "none"}); errs.KindOf(err) != errs.NotFound {
		t.Error(err)
	}
	if _, err := open(t).TryMail(t.Context(), app.TrialOptions{To: "you@elsewhere.example"}); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "SILKPOST_BOUNCE_DOMAIN") {
		t.Error(err)
	}
}

// A confirmation that bounces is understood, also when it is refused on the spot: the notice is marked, and its address suppressed.
func TestANoticeBounces(t *testing.T) {
	t.Parallel()
	h := openForBounces(t, catcher.Config{Script: catcher.Script{{Verb: "RCPT", To: "bo@*", Reply: "550 5.1.1 no such user"}}})
	h.apply(t, list)
	h.run(t, app.Parts{Worker: true, Bounces: h.bounces})
	h.ask(t, "anna@museum.example", "en")
	asked := h.caught(t, 1)[0]
	path := h.returnPaths()["anna@museum.example"]
	if !strings.HasPrefix(path, "n+") || !strings.HasSuffix(path, "@bounce.example.org") || strings.Contains(asked.GetHeader("Message-ID"), "bounce.") {
		t.Errorf("return path %s, Message-ID %s", path, asked.GetHeader("Message-ID"))
	}
	h.refuse(t, path)
	h.ask(t, "bo@museum.example", "en")
	testkit.Eventually(t, patience, "both have bounced", func() bool {
		return value[int](t, h.house, `SELECT count(*) FROM mailer.notices WHERE bounce_kind = 'hard' AND NOT open`) == 2
	})
	if states := value[string](t, h.house, `SELECT string_agg(state, ' ' ORDER BY made_at) FROM mailer.notices`); states != "sent failed" {
		t.Errorf("the notices are: %s", states)
	}
	if who := value[string](t, h.house, `SELECT string_agg(address_key || ' ' || reason, ', ' ORDER BY 1) FROM subscribers.suppressions`); who !=
		"anna@museum.example hard bounce, bo@museum.example hard bounce" {
		t.Errorf("suppressed: %s", who)
	}
	status, err := h.Status(t.Context())
	if err != nil || status.Notices.Bounced != 2 {
		t.Errorf("%+v, %v", status.Notices, err)
	}
	file, err := h.ContactFile(t.Context(), "anna@museum.example")
	if err != nil || file.Notices[0].BouncedAt == nil || file.Notices[0].BounceStatus != "5.1.1" {
		t.Errorf("%+v, %v", file.Notices, err)
	}
}

func TestListeningForBouncesWithACertificateThatIsNone(t *testing.T) {
	t.Parallel()
	h := open(t)
	dir := t.TempDir()
	h.Config.BounceListen, h.Config.BounceTLSCert, h.Config.BounceTLSKey = "127.0.0.1:0", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := os.WriteFile(h.Config.BounceTLSCert, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.ListenForBounces(); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "bounce_tls_cert") {
		t.Error(err)
	}
}
