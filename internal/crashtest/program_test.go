//go:build crash

package crashtest

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/testkit"
	"silkpost/mailer/ledger"
)

// program is `silkpost serve` on its private Postgres, run as its users run it.
type program struct {
	*installation
	people   int
	received *sink
	log      *os.File
	running  *exec.Cmd
}

func newProgram(t *testing.T, people int) *program {
	t.Helper()
	p := &program{installation: newInstallation(t), people: people}
	p.received = startSink(t, p.installation, 0)
	p.env = append(p.env, "SILKPOST_SMTP_URL=smtp://"+p.received.addr+"?tls=none")
	p.log = p.installation.log("serve")
	p.furnish(people)
	return p
}

// serve starts the program in the background.
func (p *program) serve() {
	p.t.Helper()
	cmd := p.command(context.Background(), "serve")
	cmd.Stderr = p.log
	must(p.t, cmd.Start())
	p.t.Cleanup(func() { _ = cmd.Process.Kill() })
	p.running = cmd
}

// kill ends the program with SIGKILL; its Postgres goes with it.
func (p *program) kill() {
	p.t.Helper()
	must(p.t, p.running.Process.Kill())
	_ = p.running.Wait()
}

// stop ends the program as an operator does, and expects it to go well.
func (p *program) stop() {
	p.t.Helper()
	must(p.t, p.running.Process.Signal(syscall.SIGTERM))
	if err := p.running.Wait(); err != nil {
		p.t.Errorf("SIGTERM: %v", err)
	}
}

// sendThrough sends an edition, is interrupted so many times, and returns how many messages came twice, after an audit of the rest.
func (p *program) sendThrough(interruptions int, interrupt func()) (doubled int) {
	p.t.Helper()
	p.serve()
	p.awaitWorkers(1)
	p.run("digest", "send", "--list", "partners")
	for i := range interruptions {
		next := (i + 1) * p.people / (interruptions + 1)
		select {
		case <-p.received.reached(next):
		case <-time.After(patience):
			p.t.Fatalf("waited in vain for message %d", next)
		}
		interrupt()
	}
	var last ledger.Counts
	testkit.Eventually(p.t, patience, "everything is sent", func() bool {
		last = p.status().Deliveries
		return last.Recipients == p.people && last.Sent == p.people
	})
	found := p.audit()
	p.stop()
	p.t.Logf("%d people, %d interruptions: %d lost, %d doubled", p.people, interruptions, found.lost, found.doubled)
	return found.doubled
}

// audit reads the ledger of the running program and holds it against what the server accepted.
func (p *program) audit() findings {
	p.t.Helper()
	db, err := database.Open(p.t.Context(), p.status().Database)
	must(p.t, err)
	defer func() { _ = db.Close() }()
	return report(p.t, audit(rows(p.t, db), p.received.accepted(), nil))
}

// TestCrashKilled kills the program with SIGKILL again and again in the midst of sending.
func TestCrashKilled(t *testing.T) {
	t.Parallel()
	kills := size(8, 2)
	p := newProgram(t, size(20_000, 2_000))
	doubled := p.sendThrough(kills, func() { p.kill(); p.serve() })
	if doubled > kills*connections {
		t.Errorf("%d messages came twice: more than one per connection and kill", doubled)
	}
}

// TestCrashDatabase kills the private Postgres in the midst of sending; it comes back by itself.
func TestCrashDatabase(t *testing.T) {
	t.Parallel()
	kills := size(4, 1)
	p := newProgram(t, size(5_000, 1_000))
	doubled := p.sendThrough(kills, func() {
		pid, err := postmaster(p.data)
		must(t, err)
		must(t, syscall.Kill(pid, syscall.SIGKILL))
	})
	if doubled > kills*connections {
		t.Errorf("%d messages came twice: more than one per connection and kill", doubled)
	}
}

// TestCrashStopped asks the program to stop, again and again: that doubles nothing at all.
func TestCrashStopped(t *testing.T) {
	t.Parallel()
	stops := size(5, 2)
	p := newProgram(t, size(10_000, 2_000))
	if doubled := p.sendThrough(stops, func() { p.stop(); p.serve() }); doubled != 0 {
		t.Errorf("%d messages came twice after SIGTERM", doubled)
	}
}
