package app_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/dkim"
)

// signs makes a key for a domain that signs from now on.
func (h *house) signs(t *testing.T, domain string, algorithm dkim.Algorithm) dkim.Key {
	t.Helper()
	key, err := h.MakeKey(t.Context(), domain, "", algorithm)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.UseKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	return key
}

// wantSigned has another implementation check that a message carries a good signature of each key and no other.
func wantSigned(t *testing.T, message []byte, keys ...dkim.Key) {
	t.Helper()
	var mu sync.Mutex // signatures are verified side by side
	var used []string
	found, err := msgauth.VerifyWithOptions(bytes.NewReader(message), &msgauth.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		for _, k := range keys {
			if k.Name() == name {
				mu.Lock()
				used = append(used, name)
				mu.Unlock()
				return []string{k.Record()}, nil
			}
		}
		return nil, fmt.Errorf("no record of %s", name)
	}})
	if err != nil || len(found) != len(keys) {
		t.Errorf("%d signatures, want %d (%v) in\n%s", len(found), len(keys), err, message)
	}
	for _, v := range found {
		if v.Err != nil {
			t.Errorf("%v in\n%s", v.Err, message)
		}
		for _, name := range []string{"From", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"} {
			if bytes.Contains(message, []byte("\r\n"+name+":")) && !slices.Contains(v.HeaderKeys, name) {
				t.Errorf("%s is not signed", name)
			}
		}
	}
	if slices.Sort(used); len(slices.Compact(used)) != len(keys) {
		t.Errorf("signed with %v", used)
	}
}

// TestAllMailIsSigned sends one of each kind: digests, notices and both kinds of test mails.
func TestAllMailIsSigned(t *testing.T) {
	t.Parallel()
	h, clock := asking(t, "welcome = \"last-edition\"\n", app.Options{})
	clock.Set(time.Now()) // signatures expire by the verifier's clock
	h.Config.PublicURL = "https://news.example.org"
	keys := []dkim.Key{h.signs(t, "example.org", dkim.RSA), h.signs(t, "Example.org", dkim.Ed25519)}
	h.contacts(t, "anna@museum.example,Anna,en,weekly")
	h.articles(t, relayEn, relayIt)
	sent := h.send(t)
	wantSigned(t, h.caught(t, 1)[0].raw, keys...)

	if _, err := h.TestDigest(t.Context(), "partners", "you@example.org", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := h.TestEdition(t.Context(), sent.Editions[0].ID, "you@example.org", ""); err != nil {
		t.Fatal(err)
	}
	h.run(t, app.Parts{Web: h.web, Worker: true})
	joined := h.ask(t, "bo@museum.example", "it")
	h.caught(t, 4)
	h.confirm(t, joined[0].Subscription)
	for _, l := range h.caught(t, 6)[1:] { // welcome and last edition
		wantSigned(t, l.raw, keys...)
	}
}

// TestSignedMailSurvivesDots: what is doubled on the wire is signed as it is read.
func TestSignedMailSurvivesDots(t *testing.T) {
	t.Parallel()
	h, clock := asking(t, "", app.Options{})
	clock.Set(time.Now())
	h.Config.PublicURL = "https://news.example.org"
	key := h.signs(t, "example.org", dkim.Ed25519)
	h.contacts(t, "anna@museum.example,Anna,en,weekly")
	dots := relayEn
	dots.body = strings.Repeat(".... one\n.. two\n\n. three\n\n", 40)
	h.articles(t, dots)
	h.send(t)
	wantSigned(t, h.caught(t, 1)[0].raw, key)
}

func TestMailOfADomainWithoutKeysGoesUnsigned(t *testing.T) {
	t.Parallel()
	h, _ := asking(t, "", app.Options{})
	h.Config.PublicURL = "https://news.example.org"
	h.signs(t, "elsewhere.example.org", dkim.Ed25519)
	if _, err := h.MakeKey(t.Context(), "example.org", "", dkim.Ed25519); err != nil { // not used yet
		t.Fatal(err)
	}
	h.contacts(t, "anna@museum.example,Anna,en,weekly")
	h.articles(t, relayEn)
	h.send(t)
	wantSigned(t, h.caught(t, 1)[0].raw)
}

// TestNothingGoesUnsignedWithALockedKey: a secret key that was lost defers mail, and status says why.
func TestNothingGoesUnsignedWithALockedKey(t *testing.T) {
	t.Parallel()
	url, post := testkit.FreshURL(t), catchertest.Start(t, catcher.Config{})
	h := openOn(t, url, post, app.Options{})
	h.apply(t, list)
	h.signs(t, "example.org", dkim.Ed25519)
	h.contacts(t, "anna@museum.example,Anna,en,weekly")
	h.articles(t, relayEn)

	with := settings(url, post)
	with.SecretKey, with.PublicURL = []string{"another key of the tests"}, "https://news.example.org"
	other, err := app.Open(t.Context(), with, app.Options{Log: testkit.Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := other.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	sent, err := other.SendDigest(t.Context(), app.SendOptions{List: "partners"})
	if err != nil || sent.Deliveries.Deferred != 1 || post.Counts().Messages != 0 {
		t.Errorf("%+v, %v; %d messages", sent.Deliveries, err, post.Counts().Messages)
	}
	lines, err := other.Deliveries(t.Context(), sent.Editions[0].ID)
	if err != nil || !strings.Contains(lines[0].Reply, "cannot be signed") || !strings.Contains(lines[0].Reply, "SILKPOST_SECRET_KEY") {
		t.Errorf("%+v, %v", lines, err)
	}
	if _, err := other.TestDigest(t.Context(), "partners", "you@example.org", ""); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("a test mail: %v", err)
	}
	status, err := other.Status(t.Context())
	if err != nil || len(status.Locked) != 1 || status.Locked[0].Domain != "example.org" {
		t.Errorf("%+v, %v", status.Locked, err)
	}
	if status, err := h.Status(t.Context()); err != nil || len(status.Locked) != 0 {
		t.Errorf("%+v, %v", status.Locked, err)
	}
}
