package app_test

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/edition"
)

// postgresTool runs one of the programs that come with the server behind a house.
func (h *house) postgresTool(t *testing.T, name string, args ...string) {
	t.Helper()
	dir := value[string](t, h, `SELECT setting FROM pg_config WHERE name = 'BINDIR'`)
	if out, err := exec.CommandContext(t.Context(), filepath.Join(dir, name), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// restore makes a database of a dump.
func (h *house) restore(t *testing.T, dump string) (url string) {
	t.Helper()
	url = testkit.EmptyURL(t)
	h.postgresTool(t, "psql", "--quiet", "--set=ON_ERROR_STOP=1", "--file="+dump, "--dbname="+url)
	return url
}

// relayUntil runs a catcher until the test, or hangUp, ends it with all its connections.
func relayUntil(t *testing.T, cfg catcher.Config) (relay *catchertest.Server, hangUp func()) {
	t.Helper()
	c, err := catcher.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, hangUp := context.WithCancel(context.Background())
	go func() { _ = c.Serve(ctx, ln) }()
	t.Cleanup(hangUp)
	return &catchertest.Server{Catcher: c, Addr: ln.Addr().String()}, hangUp
}

// everybody returns whom a catcher holds mail for, sorted; somebody with two messages is there twice.
func everybody(post *catchertest.Server) (to []string) {
	for _, m := range post.Messages() {
		to = append(to, m.To...)
	}
	slices.Sort(to)
	return to
}

// A dump of a running system in mid-send, restored elsewhere, is whole and holds everything: nothing is sent, whoever works there. Adopted, it goes on
// where the dump was made. The original knows nothing of it.
func TestBackupInMidSend(t *testing.T) {
	t.Parallel()
	const people = 40
	slow := catcher.Rule{Verb: "DOT", Skip: 9, Times: 3, Stall: time.Minute} // after nine messages, all three connections wait
	relay, hangUp := relayUntil(t, catcher.Config{Dir: t.TempDir(), Script: []catcher.Rule{slow}})
	original := openOn(t, testkit.FreshURL(t), relay, app.Options{})
	original.apply(t, list+"approval = true\n")
	original.contacts(t, many(people, "weekly")...)
	original.articles(t, relayEn)
	sent, err := original.SendDigest(t.Context(), app.SendOptions{List: "partners"})
	if err != nil {
		t.Fatal(err)
	}
	id := sent.Editions[0].ID
	if err := original.Desk(edition.CommandLine).Approve(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	stop := original.run(t, app.Parts{Worker: true})
	settled := func(h *house) int {
		return value[int](t, h, `SELECT count(*) FROM mailer.deliveries WHERE state = 'sent' AND edition_id = $1`, id)
	}
	testkit.Eventually(t, patience, "some are sent and some are on their way", func() bool { return settled(original) == 9 && len(original.post.Messages()) == 12 })

	dump := filepath.Join(t.TempDir(), "backup.sql")
	original.postgresTool(t, "pg_dump", "--file="+dump, "--dbname="+original.Config.DatabaseURL)
	restored := openOn(t, original.restore(t, dump), catchertest.Start(t, catcher.Config{}), app.Options{})
	restored.run(t, app.Parts{Web: restored.web, Worker: true})
	restored.awaitHeld(t, "another database of the same server")
	before, err := restored.EditionStatus(t.Context(), id)
	if err != nil || before.Deliveries.Sent != 9 || before.Deliveries.Recipients != people || before.Open() != people-9 {
		t.Errorf("the dump has %+v, %v", before.Deliveries, err)
	}
	if d, err := restored.Adoption(t.Context()); err != nil || d.Open != people-9 {
		t.Errorf("adopting would send to %+v, %v", d, err)
	}
	if n := len(restored.post.Messages()); n > 0 {
		t.Fatalf("%d messages went out of the copy", n)
	}

	hangUp() // the original is given up, as one does before adopting
	stop()
	if err := restored.Adopt(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitUntilSent(t, restored, id)
	got := everybody(restored.post)
	if len(got) != people-9 || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("the copy sent %d messages: %v", len(got), got)
	}
	for _, m := range original.post.Messages()[:9] {
		if slices.Contains(got, m.To[0]) {
			t.Errorf("%s was known to have theirs", m.To[0])
		}
	}
}
