package app_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
)

// Whoever takes for ever to listen does not make stopping a failure.
func TestStoppingCutsEndlessRequestsOff(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cut := make(chan struct{})
	endless := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel() // it has come, and will not go
		<-r.Context().Done()
		close(cut)
	})
	go func() { _, _ = http.Get(h.PublicURL() + "/mail/") }()
	begun := time.Now()
	if err := h.Run(ctx, app.Parts{Web: h.web, Extra: endless}); err != nil {
		t.Errorf("it ended with: %v", err)
	}
	if took := time.Since(begun); took > patience {
		t.Errorf("that took %s", took)
	}
	select {
	case <-cut:
	case <-time.After(patience):
		t.Error("the request lives on")
	}
}

// An answer that goes on for long ends by itself when it hears of it.
func TestStoppingTellsThoseWhoFollow(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	followed := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		cancel()
		<-h.Stopping()
		_, _ = w.Write([]byte("until then"))
	})
	said := make(chan string, 1)
	go func() {
		resp, err := http.Get(h.PublicURL() + "/mail/")
		if err != nil {
			said <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		said <- string(body)
	}()
	if err := h.Run(ctx, app.Parts{Web: h.web, Extra: followed}); err != nil {
		t.Errorf("it ended with: %v", err)
	}
	if got := <-said; got != "until then" {
		t.Errorf("who followed got %q", got)
	}
}

// What net/http has to say belongs in our log, in its form.
func TestPanicsOfHandlersAreLogged(t *testing.T) {
	t.Parallel()
	said := &buffer{}
	a, err := app.Open(t.Context(), settings(testkit.FreshURL(t), catchertest.Start(t, catcher.Config{})), app.Options{Log: slog.New(slog.NewTextHandler(said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{App: a}
	if h.web, err = a.Listen(); err != nil {
		t.Fatal(err)
	}
	stop := h.run(t, app.Parts{Web: h.web, Extra: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the roof is open") })})
	if answer, err := http.Get(h.PublicURL() + "/mail/"); err == nil {
		t.Errorf("it answers %s", answer.Status)
	}
	stop()
	if err := a.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if log := said.String(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, "the roof is open") {
		t.Errorf("logged:\n%s", log)
	}
}

// A web that knows no key would call every link to unsubscribe unknown.
func TestWebWithoutSecretKeyCannotBegin(t *testing.T) {
	t.Parallel()
	cfg := settings(testkit.FreshURL(t), catchertest.Start(t, catcher.Config{}))
	cfg.SecretKey = nil
	a, err := app.Open(t.Context(), cfg, app.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close(context.Background()) }()
	ln, err := a.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience) // to end even when it begins
	defer cancel()
	if err := a.Run(ctx, app.Parts{Web: ln}); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "SILKPOST_SECRET_KEY") {
		t.Errorf("got %v", err)
	}
	if conn, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("the web listens on")
	}
}

// buffer is a log that may be read while it is written.
type buffer struct {
	mu   sync.Mutex
	said bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.said.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.said.String()
}
