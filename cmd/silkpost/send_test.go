package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/testkit"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
)

var catchingAt = regexp.MustCompile(`Catching mail at (\S+:\d+)\.`)

// caughtAt returns where a running catch takes mail.
func caughtAt(t *testing.T, catch *process) string {
	t.Helper()
	return catchingAt.FindStringSubmatch(catch.await(t, &catch.stderr, "Catching mail at"))[1]
}

const list = `
[[list]]
slug = "partners"
name = { en = "News for our partners" }
sender = { name = "Example Association", address = "news@example.org" }
postal_address = "1 Example Street, 00000 Exampletown"
`

const article = "---\nid: relay\ntitle: Robots pass the water on\nlanguage: en\nsection: Events\n---\n\nForty-one teams met.\n"

// ready is a new database with a list, an article and two contacts, and a catcher to send to.
func ready(t *testing.T, script string) (with settings, catch *process) {
	t.Helper()
	args := []string{"catch", "--listen", "127.0.0.1:0"}
	if script != "" {
		args = append(args, "--script", file(t, "script.toml", script))
	}
	catch = start(t, nil, args...)
	with = settings{
		"DATABASE_URL": testkit.FreshURL(t), "SECRET_KEY": "a-key-of-the-tests-alone", "PUBLIC_URL": "https://news.example.org",
		"SMTP_URL": "smtp://" + caughtAt(t, catch) + "?tls=none", "LISTEN": "127.0.0.1:0",
	}
	good(t, with, "apply", file(t, "silkpost.toml", list))
	good(t, with, "import", "articles", file(t, "relay.md", article))
	good(t, with, "import", "contacts", file(t, "partners.csv", "email,name\nanna@museum.example,Anna\nbruno@centro.example,Bruno\n"),
		"--list", "partners", "--consent", "They asked for it")
	return with, catch
}

// sentJSON is what digest send --json prints.
type sentJSON struct {
	Editions   []map[string]any
	Deliveries map[string]int
}

func TestSendAndWait(t *testing.T) {
	t.Parallel()
	with, catch := ready(t, "")
	sent := decode[sentJSON](t, good(t, with, "digest", "send", "--list", "partners", "--wait", "--json"))
	addsUp(t, sent.Deliveries)
	if len(sent.Editions) != 1 || sent.Editions[0]["state"] != "sent" || sent.Deliveries["sent"] != 2 {
		t.Errorf("sent %+v", sent)
	}
	again := decode[sentJSON](t, good(t, with, "digest", "send", "--list", "partners", "--wait", "--json"))
	if again.Editions[0]["state"] != "skipped" || again.Editions[0]["reason"] != "nothing new" || again.Deliveries["recipients"] != 0 {
		t.Errorf("sent again %+v", again)
	}
	accepted := 0
	for log := bufio.NewScanner(strings.NewReader(catch.stdout.String())); log.Scan(); {
		var event struct {
			TUs  int64 `json:"t_us"`
			Verb string
			Code int
		}
		if err := json.Unmarshal(log.Bytes(), &event); err != nil || event.TUs == 0 {
			t.Errorf("the catcher logs %q: %v", log.Text(), err)
		}
		if event.Verb == "DOT" && event.Code == 250 {
			accepted++
		}
	}
	if accepted != 2 {
		t.Errorf("the catcher accepted %d messages, want 2", accepted)
	}
	catch.signal(t, syscall.SIGTERM)
	if status := catch.wait(t); status != 0 {
		t.Errorf("after SIGTERM the catcher's status is %d", status)
	}
}

// A delivery that failed for good is a failure of --wait, told beside the JSON.
func TestSendTellsOfFailures(t *testing.T) {
	t.Parallel()
	with, _ := ready(t, "[[rule]]\nverb = \"RCPT\"\nto = \"anna@*\"\nreply = \"550 5.1.1 No such user\"\n")
	r := silkpost(t, with, "digest", "send", "--list", "partners", "--wait", "--json")
	r.told(t, "one refused", 1, "1 failed", "silkpost deliveries")
	sent := decode[sentJSON](t, r.stdout)
	addsUp(t, sent.Deliveries)
	if sent.Deliveries["failed"] != 1 || sent.Deliveries["sent"] != 1 {
		t.Errorf("sent %+v", sent)
	}
}

// Whoever waits may run out of patience; what is open stays on the account.
func TestSendTimesOut(t *testing.T) {
	t.Parallel()
	with, _ := ready(t, "[[rule]]\nverb = \"RCPT\"\nto = \"anna@*\"\nreply = \"451 4.3.0 Later\"\n\n[[rule]]\nverb = \"DOT\"\nto = \"bruno@*\"\nstall = \"2s\"\n")
	begin := time.Now()
	r := silkpost(t, with, "digest", "send", "--list", "partners", "--wait", "--timeout", "1s", "--json")
	took := time.Since(begin)
	r.told(t, "a server that stalls", 3, "timed out after 1s: 1 delivery is still open; a running silkpost serve goes on", "silkpost status")
	if took < time.Second || took > patience/2 {
		t.Errorf("it took %s", took)
	}
	sent := decode[sentJSON](t, r.stdout)
	addsUp(t, sent.Deliveries)
	// The message in hand is finished: its answer comes after the time is over.
	if sent.Deliveries["sent"] != 1 || sent.Deliveries["deferred"] != 1 {
		t.Errorf("sent %+v", sent)
	}
}

// Without a worker nobody tries again what is deferred: the command says so.
func TestSendSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	with, _ := ready(t, "[[rule]]\nverb = \"RCPT\"\nto = \"anna@*\"\nreply = \"451 4.3.0 Later\"\n")
	printed := good(t, with, "digest", "send", "--list", "partners")
	if !strings.HasSuffix(printed, "1 delivery is still open: start silkpost serve, which tries again; silkpost status shows how they stand.\n") {
		t.Errorf("printed %q", printed)
	}
}

// A signal stops serve in order; a second one ends it at once.
func TestServeStops(t *testing.T) {
	t.Parallel()
	with, catch := ready(t, "[[rule]]\nverb = \"DOT\"\nstall = \"20s\"\n")
	quiet := start(t, with, "serve")
	quiet.await(t, &quiet.stderr, "silkpost is running")
	quiet.signal(t, syscall.SIGTERM)
	if status := quiet.wait(t); status != 0 {
		t.Errorf("after SIGTERM the status is %d: %s", status, quiet.stderr.String())
	}

	busy := start(t, with, "serve", "--web=false")
	busy.await(t, &busy.stderr, "silkpost is running")
	good(t, with, "digest", "send", "--list", "partners")
	catch.await(t, &catch.stdout, `"verb":"DATA"`)
	busy.signal(t, syscall.SIGINT)
	select {
	case <-busy.ended:
		t.Error("it did not wait for the answer to the message in hand")
	case <-time.After(500 * time.Millisecond):
	}
	begin := time.Now()
	busy.signal(t, syscall.SIGINT)
	if status := busy.wait(t); status == 0 || time.Since(begin) > 5*time.Second {
		t.Errorf("a second signal ended it with %d after %s", status, time.Since(begin))
	}
}

// An import by another process is all it takes: the worker that runs plans and sends the alert, long before it would look by itself. How
// long that takes is logged; it is a second or so on a machine that has nothing else to do.
func TestAnAlertGoesAtOnce(t *testing.T) {
	t.Parallel()
	with, catch := ready(t, "")
	good(t, with, "apply", file(t, "silkpost.toml", list+"immediate_after = \"0s\"\n"))
	good(t, with, "import", "contacts", file(t, "press.csv", "email,rhythm\npress@paper.example,immediate\n"), "--list", "partners", "--consent", "They asked")
	worker := start(t, with, "serve", "--web=false")
	worker.await(t, &worker.stderr, "silkpost is running")
	catch.await(t, &catch.stdout, `"verb":"DATA"`) // the article that was there before
	good(t, with, "import", "articles", file(t, "late.md", strings.NewReplacer("relay", "late", "Robots pass", "Robots carry").Replace(article)))
	published := time.Now()
	testkit.Eventually(t, 20*time.Second, "the alert", func() bool { return strings.Count(catch.stdout.String(), `"verb":"DATA"`) == 2 })
	t.Logf("%s after publication", time.Since(published).Round(10*time.Millisecond))
}

// Time that ran out as the last outcome came has not run out.
func TestTheLastOutcomeComesAsTimeRunsOut(t *testing.T) {
	t.Parallel()
	c := &digestSendCmd{Wait: true}
	of := func(counts ledger.Counts) app.Sent {
		return app.Sent{Editions: make([]edition.Edition, 1), Deliveries: counts}
	}
	if err := c.result(of(ledger.Counts{Recipients: 2, Sent: 2}), context.DeadlineExceeded, true); err != nil {
		t.Errorf("all were sent: %v", err)
	}
	if err := c.result(of(ledger.Counts{Recipients: 2, Sent: 1, Failed: 1}), context.DeadlineExceeded, true); err == nil || errors.Is(err, errTimedOut) {
		t.Errorf("one failed: %v", err)
	}
	if err := c.result(of(ledger.Counts{Recipients: 2, Sent: 1, Deferred: 1}), context.DeadlineExceeded, true); !errors.Is(err, errTimedOut) {
		t.Errorf("one is open: %v", err)
	}
}

// What nobody got was not sent.
func TestAnEditionOfWhichNothingArrived(t *testing.T) {
	t.Parallel()
	for want, counts := range map[string]ledger.Counts{
		"sent":                   {Recipients: 40, Sent: 1, Failed: 39},
		"ended: 0 of 40 arrived": {Recipients: 40, Failed: 39, Suppressed: 1},
		"ended: none of 40 is known to have arrived": {Recipients: 40, InDoubt: 40},
	} {
		if got := stateWord(edition.Sent, counts); got != want {
			t.Errorf("%+v: %s, want %s", counts, got, want)
		}
	}
}
