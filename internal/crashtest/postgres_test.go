//go:build crash

package crashtest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
)

// postgres is the server that all workers share. It keeps what it has committed, whatever happens, and comes back by itself when it dies.
type postgres struct {
	t   *testing.T
	dir string
	log *slog.Logger
	url string
	db  *sqlx.DB // of the test

	mu    sync.Mutex // held while the server is taken away
	local *database.Local
}

// startPostgres starts one in dir and checks that it writes before it answers.
func startPostgres(t *testing.T, dir string, log *slog.Logger) *postgres {
	t.Helper()
	p := &postgres{t: t, dir: dir, log: log}
	p.begin()
	p.url = p.local.URL()
	t.Cleanup(func() { _ = p.local.Stop(context.Background()) })
	var err error
	p.db, err = database.Open(t.Context(), p.url)
	must(t, err)
	t.Cleanup(func() { _ = p.db.Close() })
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var is string
		must(t, p.db.Get(&is, "SELECT current_setting($1)", setting))
		if is != "on" {
			t.Fatalf("%s is %s: this Postgres may forget", setting, is)
		}
	}
	return p
}

func (p *postgres) begin() {
	p.t.Helper()
	local, err := database.StartLocal(context.Background(), database.LocalConfig{Dir: p.dir, Log: p.log})
	if err != nil {
		p.t.Errorf("Postgres does not start: %v", err)
		return
	}
	p.local = local
}

// signal sends a signal to the server's first process: SIGKILL, SIGQUIT, which is what pg_ctl stop -m immediate sends, or SIGINT, which is a
// restart.
func (p *postgres) signal(signal syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pid, err := postmaster(p.dir); err == nil { // else it is on its way back
		_ = syscall.Kill(pid, signal)
	}
}

// away stops the server for a while.
func (p *postgres) away(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.local.Stop(context.Background())
	time.Sleep(d)
	p.begin()
}

// postmaster returns the process id of the private Postgres of a data directory.
func postmaster(data string) (int, error) {
	content, err := os.ReadFile(filepath.Join(data, "postgres", "data", "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(content), "\n")
	return strconv.Atoi(line)
}
