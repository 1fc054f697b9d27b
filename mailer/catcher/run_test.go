package catcher_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"silkpost/internal/errs"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
)

func TestRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := filepath.Join(dir, "script.toml")
	if err := os.WriteFile(script, []byte("[[rule]]\nverb = \"RCPT\"\nto = \"bad@*\"\nreply = \"550 5.1.1 Unknown\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ready := make(chan [2]net.Addr, 1)
	ended := make(chan error, 1)
	var log syncBuffer
	go func() {
		ended <- catcher.Run(ctx, catcher.Command{
			Listen: ":0", Web: ":0", Dir: filepath.Join(dir, "mail"), Script: script, Log: &log,
			Ready: func(smtp, web net.Addr) { ready <- [2]net.Addr{smtp, web} },
		})
	}()
	var addrs [2]net.Addr
	select {
	case addrs = <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	if !strings.HasPrefix(addrs[0].String(), "127.0.0.1:") {
		t.Errorf("listens on %v", addrs[0])
	}
	if err := send(addrs[0].String(), "a@example.org", "bad@example.com", letter); err == nil {
		t.Error("the script is not followed")
	}
	if err := send(addrs[0].String(), "a@example.org", "good@example.com", letter); err != nil {
		t.Error(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + addrs[1].String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(body), "good@example.com") {
		t.Errorf("the page: %s, %v", body, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "\n"); n < 10 {
		t.Errorf("the log has %d lines: %s", n, log.String())
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	broken := filepath.Join(t.TempDir(), "script.toml")
	if err := os.WriteFile(broken, []byte("verb"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, cmd := range map[string]catcher.Command{
		`--listen "2525": write it as host:port`:                                                    {Listen: "2525"},
		"--listen " + taken.Addr().String() + ": cannot listen there: bind: address already in use": {Listen: taken.Addr().String()},
		"--web " + taken.Addr().String() + ": cannot listen there":                                  {Listen: ":0", Web: taken.Addr().String()},
		"script /no/such/file: no such file or directory":                                           {Listen: ":0", Script: "/no/such/file"},
		broken + ": script: line 1: ":                                                               {Listen: ":0", Script: broken},
		"mail catcher: cannot keep messages in /dev/null/mail":                                      {Listen: ":0", Dir: "/dev/null/mail"},
	} {
		err := catcher.Run(context.Background(), cmd)
		if err == nil || !strings.HasPrefix(err.Error(), want) || errs.KindOf(err) == errs.Internal {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestStopAnswersTheMessageInHand(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c, err := catcher.New(catcher.Config{
		Dir: t.TempDir(),
		OnEvent: func(e catcher.Event) {
			if e.Verb == catcher.Dot {
				cancel()
			}
		},
		Script: catcher.Script{{Verb: "DOT", Stall: time.Hour}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(ctx, ln) }()

	idle := dial(t, ln.Addr().String())
	idle.expect("220")
	busy := dial(t, ln.Addr().String())
	busy.expect("220")
	busy.expect("354", "EHLO here.example", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "DATA")
	busy.expect("250", letter+".")
	busy.expect("421 4.3.2")
	idle.expect("421 4.3.2")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := c.Counts(); n.Open != 0 || n.Messages != 1 {
		t.Errorf("got %+v", n)
	}
}

func TestIdleConnectionIsClosed(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{IdleTimeout: 30 * time.Millisecond})
	c := dial(t, server.Addr)
	c.expect("220")
	c.expect("421 4.4.2")
	c.expect("EOF")
	e := server.WaitEvent(t, func(e catcher.Event) bool { return e.Verb == catcher.Notice })
	if e.Code != 421 {
		t.Errorf("got %+v", e)
	}
}

func TestClientThatGoesInTheMiddle(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{})
	c := dial(t, server.Addr)
	c.expect("220")
	c.expect("354", "EHLO here.example", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "DATA")
	if _, err := io.WriteString(c, "Subject: half\r\n\r\nof a mess"); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	server.WaitEvent(t, func(e catcher.Event) bool { return e.Verb == catcher.Close })
	if n := len(server.Messages()); n != 0 {
		t.Errorf("half a message is kept")
	}
	for _, e := range server.Events() {
		if e.Verb == catcher.Dot {
			t.Errorf("a dot that never came is on the log: %+v", e)
		}
	}
}

func TestTwoHundredConnections(t *testing.T) {
	t.Parallel()
	server := catchertest.StartCounting(t, catcher.Config{})
	clients := make([]*smtp.Client, 200)
	for i := range clients {
		var err error
		if clients[i], err = smtp.Dial(server.Addr); err != nil {
			t.Fatal(err)
		}
		defer clients[i].Close()
	}
	for _, c := range clients {
		if err := sendOver(c, "b@example.com", letter); err != nil {
			t.Fatal(err)
		}
	}
	if n := server.Counts(); n.Open != 200 || n.Messages != 200 {
		t.Errorf("got %+v", n)
	}
}
