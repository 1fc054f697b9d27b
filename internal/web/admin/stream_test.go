package admin

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/errs"
)

// follow serves a stream and returns what the browser of a session reads of it, line by line.
func follow(t *testing.T, s *site, f func(ctx context.Context, send func(string, any) error) error) (lines *bufio.Scanner, leave func()) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{Request: r, w: w, actor: accounts.Actor{Name: "account 1", Session: "a"}}
		if _, err := s.stream(v, f); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return bufio.NewScanner(resp.Body), cancel
}

func newStreams() *site {
	return &site{Config: Config{App: &app.App{}}, log: slog.New(slog.DiscardHandler)}
}

// all returns the rest of a stream.
func all(lines *bufio.Scanner) string {
	var b strings.Builder
	for lines.Scan() {
		b.WriteString(lines.Text() + "\n")
	}
	return b.String()
}

func TestStreamSendsWhatComesAndItsEnd(t *testing.T) {
	t.Parallel()
	lines, _ := follow(t, newStreams(), func(_ context.Context, send func(string, any) error) error {
		return send("progress", "<p>3 of\n10</p>")
	})
	wanted := "retry: 3000\n\nevent: progress\ndata: \"\\u003cp\\u003e3 of\\n10\\u003c/p\\u003e\"\n\nevent: end\ndata: null\n\n"
	if got := all(lines); got != wanted {
		t.Errorf("%q", got)
	}
}

func TestStreamThatFailsHasNoEnd(t *testing.T) {
	t.Parallel()
	lines, _ := follow(t, newStreams(), func(context.Context, func(string, any) error) error { return errors.New("the database is away") })
	if got := all(lines); strings.Contains(got, "end") || strings.Contains(got, "away") {
		t.Errorf("%q", got)
	}
}

func TestStreamEndsWithWhoFollowsIt(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	lines, leave := follow(t, newStreams(), func(ctx context.Context, send func(string, any) error) error {
		if err := send("begun", nil); err != nil {
			return err
		}
		<-ctx.Done()
		close(ended)
		return ctx.Err()
	})
	lines.Scan()
	leave()
	<-ended
}

func TestStreamsOfOneSessionAreFew(t *testing.T) {
	t.Parallel()
	s := newStreams()
	begun := make(chan struct{})
	for range streamsEach {
		follow(t, s, func(ctx context.Context, _ func(string, any) error) error {
			begun <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
		<-begun
	}
	v := &visit{Request: httptest.NewRequest(http.MethodGet, "/", nil), w: httptest.NewRecorder(), actor: accounts.Actor{Name: "account 1", Session: "a"}}
	nothing := func(context.Context, func(string, any) error) error { return nil }
	if _, err := s.stream(v, nothing); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("one more: %v", err)
	}
	v.actor.Session = "b"
	if _, err := s.stream(v, nothing); err != nil {
		t.Errorf("another session: %v", err)
	}
}
