//go:build crash

// Package crashtest kills the running program at any moment and counts at the receiving server what came: nothing may be lost,
// and no more than one message per connection may come twice, with the same Message-ID (P3).
package crashtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/ledger"
)

// connections is how many SMTP connections the program keeps: the bound on what one crash may double.
const connections = 10

// program is an installation with its data directory, run as its users run it.
type program struct {
	t        *testing.T
	binary   string
	data     string
	relay    string
	received *receipts
	running  *exec.Cmd
}

// receipts counts messages by recipient as the receiving server accepts them.
type receipts struct {
	mu      sync.Mutex
	ids     map[string][]string // recipient → Message-IDs
	total   int
	waiters map[int]chan struct{} // total → closed when reached
}

func (r *receipts) note(e catcher.Event) {
	if e.Verb != "DOT" || e.Code != 250 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids[e.To] = append(r.ids[e.To], e.MessageID)
	r.total++
	if reached := r.waiters[r.total]; reached != nil {
		close(reached)
	}
}

// at returns a channel that is closed when so many messages have come.
func (r *receipts) at(total int) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	reached := make(chan struct{})
	if r.total >= total {
		close(reached)
	} else {
		r.waiters[total] = reached
	}
	return reached
}

// doubled returns how many messages came more than once, after checking that everybody got theirs under one Message-ID.
func (r *receipts) doubled(t *testing.T, people int) (n int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range people {
		ids := r.ids[address(i)]
		if len(ids) == 0 {
			t.Errorf("%s got nothing", address(i))
			continue
		}
		for _, id := range ids[1:] {
			if id != ids[0] {
				t.Errorf("%s got two Message-IDs: %q", address(i), ids)
			}
			n++
		}
	}
	return n
}

func address(i int) string { return fmt.Sprintf("reader%d@example.org", i) }

func newProgram(t *testing.T, people int) *program {
	t.Helper()
	dir, err := os.MkdirTemp("", "silkpost-crash-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // the account that the private Postgres runs under passes through
		t.Fatal(err)
	}
	p := &program{
		t: t, binary: filepath.Join(dir, "silkpost"), data: filepath.Join(dir, "data"),
		received: &receipts{ids: map[string][]string{}, waiters: map[int]chan struct{}{}},
	}
	if out, err := exec.Command("go", "build", "-o", p.binary, "silkpost/cmd/silkpost").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p.relay = catchertest.StartCounting(t, catcher.Config{OnEvent: p.received.note}).Addr
	p.furnish(dir, people)
	return p
}

// furnish declares the list and imports the people and an article.
func (p *program) furnish(dir string, people int) {
	p.t.Helper()
	var csv strings.Builder
	csv.WriteString("email,languages\n")
	for i := range people {
		fmt.Fprintf(&csv, "%s,%s\n", address(i), []string{"en", "it", "zh-Hans", "ar"}[i%4])
	}
	for name, content := range map[string]string{
		"list.toml":    "[[list]]\nslug = \"partners\"\nsender = { name = \"Example Association\", address = \"news@example.org\" }\npostal_address = \"1 Example Street\"\n",
		"people.csv":   csv.String(),
		"article.md":   "---\ntitle: An article\nlanguage: en\n---\n\nIts text. It has two sentences.\n",
		"article-2.md": "---\ntitle: Another article\nlanguage: en\n---\n\nIts text. It also has two sentences.\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
	p.run("apply", filepath.Join(dir, "list.toml"))
	p.run("import", "contacts", filepath.Join(dir, "people.csv"), "--list", "partners", "--consent", "agreement")
	p.run("import", "articles", filepath.Join(dir, "article.md"), filepath.Join(dir, "article-2.md"))
}

func (p *program) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.binary, args...)
	cmd.Env = append(os.Environ(), "SILKPOST_DATA_DIR="+p.data, "SILKPOST_SMTP_URL=smtp://"+p.relay+"?tls=none",
		"SILKPOST_PUBLIC_URL=http://127.0.0.1:8080", "SILKPOST_LISTEN=127.0.0.1:0", "SILKPOST_SMTP_CONNECTIONS="+strconv.Itoa(connections))
	return cmd
}

// run runs a command to its end and returns what it printed.
func (p *program) run(args ...string) []byte {
	p.t.Helper()
	var out, complaint bytes.Buffer
	cmd := p.command(p.t.Context(), args...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		p.t.Fatalf("silkpost %s: %v\n%s", strings.Join(args, " "), err, complaint.String())
	}
	return out.Bytes()
}

// serve starts the program in the background.
func (p *program) serve() *exec.Cmd {
	p.t.Helper()
	cmd := p.command(context.Background(), "serve")
	log, err := os.OpenFile(p.data+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = log.Close() })
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

// sending starts the program and gives it an edition to send.
func (p *program) sending() *exec.Cmd {
	p.t.Helper()
	running := p.serve()
	testkit.Eventually(p.t, time.Minute, "a worker is up", func() bool { return p.status().Workers > 0 })
	p.run("digest", "send", "--list", "partners")
	return running
}

// status reads how things stand, beside the running program.
func (p *program) status() (s struct {
	Deliveries ledger.Counts
	Workers    int
},
) {
	p.t.Helper()
	if err := json.Unmarshal(p.run("status", "--json"), &s); err != nil {
		p.t.Fatal(err)
	}
	return s
}

// wait waits for a number of messages and shows the program's log when they do not come.
func (p *program) wait(reached <-chan struct{}, what string) {
	p.t.Helper()
	select {
	case <-reached:
	case <-time.After(2 * time.Minute):
		log, _ := os.ReadFile(p.data + ".log")
		p.t.Fatalf("waited in vain for %s; the log ends with:\n%s", what, log[max(0, len(log)-4000):])
	}
}

// settled waits until nothing is open.
func (p *program) settled(people int) {
	p.t.Helper()
	var last ledger.Counts
	defer func() {
		if p.t.Failed() {
			log, _ := os.ReadFile(p.data + ".log")
			p.t.Logf("%+v; the log ends with:\n%s", last, log[max(0, len(log)-4000):])
		}
	}()
	testkit.Eventually(p.t, 2*time.Minute, "everything is sent", func() bool {
		last = p.status().Deliveries
		return last.Recipients == people && last.Sent == people
	})
}

// sendThrough sends an edition to so many people, is interrupted as often, and returns how many messages came twice. Nobody may get
// nothing.
func (p *program) sendThrough(people, interruptions int, interrupt func()) (doubled int) {
	p.t.Helper()
	p.running = p.sending()
	for i := range interruptions {
		next := (i + 1) * people / (interruptions + 1)
		p.wait(p.received.at(next), fmt.Sprintf("message %d", next))
		interrupt()
	}
	p.settled(people)
	p.stop()
	doubled = p.received.doubled(p.t, people)
	p.t.Logf("%d people, %d interruptions: nobody got nothing, %d messages came twice", people, interruptions, doubled)
	return doubled
}

// sizes returns how many people get mail and how often that is interrupted.
func sizes(people, interruptions, shortPeople, shortInterruptions int) (int, int) {
	if testing.Short() {
		return shortPeople, shortInterruptions
	}
	return people, interruptions
}

// TestCrashKilled kills the program with SIGKILL again and again in the midst of sending.
func TestCrashKilled(t *testing.T) {
	people, kills := sizes(20_000, 8, 2_000, 3)
	p := newProgram(t, people)
	doubled := p.sendThrough(people, kills, func() {
		p.must(p.running.Process.Kill())
		_ = p.running.Wait()
		p.running = p.serve()
	})
	if doubled > kills*connections {
		t.Errorf("%d messages came twice: more than one per connection and kill", doubled)
	}
}

// TestCrashDatabase kills the private Postgres in the midst of sending; it comes back by itself.
func TestCrashDatabase(t *testing.T) {
	people, kills := sizes(5_000, 4, 1_000, 1)
	p := newProgram(t, people)
	doubled := p.sendThrough(people, kills, func() {
		pid, err := postmaster(p.data)
		p.must(err)
		p.must(syscall.Kill(pid, syscall.SIGKILL))
	})
	if doubled > kills*connections {
		t.Errorf("%d messages came twice: more than one per connection and kill", doubled)
	}
}

// TestCrashStopped asks the program to stop, again and again: that doubles nothing at all.
func TestCrashStopped(t *testing.T) {
	people, stops := sizes(10_000, 5, 2_000, 2)
	p := newProgram(t, people)
	doubled := p.sendThrough(people, stops, func() {
		p.stop()
		p.running = p.serve()
	})
	if doubled != 0 {
		t.Errorf("%d messages came twice after SIGTERM", doubled)
	}
}

// stop ends the program as an operator does, and expects it to go well.
func (p *program) stop() {
	p.t.Helper()
	if err := p.running.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.running.Wait(); err != nil {
		log, _ := os.ReadFile(p.data + ".log")
		p.t.Errorf("SIGTERM: %v\n%s", err, log[max(0, len(log)-2000):])
	}
}

func (p *program) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// postmaster returns the process id of the private Postgres.
func postmaster(data string) (int, error) {
	content, err := os.ReadFile(filepath.Join(data, "postgres", "data", "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(content), "\n")
	return strconv.Atoi(line)
}
