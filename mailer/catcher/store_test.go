package catcher_test

import (
	"errors"
	"io/fs"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
)

func TestRestartFindsWhatWasKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before := catchertest.Start(t, catcher.Config{Dir: dir})
	for _, message := range []string{letter, "", "Return-Path: x\r\n\r\n", "Subject: " + strings.Repeat("long ", 1000) + "\r\n\r\n"} {
		c := dial(t, before.Addr)
		c.expect("220")
		c.expect("354", "EHLO here.example", "MAIL FROM:<>", "RCPT TO:<\"a b\"@example.com>", "RCPT TO:<ü@example.com>", "DATA")
		for _, line := range strings.SplitAfter(message, " long ") { // lines may be folded, not long
			if _, err := c.Write([]byte(strings.ReplaceAll(line, " long ", " long\r\n "))); err != nil {
				t.Fatal(err)
			}
		}
		c.expect("250", ".")
	}
	for name, content := range map[string]string{
		"20261122T120508.480301Z-0b185046.part": "of a crash", "20261122T120508.480301Z-0b185047.eml": "not ours", "mine.eml": letter,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	after, err := catcher.New(catcher.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.Messages(), after.Messages()); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	for _, m := range after.Messages() {
		_, was, err := before.Open(m.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, is, err := after.Open(m.ID)
		if err != nil || string(was) != string(is) || len(is) != m.Size {
			t.Errorf("%s: %q, %v, want %q", m.ID, is, err, was)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "20261122T120508.480301Z-0b185046.part")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a crash left is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "mine.eml")); err != nil {
		t.Errorf("somebody else's file is gone: %v", err)
	}
}

func TestRemovedFileIsNotFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := catchertest.Start(t, catcher.Config{Dir: dir})
	if err := send(server.Addr, "a@example.org", "b@example.com", letter); err != nil {
		t.Fatal(err)
	}
	id := server.Messages()[0].ID
	if err := os.Remove(filepath.Join(dir, id+".eml")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := server.Open(id); errs.KindOf(err) != errs.NotFound {
		t.Errorf("got %v", err)
	}
}

// still is a clock that stands still.
type still time.Time

func (s still) Now() time.Time { return time.Time(s) }

func TestIdsDifferUnderOneTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	server := catchertest.Start(t, catcher.Config{Clock: still(at)})
	if err := sendMany(server.Addr, 0, 3); err != nil {
		t.Fatal(err)
	}
	for i, m := range server.Messages() {
		if !m.Time.Equal(at.Add(time.Duration(i)*time.Microsecond)) || !strings.HasPrefix(m.ID, "20260301T120000.00000"+string(rune('0'+i))+"Z-") {
			t.Errorf("message %d is %s of %v", i, m.ID, m.Time)
		}
	}
}

func TestDirectoryThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := catcher.New(catcher.Config{Dir: filepath.Join(file, "mail")})
	want := "mail catcher: cannot keep messages in " + file + "/mail: not a directory; name a directory that can be written"
	if err == nil || err.Error() != want || errs.KindOf(err) != errs.Invalid {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestDirectoryThatGoesAwayRefusesForNow(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mail")
	server := catchertest.Start(t, catcher.Config{Dir: dir})
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	err := send(server.Addr, "a@example.org", "b@example.com", letter)
	if refused, ok := errors.AsType[*textproto.Error](err); !ok || refused.Code != 451 || server.Counts().Messages != 0 {
		t.Errorf("got %v, %+v", err, server.Counts())
	}
}

// A full disk refuses for now, by the answer for that, and loses nothing that was taken.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := testkit.SmallDisk(t, 1<<20)
	server := catchertest.Start(t, catcher.Config{Dir: disk.Dir})
	sendOne := func() error { return send(server.Addr, "a@example.org", "b@example.com", letter) }
	if err := sendOne(); err != nil {
		t.Fatal(err)
	}
	disk.Fill()
	if refused, ok := errors.AsType[*textproto.Error](sendOne()); !ok || refused.Code != 452 || !strings.HasPrefix(refused.Msg, "4.3.1 ") {
		t.Errorf("on a full disk: %v", refused)
	}
	disk.Free()
	if err := sendOne(); err != nil {
		t.Error(err)
	}
	again, err := catcher.New(catcher.Config{Dir: disk.Dir})
	if err != nil || len(again.Messages()) != 2 || server.Counts().Messages != 2 {
		t.Errorf("%d messages are kept, %d were taken (%v), want 2", len(again.Messages()), server.Counts().Messages, err)
	}
}

func TestWithoutDirectoryMessagesAreCounted(t *testing.T) {
	t.Parallel()
	server := catchertest.StartCounting(t, catcher.Config{})
	if err := sendMany(server.Addr, 0, 3); err != nil {
		t.Fatal(err)
	}
	server.WaitEvent(t, func(e catcher.Event) bool { return e.Verb == catcher.Close })
	server.WaitMessages(t, 3)
	if c := server.Counts(); c.Messages != 3 || c.Recipients != 3 || c.Bytes != int64(3*len(letter)) || c.Connections != 1 {
		t.Errorf("got %+v", c)
	}
	if n := len(server.Messages()); n != 0 {
		t.Errorf("%d messages are kept", n)
	}
	if p := pagesOf(t, server.Catcher).get("/catcher/"); p.status != 200 {
		t.Errorf("the empty list: %d", p.status)
	}
}
