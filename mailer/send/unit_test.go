package send

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

func TestParseRelay(t *testing.T) {
	t.Parallel()
	tests := []struct {
		url  string
		want Relay
	}{
		{"smtp://mail.example.org", Relay{Host: "mail.example.org", Port: 587, TLS: StartTLS}},
		{"smtps://u:p%40ss@mail.example.org", Relay{Host: "mail.example.org", Port: 465, User: "u", Password: "p@ss", TLS: Implicit}},
		{"smtp://127.0.0.1:1025?tls=none", Relay{Host: "127.0.0.1", Port: 1025, TLS: None}},
		{"smtp://[::1]:25/?tls=opportunistic", Relay{Host: "::1", Port: 25, TLS: Opportunistic}},
	}
	for _, tt := range tests {
		if got, err := ParseRelay(tt.url); err != nil || got != tt.want {
			t.Errorf("%s: got %+v, %v", tt.url, got, err)
		}
	}
	for _, bad := range []string{
		"", "mail.example.org", "http://mail.example.org", "smtp://", "smtp://u:secret@:587", "smtp://h:99999", "smtp://h:0", "smtp://h:x",
		"smtp://h/path", "smtp://h?tls=no", "smtp://h?tsl=none", "smtps://h?tls=none", "smtp://u:secret@h:5 87", "smtp://u:secret@h#x",
		"smtp://u:12?secret@h", "smtp://u:12/secret@h", "smtp://u:12#secret@h", "smtp://u:se%cret@h",
	} {
		_, err := ParseRelay(bad)
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What a server reads up to the final dot (RFC 5321, 4.5.2) is what was to be sent.
func TestStuffIsUndoneByTheServer(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOf(rapid.StringMatching(`\.{0,3}[a. ]{0,5}`)).Draw(t, "lines")
		message := strings.Join(lines, "\r\n") + "\r\n"
		wire := stuff([]byte(message))
		r := textproto.NewReader(newReader(wire))
		got, err := io.ReadAll(r.DotReader())
		if err != nil || string(got) != strings.ReplaceAll(message, "\r\n", "\n") {
			t.Fatalf("%q came as %q, %v", message, got, err)
		}
		if rest, _ := r.R.Peek(1); len(rest) > 0 {
			t.Fatalf("%q: something follows the final dot", message)
		}
	})
}

func TestAttempt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	p := Retry{First: 2 * time.Minute, Longest: time.Hour, GiveUp: 24 * time.Hour, InDoubt: 10 * time.Minute}
	tests := []struct {
		name     string
		r        reply.Reply
		attempts int
		age      time.Duration
		outcome  reply.Outcome
		min, max time.Duration // until the next attempt; 0: none
	}{
		{"accepted", reply.Reply{Phase: reply.Dot, Code: 250}, 0, 0, reply.Sent, 0, 0},
		{"refused", reply.Reply{Phase: reply.Rcpt, Code: 550}, 0, 0, reply.Failed, 0, 0},
		{"later", reply.Reply{Phase: reply.Rcpt, Code: 450}, 0, 0, reply.Deferred, 2 * time.Minute, 150 * time.Second},
		{"later again", reply.Reply{Phase: reply.Rcpt, Code: 450}, 3, 0, reply.Deferred, 16 * time.Minute, 20 * time.Minute},
		{"at most", reply.Reply{Phase: reply.Rcpt, Code: 450}, 60, 0, reply.Deferred, time.Hour, 75 * time.Minute},
		{"given up", reply.Reply{Phase: reply.Rcpt, Code: 450}, 60, 24 * time.Hour, reply.Failed, 0, 0},
		{"in doubt", reply.Reply{Phase: reply.Dot}, 0, 0, reply.InDoubt, 10 * time.Minute, 10 * time.Minute},
		{"in doubt for good", reply.Reply{Phase: reply.Dot}, 9, 24 * time.Hour, reply.InDoubt, 0, 0},
	}
	for _, tt := range tests {
		d := &ledger.Delivery{EditionID: uuid.New(), ContactID: 7, Attempts: tt.attempts, NotBefore: now.Add(-tt.age)}
		a := p.attempt(uuid.New(), d, tt.r, now)
		wait := a.DueAt.Sub(now)
		if a.DueAt.IsZero() {
			wait = 0
		}
		if a.Outcome != tt.outcome || wait < tt.min || wait > tt.max {
			t.Errorf("%s: %s, again after %v", tt.name, a.Outcome, wait)
		}
	}
	d := &ledger.Delivery{EditionID: uuid.New(), ContactID: 7, NotBefore: now, LeaveInDoubt: true}
	if a := p.attempt(uuid.New(), d, reply.Reply{Phase: reply.Dot}, now); a.Outcome != reply.InDoubt || !a.DueAt.IsZero() {
		t.Errorf("to be left: %s, again at %v", a.Outcome, a.DueAt)
	}
}

func TestRoutePauses(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	r := newRoutes(Relay{Host: "one"}, 5)
	way := r.way()
	left := func() time.Duration { return way.until.Sub(now) }
	r.failed(way, now)
	r.failed(way, now) // another connection, at the same time
	if left() != firstPause {
		t.Errorf("after the first failure: %v", left())
	}
	for range 10 {
		now = way.until
		r.failed(way, now)
	}
	if left() != longestPause {
		t.Errorf("after many: %v", left())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r.wait(ctx, now) {
		t.Error("did not wait")
	}
	r.worked(way, now)
	if !r.wait(t.Context(), now) {
		t.Error("waits although it works")
	}
}

// Mail goes over the second relay when nothing connects to the first, or when that refused everything three times in a row; back, when that is said;
// and the first is looked at the later the less it lasts.
func TestTheSecondRelayStandsIn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	r := newRoutes(Relay{Host: "one", Fallback: &Relay{Host: "two"}}, 3)
	one, two := r.all[0], r.all[1]
	for i := range 2 { // the first takes one away
		if dead := r.unreachable(one, now); dead != (i == 1) {
			t.Errorf("after %d failures: dead is %v", i+1, dead)
		}
	}
	if news, other := r.failed(one, now); !news || other != two || r.way() != two || r.pauses(now) {
		t.Errorf("nothing connects: news %v, over %v", news, r.way().relay.Host)
	}
	if wait, away := r.next(); wait != firstProbe || !away {
		t.Errorf("looks after %s", wait)
	}
	r.later()
	r.comeBack(now)
	if r.way() != one || r.pauses(now) {
		t.Error("not back")
	}
	for i := range 3 {
		now = now.Add(31 * time.Second)
		if i == 1 { // it takes one in between: those before do not count
			r.worked(one, now)
		}
		if _, other := r.failed(one, now); other != nil {
			t.Errorf("over the second relay after %d refusals", i+1)
		}
	}
	if _, other := r.failed(one, now.Add(time.Minute)); other != two {
		t.Error("still over the first relay")
	}
	if wait, _ := r.next(); wait != 4*firstProbe {
		t.Errorf("looks after %s, and it had not worked for long", wait)
	}
	for range 5 { // there is no third
		now = now.Add(2 * time.Minute)
		if _, other := r.failed(two, now); other != nil || r.way() != two {
			t.Error("leaves the second relay")
		}
	}
	if !r.pauses(now) {
		t.Error("the second relay does not pause")
	}
}

func newReader(wire []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(wire)) }

// With the defaults the second attempt comes within minutes, they thin out, and the last is not later than a day.
func TestDefaultRetry(t *testing.T) {
	t.Parallel()
	hour := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	greylisted := reply.Reply{Phase: reply.Rcpt, Code: 450, Text: "4.2.0 greylisted"}
	var waits []time.Duration
	now := hour
	for attempts := 0; ; attempts++ {
		outcome, due := DefaultRetry.Next(greylisted, Tried{Contact: 7, Attempts: attempts, Since: hour}, now)
		if due.IsZero() {
			if outcome != reply.Failed || now.After(hour.Add(24*time.Hour)) || now.Before(hour.Add(22*time.Hour)) {
				t.Errorf("given up as %s after %s", outcome, now.Sub(hour))
			}
			break
		}
		if outcome != reply.Deferred {
			t.Fatalf("attempt %d: %s", attempts, outcome)
		}
		waits = append(waits, due.Sub(now))
		now = due
	}
	if first := waits[0]; first < 2*time.Minute || first > 3*time.Minute {
		t.Errorf("the first wait is %s", first)
	}
	if len(waits) < 20 || len(waits) > 40 {
		t.Errorf("%d attempts: %v", len(waits), waits)
	}
}
