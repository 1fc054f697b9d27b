//go:build crash

package crashtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"silkpost/internal/testkit"
)

// importFile writes a file of people whom no other round knows, and returns its path.
func (p *program) importFile(round, people int) string {
	p.t.Helper()
	var csv strings.Builder
	csv.WriteString("email,name,organisation,country,topics\n")
	for i := range people {
		fmt.Fprintf(&csv, "person%d@round%d.example,Person %d,Partner %d of round %d,IT,robotics;Events\n", i, round, i, i%50, round)
	}
	path := filepath.Join(filepath.Dir(p.data), fmt.Sprintf("round%d.csv", round))
	must(p.t, os.WriteFile(path, []byte(csv.String()), 0o644))
	return path
}

func importArgs(path string) []string {
	return []string{"import", "contacts", path, "--list", "partners", "--consent", "agreement", "--json"}
}

// imported returns how many people of a file are there, as a dry run sees them.
func (p *program) imported(path string) (there int) {
	p.t.Helper()
	var result struct{ Imported, Changed, Unchanged int }
	out := p.run(append(importArgs(path), "--dry-run")...)
	if err := json.Unmarshal(out, &result); err != nil {
		p.t.Fatal(err)
	}
	if result.Changed > 0 {
		p.t.Errorf("%s: %d people are half there", path, result.Changed)
	}
	return result.Unchanged
}

// importThrough imports file after file, each interrupted once at another moment of the time that the fastest import took, and counts what is
// there afterwards: everybody or nobody. Then the import is repeated, and all are there.
func (p *program) importThrough(people, interruptions int, interrupt func(importing *exec.Cmd)) {
	p.t.Helper()
	begin := time.Now()
	p.run(importArgs(p.importFile(0, people))...)
	took := time.Since(begin)
	whole := 0
	for round := 1; round <= interruptions; round++ {
		path := p.importFile(round, people)
		var complaint bytes.Buffer
		importing := p.command(context.Background(), importArgs(path)...)
		importing.Stderr = &complaint
		must(p.t, importing.Start())
		begin := time.Now()
		timer := time.AfterFunc(took*time.Duration(round)/time.Duration(interruptions+1), func() { interrupt(importing) })
		err := importing.Wait()
		if timer.Stop() {
			took = time.Since(begin)
		}
		testkit.Eventually(p.t, time.Minute, "Postgres is back", func() bool { return p.command(p.t.Context(), "status").Run() == nil })
		switch there := p.imported(path); {
		case there == people:
			whole++
		case there != 0:
			p.t.Errorf("round %d: %d of %d are there", round, there, people)
		case err == nil:
			p.t.Errorf("round %d: said to be done, but nobody is there", round)
		}
		p.run(importArgs(path)...)
		if there := p.imported(path); there != people {
			p.t.Errorf("round %d: repeated, %d of %d are there", round, there, people)
		}
	}
	p.t.Logf("%d imports of %d people, each interrupted: %d were whole, %d had left nothing", interruptions, people, whole, interruptions-whole)
	if whole == interruptions {
		p.t.Errorf("no import was interrupted before its end")
	}
}

// TestCrashImportAlone kills an import with SIGKILL; its private Postgres goes with it.
func TestCrashImportAlone(t *testing.T) {
	people, kills := size(20_000, 3_000), size(8, 2)
	p := newProgram(t, 1)
	p.importThrough(people, kills, func(importing *exec.Cmd) { _ = importing.Process.Kill() })
}

// TestCrashImport kills an import beside a running program, whose Postgres goes on.
func TestCrashImport(t *testing.T) {
	people, kills := size(20_000, 3_000), size(12, 2)
	p := newProgram(t, 1)
	p.serve()
	p.awaitWorkers(1)
	p.importThrough(people, kills, func(importing *exec.Cmd) { _ = importing.Process.Kill() })
	p.stop()
}

// TestCrashImportDatabase kills the Postgres under an import.
func TestCrashImportDatabase(t *testing.T) {
	people, kills := size(20_000, 3_000), size(6, 2)
	p := newProgram(t, 1)
	p.serve()
	p.awaitWorkers(1)
	p.importThrough(people, kills, func(*exec.Cmd) {
		if pid, err := postmaster(p.data); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	p.stop()
}
