package app_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/config"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/send"
)

// record is a log that is read while it is written.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *record) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// attempts returns the lines of attempts by contact and number.
func (l *record) attempts(t *testing.T) (all []map[string]any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.b.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if fields["msg"] == "attempt" {
			all = append(all, fields)
		}
	}
	return all
}

var refusing = catcher.Config{Script: catcher.Script{
	{Verb: "RCPT", To: "reader-0@*", Reply: "550 5.1.1 <reader-0@partner.example> is unknown here"},
	{Verb: "RCPT", To: "reader-1@*", Reply: "452 4.2.2 reader-1 is full", Times: 1},
	{Verb: catcher.Dot, Reply: "250 2.0.0 Ok: queued as 4XyZ1234AbC"},
}}

func sendLogged(t *testing.T, change func(*config.Config)) []map[string]any {
	t.Helper()
	log := &record{}
	h := openOn(t, testkit.FreshURL(t), catchertest.Start(t, refusing), app.Options{
		Retry: &send.Retry{First: time.Millisecond, Longest: time.Millisecond, GiveUp: time.Hour, InDoubt: time.Millisecond},
	})
	h.Log = slog.New(slog.NewJSONHandler(log, nil))
	change(&h.Config)
	h.apply(t, list)
	h.contacts(t, many(3, "weekly")...)
	h.articles(t, relayEn)
	h.send(t)
	return log.attempts(t)
}

func TestEachAttemptHasItsLine(t *testing.T) {
	t.Parallel()
	got := map[string]map[string]any{}
	for _, line := range sendLogged(t, func(*config.Config) {}) {
		got[line["outcome"].(string)] = line
		for _, field := range []string{"edition", "contact", "relay", "phase", "code", "ms", "attempt", "destination"} {
			if line[field] == nil || line[field] == "" {
				t.Errorf("%s: no %s", line["outcome"], field)
			}
		}
		if line["to"] != "r••••@partner.example" || line["list"] != "partners" || line["level"] != "INFO" {
			t.Errorf("%v", line)
		}
		for field, value := range line {
			if text, ok := value.(string); ok && (strings.Contains(text, "reader-0") || strings.Contains(text, "reader-1")) {
				t.Errorf("%s names somebody: %s", field, text)
			}
		}
	}
	if got["sent"]["queue_id"] != "4XyZ1234AbC" || got["sent"]["code"] != 250.0 || got["sent"]["next"] != nil {
		t.Errorf("sent: %v", got["sent"])
	}
	if got["failed"]["enhanced"] != "5.1.1" || got["failed"]["about"] != "no such address" || got["failed"]["phase"] != "rcpt" {
		t.Errorf("failed: %v", got["failed"])
	}
	if got["deferred"]["next"] == nil || got["deferred"]["attempt"] != 1.0 {
		t.Errorf("deferred: %v", got["deferred"])
	}
}

func TestLinesOfAttemptsCanBeChosen(t *testing.T) {
	t.Parallel()
	lines := sendLogged(t, func(c *config.Config) { c.LogAttempts, c.LogAddresses = config.LogUnsent, config.Whole })
	if len(lines) != 2 {
		t.Fatalf("%d lines, not those of the two that were not sent", len(lines))
	}
	for _, line := range lines {
		if to := line["to"]; to != "reader-0@partner.example" && to != "reader-1@partner.example" {
			t.Errorf("to %s", to)
		}
	}
}

// sink is a log without a disk. That io.Discard drops all, slog would know.
type sink struct{}

func (*sink) Write(p []byte) (int, error) { return len(p), nil }

func BenchmarkAttemptLine(b *testing.B) {
	log := slog.New(slog.NewJSONHandler(&sink{}, nil))
	observe := app.ObserverForTest(log)
	b.ReportAllocs()
	for b.Loop() {
		observe()
	}
}

func TestDebugListener(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list)
	h.contacts(t, many(3, "weekly")...)
	h.articles(t, relayEn)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.run(t, app.Parts{Web: h.web, Worker: true, Debug: ln})
	testkit.Eventually(t, patience, "the worker is there", func() bool {
		status, err := h.Status(t.Context())
		return err == nil && status.Workers == 1
	})
	h.send(t)
	get := func(url string) string {
		answer, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", url, answer.StatusCode, err)
		}
		return string(body)
	}
	for _, base := range []string{"http://" + ln.Addr().String(), h.PublicURL()} {
		numbers := get(base + "/metrics")
		for _, want := range []string{
			`silkpost_attempts_total{kind="accepted",outcome="sent"} 3`, "silkpost_senders 1", "go_goroutines ", "silkpost_claimed_total 3", "silkpost_settle_duration_seconds_count", "silkpost_smtp_connections ", "silkpost_feed_cache_bytes ",
			`silkpost_deliveries{state="sent"} `, "silkpost_database_up 1", `silkpost_jobs{queue=`, "go_sql_open_connections",
		} {
			if !strings.Contains(numbers, want) {
				t.Errorf("%s: no %s", base, want)
			}
		}
	}
	page := get("http://" + ln.Addr().String() + "/")
	if !strings.Contains(page, "/debug/pprof/") || !strings.Contains(page, "smtp_connections") || strings.Contains(page, secretKey) {
		t.Errorf("the debug page:\n%s", page)
	}
	get("http://" + ln.Addr().String() + "/debug/pprof/goroutine?debug=1")
}
