package catcher_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http/httptest"
	"net/smtp"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
)

// session is a whole sending of one message; step returns the replies up to the first that is not what a client wants.
func session(t *testing.T, addr string) []string {
	t.Helper()
	c := dial(t, addr)
	heard := []string{c.hear()}
	for _, step := range []struct{ line, want string }{
		{"EHLO here.example", "250"},
		{"NOOP", "250"},
		{"VRFY b", "252"},
		{"MAIL FROM:<a@example.org>", "250"},
		{"RCPT TO:<b@full.example>", "250"},
		{"DATA", "354"},
		{letter + ".", "250"},
		{"RSET", "250"},
		{"QUIT", "221"},
	} {
		if last := heard[len(heard)-1]; last == "EOF" {
			break
		}
		reply := c.say(step.line)[0]
		heard = append(heard, reply)
		if reply != "EOF" && !strings.HasPrefix(reply, step.want) {
			break
		}
	}
	return heard
}

func TestReplyAtEachVerb(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"EHLO", "NOOP", "VRFY", "MAIL", "RCPT", "DATA", "DOT", "RSET", "QUIT"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			server := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: verb, Reply: "451 4.7.1 Not now\nlater", Times: 1}}})
			heard := session(t, server.Addr)
			if got := heard[len(heard)-1]; got != "451 later" {
				t.Errorf("heard %q", heard)
			}
			e := server.WaitEvent(t, func(e catcher.Event) bool { return e.Action != "" })
			if e.Verb != verb || e.Code != 451 || e.Reply != "451-4.7.1 Not now\n451 later" || e.Action != "reply" {
				t.Errorf("got %+v", e)
			}
			wantKept := 0
			if verb == "RSET" || verb == "QUIT" {
				wantKept = 1
			}
			if n := len(server.Messages()); n != wantKept {
				t.Errorf("%d messages are kept, want %d", n, wantKept)
			}
			if heard := session(t, server.Addr); len(heard) != 10 {
				t.Errorf("the second time: %q", heard)
			}
		})
	}
}

func TestGreeting(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{
		{Verb: "CONNECT", Connection: 1, Reply: "554 5.3.2 No service", Cut: catcher.CutAfter},
		{Verb: "CONNECT", Connection: 2, Cut: catcher.CutBefore},
		{Verb: "CONNECT", Connection: 3, Reply: "220 other words"},
	}})
	for i, want := range [][]string{{"554 5.3.2 No service", "EOF"}, {"EOF"}, {"220 other words"}} {
		c := dial(t, server.Addr)
		var heard []string
		for range want {
			heard = append(heard, c.hear())
		}
		if diff := cmp.Diff(want, heard); diff != "" {
			t.Errorf("connection %d (-want +got):\n%s", i+1, diff)
		}
	}
}

func TestCutAtEachVerb(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"CONNECT", "EHLO", "NOOP", "MAIL", "RCPT", "DATA", "DOT", "RSET", "QUIT"} {
		for _, cut := range []catcher.Cut{catcher.CutBefore, catcher.CutAfter} {
			t.Run(verb+" "+string(cut), func(t *testing.T) {
				t.Parallel()
				server := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: verb, Cut: cut}}})
				heard := session(t, server.Addr)
				if heard[len(heard)-1] != "EOF" {
					t.Errorf("heard %q", heard)
				}
				e := server.WaitEvent(t, func(e catcher.Event) bool { return e.Action != "" })
				if e.Verb != verb || e.Code != 0 || e.Action != "cut" {
					t.Errorf("got %+v", e)
				}
				wantKept := 0
				if verb == "RSET" || verb == "QUIT" || verb == "DOT" && cut == catcher.CutAfter {
					wantKept = 1
				}
				if n := len(server.Messages()); n != wantKept {
					t.Errorf("%d messages are kept, want %d", n, wantKept)
				}
			})
		}
	}
}

func TestCutInTheBody(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: "DATA", Cut: catcher.CutBody, Message: 2}}})
	c, err := smtp.Dial(server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := sendOver(c, "a@example.com", letter); err != nil {
		t.Fatal(err)
	}
	err = sendOver(c, "b@example.com", strings.Repeat(letter, 100_000))
	if refused := (*textproto.Error)(nil); err == nil || errors.As(err, &refused) {
		t.Errorf("got %v, want a lost connection", err)
	}
	server.WaitEvent(t, func(e catcher.Event) bool { return e.Verb == catcher.Close })
	if n := len(server.Messages()); n != 1 {
		t.Errorf("%d messages are kept, want 1", n)
	}
}

func TestStallKeepsTheMessageFirst(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: "DOT", Stall: time.Hour}}})
	c := dial(t, server.Addr)
	c.expect("220")
	c.expect("354", "EHLO here.example", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "DATA")
	if _, err := io.WriteString(c, letter+".\r\n"); err != nil {
		t.Fatal(err)
	}
	server.WaitMessages(t, 1)
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.in.Peek(1); !isTimeout(err) {
		t.Errorf("got %v, want no answer", err)
	}
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && e.Timeout()
}

func TestStallAndSlowTakeTheirTime(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{
		{Verb: "EHLO", Stall: 100 * time.Millisecond, Reply: "550 5.7.1 No"},
		{Verb: "NOOP", Slow: 5 * time.Millisecond, Reply: "250 0123456789"},
	}})
	c := dial(t, server.Addr)
	c.expect("220")
	start := time.Now()
	c.expect("550", "EHLO here.example")
	if d := time.Since(start); d < 100*time.Millisecond {
		t.Errorf("the answer came after %v", d)
	}
	start = time.Now()
	c.expect("250 0123456789", "NOOP")
	if d := time.Since(start); d < 15*5*time.Millisecond {
		t.Errorf("the slow answer came after %v", d)
	}
}

func TestWhichRuleApplies(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{
		{Verb: "RCPT", To: "*@Full.example", Reply: "452 4.2.2 Mailbox full", Times: 2},
		{Verb: "RCPT", To: "*@full.example", Reply: "550 5.2.2 Mailbox full for good", Skip: 1, Times: 1},
		{Verb: "RCPT", To: "a*b*c@*", From: "news@*", Reply: "550 5.1.1 Unknown"},
		{Verb: "DOT", To: "late@example.com", Reply: "250 2.0.0 Ok: queued as 12345"},
	}})
	c := dial(t, server.Addr)
	c.expect("220")
	c.expect("250", "EHLO here.example", "MAIL FROM:<news@example.org>")
	for _, step := range []struct{ to, want string }{
		{"x@full.example.org", "250"},
		{"x@full.example", "452"},
		{"y@FULL.example", "452"},
		{"x@full.example", "250"},
		{"x@full.example", "550 5.2.2"},
		{"x@full.example", "250"},
		{"x@fuller.example", "250"},
		{"axxbyyc@example.com", "550 5.1.1"},
		{"axxc@example.com", "250"},
		{"abcd@example.com", "250"},
		{"late@example.com", "250"},
	} {
		c.expect(step.want, "RCPT TO:<"+step.to+">")
	}
	c.expect("250 2.0.0 Ok: queued as 12345", "DATA", letter+".")
	c.expect("250", "MAIL FROM:<other@example.org>")
	c.expect("250", "RCPT TO:<axxbyyc@example.com>")
	if n := len(server.Messages()); n != 1 {
		t.Errorf("%d messages are kept, want 1", n)
	}
}

func TestProbabilityFollowsItsSeed(t *testing.T) {
	t.Parallel()
	course := func(seed uint64) (refused int, pattern string) {
		var codes strings.Builder
		server := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: "NOOP", Probability: 0.25, Seed: seed, Reply: "450 4.0.0 No"}}})
		c := dial(t, server.Addr)
		c.expect("220")
		for range 400 {
			reply := c.say("NOOP")[0]
			if reply[0] == '4' {
				refused++
			}
			codes.WriteByte(reply[0])
		}
		return refused, codes.String()
	}
	n, first := course(7)
	_, again := course(7)
	_, other := course(8)
	if n < 60 || n > 140 {
		t.Errorf("%d of 400 were refused, want about 100", n)
	}
	if first != again || first == other {
		t.Errorf("the course does not follow the seed")
	}
}

func TestScriptThatMakesNoSense(t *testing.T) {
	t.Parallel()
	for want, rule := range map[string]catcher.Rule{
		"verb is missing":           {Reply: "450 No"},
		`verb "rcpt" is not known`:  {Verb: "rcpt", Reply: "450 No"},
		"does nothing":              {Verb: "RCPT"},
		"reply \"No\" does not":     {Verb: "RCPT", Reply: "No"},
		"reply \"450 a\\rb\" does":  {Verb: "RCPT", Reply: "450 a\rb"},
		"it cannot be changed":      {Verb: "DATA", Reply: "250 ok"},
		"cut \"now\" is not known":  {Verb: "RCPT", Cut: "now"},
		"body is for DATA alone":    {Verb: "DOT", Cut: catcher.CutBody},
		"nothing is known of a rec": {Verb: "MAIL", To: "*", Reply: "450 No"},
		"nothing is known of a sen": {Verb: "EHLO", From: "*", Reply: "450 No"},
		"probability is not":        {Verb: "RCPT", Probability: 1.5, Reply: "450 No"},
		"times is below 0":          {Verb: "RCPT", Times: -1, Reply: "450 No"},
		"stall is below 0":          {Verb: "RCPT", Stall: -1},
	} {
		_, err := catcher.New(catcher.Config{Script: catcher.Script{{Verb: "DOT", Cut: "after"}, rule}})
		if err == nil || !strings.HasPrefix(err.Error(), "script: rule 2: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", rule, err, want)
		}
	}
}

func TestScriptInsideTLS(t *testing.T) {
	t.Parallel()
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	defer certified.Close()
	server := catchertest.Start(t, catcher.Config{
		TLS: &tls.Config{Certificates: certified.TLS.Certificates},
		Auth: func(user, password string) error {
			return map[bool]error{false: errors.New("no")}[user+password == "userpassword"]
		},
		Script: catcher.Script{{Verb: "RCPT", Reply: "550 5.1.1 Unknown", Times: 1}},
	})
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	client := &tls.Config{RootCAs: roots, ServerName: "example.com"}

	c, err := smtp.Dial(server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Mail("early@example.org"); err != nil {
		t.Fatal(err)
	}
	if err := c.StartTLS(client); err != nil {
		t.Fatal(err)
	}
	if again, _ := c.Extension("STARTTLS"); again {
		t.Error("STARTTLS is offered inside TLS")
	}
	if err := c.Rcpt("b@example.com"); err == nil || !strings.Contains(err.Error(), "550") {
		t.Errorf("got %v, want the script's answer", err)
	}
	if err := c.Rcpt("b@example.com"); err == nil || !strings.Contains(err.Error(), "Missing MAIL") {
		t.Errorf("got %v, want an answer of the server's own", err)
	}
	if err := c.Auth(smtp.PlainAuth("", "user", "password", "127.0.0.1")); err != nil {
		t.Error(err)
	}
	if err := sendOver(c, "b@example.com", letter); err != nil {
		t.Error(err)
	}
	if err := c.Quit(); err != nil {
		t.Error(err)
	}
	checkForgetting(t, server.Addr, client)
	e := server.WaitEvent(t, func(e catcher.Event) bool { return e.Verb == catcher.Dot })
	if e.MessageID != "<1@example.org>" || len(server.Messages()) != 1 {
		t.Errorf("got %+v", e)
	}
}

// checkForgetting says no EHLO after STARTTLS, and sends a command in the clear behind it.
func checkForgetting(t *testing.T, addr string, client *tls.Config) {
	t.Helper()
	c := dial(t, addr)
	c.expect("220")
	c.expect("250", "EHLO here.example", "MAIL FROM:<early@example.org>")
	if _, err := io.WriteString(c, "STARTTLS\r\nRSET\r\n"); err != nil {
		t.Fatal(err)
	}
	c.expect("220")
	inside := tls.Client(c.Conn, client)
	secured := &talk{t, inside, bufio.NewReader(inside)}
	secured.expect("502 5.5.1 Missing MAIL", "RCPT TO:<b@example.com>")
}

func TestAuthTakesCredentialsOnALineOfTheirOwn(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{Auth: func(_, password string) error {
		if password != "secret" {
			return errors.New("wrong")
		}
		return nil
	}})
	c := dial(t, server.Addr)
	c.expect("220")
	c.expect("334", "EHLO here.example", "AUTH PLAIN")
	c.expect("535", "AHVzZXIAd3Jvbmc=") // wrong
	c.expect("334", "AUTH PLAIN")
	c.expect("235", "AHVzZXIAc2VjcmV0")
	for _, e := range server.Events() {
		if strings.Contains(e.Verb, "AHV") {
			t.Errorf("a credential is on the log: %+v", e)
		}
	}
}
