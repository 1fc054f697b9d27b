package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
)

// ready is a house with an edition that waits for approval.
func ready(t *testing.T, opt app.Options) (*house, app.Sent) {
	t.Helper()
	h := openOn(t, testkit.FreshURL(t), catchertest.Start(t, catcher.Config{}), opt)
	h.apply(t, list+"approval = true\n")
	h.contacts(t, "anna@museum.example,Anna,en,weekly")
	h.articles(t, relayEn)
	sent, err := h.SendDigest(t.Context(), app.SendOptions{List: "partners"})
	if err != nil {
		t.Fatal(err)
	}
	return h, sent
}

// promote makes a database look as if its server had been promoted.
func (h *house) promote(t *testing.T) {
	t.Helper()
	if _, err := h.DB.Exec(`UPDATE installation.identity SET timeline = '00000000'`); err != nil {
		t.Fatal(err)
	}
}

func (h *house) why(t *testing.T) string {
	t.Helper()
	s, err := h.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Held
}

func (h *house) awaitHeld(t *testing.T, reason string) {
	t.Helper()
	testkit.Eventually(t, 20*time.Second, "held because of: "+reason, func() bool { return strings.Contains(h.why(t), reason) })
}

// A held database serves its pages and sends nothing, by whichever way, until it is adopted; then what is due goes out.
func TestHeldUntilAdopted(t *testing.T) {
	t.Parallel()
	h, sent := ready(t, app.Options{})
	h.promote(t)
	if err := h.Approve(t.Context(), sent.Editions[0].ID); err != nil {
		t.Fatal(err)
	}
	h.run(t, app.Parts{Web: h.web, Worker: true})
	if got := get(t, h.PublicURL()+"/readyz"); got.StatusCode != http.StatusOK {
		t.Errorf("/readyz: %d", got.StatusCode)
	}
	if why := h.why(t); !strings.Contains(why, "promoted") {
		t.Errorf("the status says it is held because of %q", why)
	}
	for name, send := range map[string]func() error{
		"digest send": func() error {
			_, err := h.SendDigest(t.Context(), app.SendOptions{List: "partners", Approve: true})
			return err
		},
		"digest test": func() error { _, err := h.TestDigest(t.Context(), "partners", "desk@example.org", ""); return err },
	} {
		if err := send(); errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "silkpost adopt") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := value[int](t, h, `SELECT count(*) FROM mailer.senders`); n != 0 || len(h.post.Messages()) > 0 {
		t.Errorf("%d senders, %d messages", n, len(h.post.Messages()))
	}
	d, err := h.Adoption(t.Context())
	if err != nil || d.Open != 1 || d.Why == "" {
		t.Errorf("%+v, %v", d, err)
	}
	if err := h.Adopt(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitUntilSent(t, h, sent.Editions[0].ID)
	if d, err := h.Adoption(t.Context()); err != nil || d.Why != "" || d.Open != 0 {
		t.Errorf("afterwards: %+v, %v", d, err)
	}
}

// A server that is promoted while the program runs holds it at once: what is approved then waits.
func TestHeldWhileRunning(t *testing.T) {
	t.Parallel()
	h, sent := ready(t, app.Options{})
	h.run(t, app.Parts{Worker: true})
	senders := func() int { return value[int](t, h, `SELECT count(*) FROM mailer.senders`) }
	testkit.Eventually(t, 10*time.Second, "a sender", func() bool { return senders() == 1 })
	h.promote(t)
	if err := h.Approve(t.Context(), sent.Editions[0].ID); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 20*time.Second, "no sender", func() bool { return senders() == 0 })
	if got := h.post.Messages(); len(got) > 0 {
		t.Errorf("%d messages went out", len(got))
	}
	if err := h.Adopt(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitUntilSent(t, h, sent.Editions[0].ID)
}

// Whatever its own server says: a database is held when another one answers at the public URL, and cannot be adopted while it does.
func TestAnotherAtThePublicURL(t *testing.T) {
	t.Parallel()
	original := open(t)
	original.run(t, app.Parts{Web: original.web})
	copied, sent := ready(t, app.Options{AskPublicURL: true})
	own := copied.Config.PublicURL
	copied.Config.PublicURL = original.Config.PublicURL
	if err := copied.Approve(t.Context(), sent.Editions[0].ID); err != nil {
		t.Fatal(err)
	}
	copied.run(t, app.Parts{Worker: true, Web: copied.web})
	copied.awaitHeld(t, "another database answers at "+original.Config.PublicURL)
	if err := copied.Adopt(t.Context()); errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "another database answers") {
		t.Errorf("adopted: %v", err)
	}
	if copied.why(t) == "" || len(copied.post.Messages()) > 0 {
		t.Error("it is not held any more")
	}
	mended := openOn(t, copied.Config.DatabaseURL, copied.post, app.Options{}) // a command with the right address
	mended.Config.PublicURL = own
	if err := mended.Adopt(t.Context()); err != nil {
		t.Fatal(err)
	}
	copied.awaitHeld(t, "another database") // by the worker, whose address still leads to the other
	if len(copied.post.Messages()) > 0 {
		t.Error("something was sent between")
	}
}

// Any process on the same database proves it; what cannot be reached, or is no installation, decides nothing; what only claims to be ours does.
func TestWhoAnswersAtThePublicURL(t *testing.T) {
	t.Parallel()
	answering := func(status int, body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	const id = "0190a000-0000-7000-8000-000000000001"
	for name, tt := range map[string]struct {
		url  func(t *testing.T, h *house) string
		held bool
	}{
		"another process on the same database": {func(t *testing.T, h *house) string {
			second := openOn(t, h.Config.DatabaseURL, h.post, app.Options{})
			second.run(t, app.Parts{Web: second.web})
			return second.Config.PublicURL
		}, false},
		"nobody":       {func(*testing.T, *house) string { return "http://127.0.0.1:1" }, false},
		"no such page": {func(*testing.T, *house) string { return answering(http.StatusNotFound, "") }, false},
		"a page":       {func(*testing.T, *house) string { return answering(http.StatusOK, "<!doctype html><title>News</title>") }, false},
		"a failure":    {func(*testing.T, *house) string { return answering(http.StatusServiceUnavailable, "") }, false},
		"another": {func(*testing.T, *house) string {
			return answering(http.StatusOK, `{"installation":"`+id+`","proof":""}`)
		}, true},
		"one that forges": {func(*testing.T, *house) string {
			return answering(http.StatusOK, `{"installation":"`+id+`","proof":"Dybea-M5K9zJOuJ2Anp"}`)
		}, true},
		"one that repeats": {func(t *testing.T, h *house) string {
			second := openOn(t, h.Config.DatabaseURL, h.post, app.Options{})
			second.run(t, app.Parts{Web: second.web})
			return answering(http.StatusOK, string(get(t, second.Config.PublicURL+"/.well-known/silkpost").body))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, sent := ready(t, app.Options{AskPublicURL: true})
			h.Config.PublicURL = tt.url(t, h)
			if err := h.Approve(t.Context(), sent.Editions[0].ID); err != nil {
				t.Fatal(err)
			}
			h.run(t, app.Parts{Worker: true})
			if tt.held {
				h.awaitHeld(t, "another database answers at "+h.Config.PublicURL)
				if len(h.post.Messages()) > 0 {
					t.Error("it sent something first")
				}
				return
			}
			waitUntilSent(t, h, sent.Editions[0].ID)
			if why := h.why(t); why != "" {
				t.Errorf("held because of %q", why)
			}
		})
	}
}
