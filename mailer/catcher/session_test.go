package catcher_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/wneessen/go-mail"
	"go.uber.org/goleak"

	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const letter = "From: News <news@example.org>\r\nTo: reader@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n" +
	"Message-ID: <1@example.org>\r\n\r\nOne line.\r\n"

// send gives one message to a catcher, through net/smtp, and returns the first error.
func send(addr, from, to, message string) error {
	return smtp.SendMail(addr, nil, from, []string{to}, []byte(message))
}

// talk is an SMTP conversation by hand.
type talk struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, addr string) *talk {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &talk{t, c, bufio.NewReader(c)}
}

// say sends lines and returns the last lines of as many replies, "EOF" for a closed connection.
func (c *talk) say(lines ...string) []string {
	c.t.Helper()
	if _, err := c.Write([]byte(strings.Join(lines, "\r\n") + "\r\n")); err != nil {
		c.t.Fatal(err)
	}
	var replies []string
	for range lines {
		replies = append(replies, c.hear())
	}
	return replies
}

func (c *talk) hear() string {
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return "EOF"
		}
		if line[3] == ' ' {
			return strings.TrimSuffix(line, "\r\n")
		}
	}
}

func (c *talk) expect(want string, lines ...string) {
	c.t.Helper()
	if len(lines) == 0 {
		if got := c.hear(); !strings.HasPrefix(got, want) {
			c.t.Fatalf("heard %q, want %q", got, want)
		}
		return
	}
	got := c.say(lines...)
	if last := got[len(got)-1]; !strings.HasPrefix(last, want) {
		c.t.Fatalf("after %q heard %q, want %q", lines, last, want)
	}
}

func TestKeepsTheBytesThatWereSent(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]string{
		"plain":             letter,
		"dots":              "Subject: dots\r\n\r\n.\r\n..\r\n.a\r\na.\r\n\r\n",
		"envelope look":     "Return-Path: <evil@example.net>\r\nDelivered-To: evil@example.net\r\nReceived: x\r\n\r\nbody\r\n",
		"eight bits":        "Subject: Grüße 新闻\r\n\r\n\xff\xfe raw\x00 bytes\r\n",
		"bare line ends":    "Subject: a\r\n\r\none\ntwo\rthree\r\r\nfour\n.\r\n\r\n",
		"no header":         "\r\n\r\n",
		"empty":             "",
		"dot after bare LF": "a\r\n\n..\nb\r\n",
		"long":              strings.Repeat(strings.Repeat("x", 70)+"\r\n.\n.."+strings.Repeat("y", 900)+"\r\n", 300),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := catchertest.Start(t, catcher.Config{})
			c := dial(t, server.Addr)
			c.expect("220")
			c.expect("354", "EHLO here.example", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "RCPT TO:<c@example.com>", "DATA")
			c.expect("250", stuffed(message)+".")
			c.expect("221", "QUIT")

			kept := server.Messages()
			if len(kept) != 1 {
				t.Fatalf("%d messages are kept, want 1", len(kept))
			}
			m, bytes, err := server.Open(kept[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(message, string(bytes)); diff != "" {
				t.Errorf("kept bytes differ (-sent +kept):\n%s", diff)
			}
			if m.From != "a@example.org" || !cmp.Equal(m.To, []string{"b@example.com", "c@example.com"}) || m.Size != len(message) {
				t.Errorf("got %+v", m)
			}
		})
	}
}

// stuffed doubles the dots that begin a line, after CRLF only, as RFC 5321 has lines.
func stuffed(message string) string {
	if strings.HasPrefix(message, ".") {
		message = "." + message
	}
	return strings.ReplaceAll(message, "\r\n.", "\r\n..")
}

func TestFileHasTheEnvelopeInFront(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := catchertest.Start(t, catcher.Config{Dir: dir})
	if err := send(server.Addr, "news@example.org", "reader@example.com", letter); err != nil {
		t.Fatal(err)
	}
	m := server.Messages()[0]
	file, err := os.ReadFile(filepath.Join(dir, m.ID+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	want := `^Return-Path: <news@example.org>\r\nDelivered-To: reader@example.com\r\n` +
		`Received: from localhost \(\[127.0.0.1\]\) by localhost with UTF8SMTP id ` + m.ID + `; [^\r\n]*\r\n` + regexp.QuoteMeta(letter) + `$`
	if !regexp.MustCompile(want).Match(file) {
		t.Errorf("the file is %q", file)
	}
	if m.Subject != "Grüße" || m.MessageID != "<1@example.org>" {
		t.Errorf("got %+v", m)
	}
}

func TestLogHasEachVerb(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	server := catchertest.Start(t, catcher.Config{Log: &log})
	c := dial(t, server.Addr)
	c.expect("220")
	c.expect("250", "EHLO here.example")
	c.expect("502", "DATA")
	c.expect("250", "NOOP", "MAIL FROM:<a@example.org> SIZE=100", "RSET", "mail from:<news@example.org>", "RCPT TO:<b@example.com>")
	c.expect("250", "rcpt to:<c@example.com>")
	c.expect("354", "DATA")
	c.expect("250", letter+".")
	c.expect("221", "NOSUCHVERBATALLREALLYNOT", "QUIT")
	server.WaitEvent(t, func(e catcher.Event) bool { return e.Verb == catcher.Close })

	var got []string
	last := int64(0)
	for line := range strings.Lines(log.String()) {
		var e catcher.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if e.Time < last || e.Conn != 1 {
			t.Errorf("time or connection is wrong: %s", line)
		}
		last = e.Time
		if (e.Kept != "") != (e.Verb == catcher.Dot) {
			t.Errorf("kept is wrong: %s", line)
		}
		got = append(got, strings.Join(strings.Fields(fmt.Sprint(e.Verb, " ", e.From, " ", e.To, " ", e.MessageID, " ", e.Code)), " "))
	}
	want := []string{
		"CONNECT 220", "EHLO 250", "DATA 502", "NOOP 250", "MAIL a@example.org 250", "RSET 250", "MAIL news@example.org 250",
		"RCPT news@example.org b@example.com 250", "RCPT news@example.org c@example.com 250",
		"DATA news@example.org b@example.com, c@example.com 354",
		"DOT news@example.org b@example.com, c@example.com <1@example.org> 250",
		"NOSUCHVERBATALLREALL 501", "QUIT 221", "CLOSE 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log differs (-want +got):\n%s", diff)
	}
}

func TestVerbIsLoggedBeforeItsAnswer(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	server := catchertest.Start(t, catcher.Config{Log: &log})
	if err := send(server.Addr, "news@example.org", "reader@example.com", letter); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), `"verb":"QUIT"`) {
		t.Errorf("the answer to QUIT is here, its line is not: %s", log.String())
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestPipelining(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{})
	c := dial(t, server.Addr)
	c.expect("220")
	one := "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n" + letter + ".\r\n"
	if _, err := c.Write([]byte("EHLO here.example\r\n" + one + one + one + "QUIT\r\n")); err != nil {
		t.Fatal(err)
	}
	c.expect("250")
	for range 3 {
		for _, code := range []string{"250", "250", "354", "250"} {
			c.expect(code)
		}
	}
	c.expect("221")
	var verbs []string
	for _, e := range server.Events() {
		verbs = append(verbs, e.Verb)
	}
	want := "CONNECT EHLO" + strings.Repeat(" MAIL RCPT DATA DOT", 3) + " QUIT"
	if got := strings.Join(verbs, " "); !strings.HasPrefix(got, want) {
		t.Errorf("the events are %s, want %s", got, want)
	}
}

func TestOffers(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{MaxMessageBytes: 5000})
	c, err := smtp.Dial(server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for name, want := range map[string]string{
		"SMTPUTF8": "", "8BITMIME": "", "PIPELINING": "", "ENHANCEDSTATUSCODES": "", "SIZE": "5000",
		"CHUNKING": "absent", "STARTTLS": "absent", "AUTH": "absent",
	} {
		ok, value := c.Extension(name)
		if ok == (want == "absent") || ok && value != want {
			t.Errorf("%s: %v %q", name, ok, value)
		}
	}
	if err := c.Quit(); err != nil {
		t.Error(err)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{MaxMessageBytes: 3000, MaxRecipients: 2})
	c := dial(t, server.Addr)
	c.expect("220")
	begin := []string{"MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "DATA"}
	c.expect("250", "EHLO here.example")
	c.expect("354", begin...)
	c.expect("552 5.3.4", strings.Repeat("0123456789\r\n", 400)+".")
	c.expect("354", begin...)
	c.expect("554 5.6.0 line 3 has more than 1000 bytes", "\r\n\r\n"+strings.Repeat("x", 999)+"\r\n.")
	c.expect("354", begin...)
	c.expect("250", "\r\n\r\n"+strings.Repeat("x", 998)+"\r\n.")
	c.expect("452 4.5.3", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "RCPT TO:<c@example.com>", "RCPT TO:<d@example.com>")
	c.expect("250", "RSET")
	c.expect("552 5.3.4", "MAIL FROM:<a@example.org> SIZE=3001")
	c.expect("500 5.5.2", "NOOP "+strings.Repeat("x", 100_000))
	c.expect("250", "NOOP")
	c.expect("502", "BDAT 5")
	c.expect("EOF", "NOOP")
	if n := server.Counts().Messages; n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
}

func TestGoMailSends(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{})
	host, port := hostPort(t, server.Addr)
	client, err := mail.NewClient(host, mail.WithPort(port), mail.WithTLSPolicy(mail.NoTLS))
	if err != nil {
		t.Fatal(err)
	}
	m := mail.NewMsg()
	if err := m.From("news@example.org"); err != nil {
		t.Fatal(err)
	}
	if err := m.To("reader@example.com"); err != nil {
		t.Fatal(err)
	}
	m.Subject("新闻")
	m.SetBodyString(mail.TypeTextPlain, "Guten Tag\n.\nzusammen")
	if err := client.DialAndSendWithContext(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	if kept := server.Messages(); len(kept) != 1 || kept[0].Subject != "新闻" {
		t.Errorf("kept %+v", kept)
	}
}

func TestThousandMessagesOverTwentyConnections(t *testing.T) {
	t.Parallel()
	const connections, each = 20, 50
	dir := t.TempDir()
	server := catchertest.Start(t, catcher.Config{Dir: dir})
	var group sync.WaitGroup
	for i := range connections {
		group.Go(func() {
			if err := sendMany(server.Addr, i, each); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	server.WaitMessages(t, connections*each)

	seen, last := map[string]bool{}, ""
	for _, m := range server.Messages() {
		seen[m.To[0]] = true
		if m.ID <= last {
			t.Errorf("%s comes after %s", m.ID, last)
		}
		last = m.ID
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != connections*each || len(files) != connections*each {
		t.Errorf("%d recipients, %d files, want %d", len(seen), len(files), connections*each)
	}
}

func sendMany(addr string, number, n int) error {
	c, err := smtp.Dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for i := range n {
		if err := sendOver(c, fmt.Sprintf("r%d-%d@example.com", number, i), letter); err != nil {
			return err
		}
	}
	return c.Quit()
}

func sendOver(c *smtp.Client, to, message string) error {
	if err := c.Mail("news@example.org"); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(message)); err != nil {
		return err
	}
	return w.Close()
}

func hostPort(t *testing.T, addr string) (string, int) {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return a.IP.String(), a.Port
}
