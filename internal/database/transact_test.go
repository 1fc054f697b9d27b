package database_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

// numbers returns a database with a table of numbers.
func numbers(t *testing.T) *sqlx.DB {
	t.Helper()
	db := testkit.DB(t)
	db.MustExec("CREATE TABLE numbers (n integer CONSTRAINT numbers_key PRIMARY KEY)")
	return db
}

func insert(ctx context.Context, n int) func(tx *sqlx.Tx) error {
	return func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO numbers (n) VALUES ($1)", n)
		return err
	}
}

func count(t *testing.T, db *sqlx.DB) int {
	t.Helper()
	var n int
	if err := db.Get(&n, "SELECT count(*) FROM numbers"); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTransactCommits(t *testing.T) {
	t.Parallel()
	db := numbers(t)
	if err := database.Transact(t.Context(), db, insert(t.Context(), 1)); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestTransactEndsWithWhatItsContextAsksFor(t *testing.T) {
	t.Parallel()
	db := numbers(t)
	refused := errors.New("refused")
	ending := func(n int, err error) context.Context {
		return database.Ending(t.Context(), func(tx *sqlx.Tx) error { return errors.Join(insert(t.Context(), n)(tx), err) })
	}
	if err := database.Transact(ending(2, nil), db, insert(t.Context(), 1)); err != nil || count(t, db) != 2 {
		t.Errorf("%d rows, want 2 (%v)", count(t, db), err)
	}
	if err := database.Transact(ending(4, refused), db, insert(t.Context(), 3)); !errors.Is(err, refused) || count(t, db) != 2 {
		t.Errorf("%d rows after a refused ending, want 2 (%v)", count(t, db), err)
	}
	if err := database.Transact(ending(6, nil), db, func(*sqlx.Tx) error { return refused }); !errors.Is(err, refused) || count(t, db) != 2 {
		t.Errorf("%d rows after what failed before it, want 2 (%v)", count(t, db), err)
	}
}

func TestTransactRollsBack(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	tests := []struct {
		name string
		end  func(cancel context.CancelFunc) error
		want error // nil: Transact does not return
	}{
		{"on an error", func(context.CancelFunc) error { return broken }, broken},
		{"on a panic", func(context.CancelFunc) error { panic("broken") }, nil},
		{"when the goroutine ends", func(context.CancelFunc) error { runtime.Goexit(); return nil }, nil},
		{"when the context is over", func(cancel context.CancelFunc) error { cancel(); return nil }, context.Canceled},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			db := numbers(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var got error
			var wait sync.WaitGroup
			wait.Go(func() {
				defer func() { _ = recover() }()
				got = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
					if err := insert(ctx, 1)(tx); err != nil {
						return err
					}
					return test.end(cancel)
				})
			})
			wait.Wait()
			if !errors.Is(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if n := count(t, db); n != 0 {
				t.Errorf("%d rows are left", n)
			}
			if open := db.Stats().InUse; open != 0 {
				t.Errorf("%d connections are still in use", open)
			}
		})
	}
}

func TestTransactRetriesSerializationFailures(t *testing.T) {
	t.Parallel()
	db := numbers(t)
	calls := 0
	err := database.Transact(t.Context(), db, func(tx *sqlx.Tx) error {
		calls++
		if err := insert(t.Context(), calls)(tx); err != nil || calls == 3 {
			return err
		}
		return raise(t.Context(), tx, "40001")
	})
	if err != nil || calls != 3 {
		t.Errorf("%d calls, %v; want success at the third", calls, err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows, want that of the third call alone", n)
	}
}

func TestTransactRetriesNotForEver(t *testing.T) {
	t.Parallel()
	db := numbers(t)
	for code, want := range map[string]int{"40P01": 5, "40001": 5, "40003": 1, "55P03": 1} {
		calls := 0
		err := database.Transact(t.Context(), db, func(tx *sqlx.Tx) error {
			calls++
			return raise(t.Context(), tx, code)
		})
		if calls != want || database.SQLState(err) != code {
			t.Errorf("%s: %d calls, %v; want %d", code, calls, err, want)
		}
	}
}

// Two transactions that lock each other's row: Postgres ends one of them, and Transact runs it again.
func TestTransactSurvivesARealDeadlock(t *testing.T) {
	t.Parallel()
	db := numbers(t)
	db.MustExec("INSERT INTO numbers (n) VALUES (1), (2)")
	ctx := t.Context()
	var bothHaveOne sync.WaitGroup
	bothHaveOne.Add(2)
	lock := func(first, second int) func() {
		var once sync.Once
		return func() {
			err := database.Transact(ctx, db, func(tx *sqlx.Tx) error {
				if _, err := tx.ExecContext(ctx, "UPDATE numbers SET n = n WHERE n = $1", first); err != nil {
					return err
				}
				once.Do(func() { bothHaveOne.Done(); bothHaveOne.Wait() })
				_, err := tx.ExecContext(ctx, "UPDATE numbers SET n = n WHERE n = $1", second)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
	var wait sync.WaitGroup
	wait.Go(lock(1, 2))
	wait.Go(lock(2, 1))
	wait.Wait()
}

func TestTransactNeverRetriesALostCommit(t *testing.T) {
	t.Parallel()
	db := numbers(t)
	calls := 0
	err := database.Transact(t.Context(), db, func(tx *sqlx.Tx) error {
		calls++
		var pid int
		if err := tx.GetContext(t.Context(), &pid, "SELECT pg_backend_pid()"); err != nil {
			return err
		}
		if err := insert(t.Context(), 1)(tx); err != nil {
			return err
		}
		_, err := db.ExecContext(t.Context(), "SELECT pg_terminate_backend($1, 5000)", pid)
		return err
	})
	if calls != 1 || !errors.Is(err, database.ErrCommitUnknown) || errs.KindOf(err) != errs.Unavailable {
		t.Errorf("%d calls, %v; want one, and ErrCommitUnknown", calls, err)
	}
}

// A constraint that is checked at COMMIT: the server's no is an answer.
func TestTransactTellsARefusedCommit(t *testing.T) {
	t.Parallel()
	db := numbers(t)
	db.MustExec("CREATE TABLE later (n integer CONSTRAINT later_n_fkey REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)")
	err := database.Transact(t.Context(), db, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(t.Context(), "INSERT INTO later (n) VALUES (1)")
		return err
	})
	if database.SQLState(err) != "23503" || errors.Is(err, database.ErrCommitUnknown) {
		t.Errorf("got %v, want the foreign key's violation", err)
	}
}

func TestTransactInAFullPoolGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	db := numbers(t)
	db.SetMaxOpenConns(1)
	held, err := db.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := database.Transact(ctx, db, insert(ctx, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Advisory locks are worth something only when who waited for one sees what its holder did.
func TestTransactIsReadCommittedWhateverTheDefault(t *testing.T) {
	t.Parallel()
	db := open(t, testkit.FreshURL(t)+"&default_transaction_isolation=serializable&default_transaction_read_only=on")
	isolation := func(before string) (level string) {
		err := database.Transact(t.Context(), db, func(tx *sqlx.Tx) error {
			if _, err := tx.ExecContext(t.Context(), before); err != nil {
				return err
			}
			return tx.GetContext(t.Context(), &level, "SELECT current_setting('transaction_isolation') || current_setting('transaction_read_only')")
		})
		if err != nil {
			t.Error(err)
		}
		return level
	}
	if got := isolation(""); got != "read committedoff" {
		t.Errorf("%q", got)
	}
	if got := isolation("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"); got != "repeatable readon" {
		t.Errorf("asked for another one: %q", got)
	}
}

// A machine that vanishes says nothing more, not even that it is gone.
func TestTransactGivesUpASilentServer(t *testing.T) {
	t.Parallel()
	var waiting sync.WaitGroup // side by side: each takes the whole limit
	for _, silentAt := range []string{"BEGIN", "COMMIT", "ROLLBACK"} {
		direct := testkit.FreshURL(t)
		wire := startWire(t, urlHost(t, direct))
		db := open(t, wire.url(t, direct))
		waiting.Go(func() { giveUp(t, db, wire, silentAt) })
	}
	waiting.Wait()
}

func giveUp(t *testing.T, db *sqlx.DB, wire *wire, silentAt string) {
	refused := errors.New("refused")
	if silentAt == "BEGIN" {
		wire.freeze()
	}
	ran := false
	begun := time.Now()
	err := database.Transact(t.Context(), db, func(*sqlx.Tx) error {
		ran = true
		wire.freeze()
		if silentAt == "ROLLBACK" {
			return refused
		}
		return nil
	})
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("%s took %s", silentAt, took)
	}
	if err == nil || ran == (silentAt == "BEGIN") {
		t.Errorf("silent at %s: %v, and fn ran: %t", silentAt, err, ran)
	}
	if errors.Is(err, database.ErrCommitUnknown) != (silentAt == "COMMIT") || errors.Is(err, refused) != (silentAt == "ROLLBACK") {
		t.Errorf("silent at %s: %v", silentAt, err)
	}
	if stats := db.Stats(); stats.OpenConnections != 0 {
		t.Errorf("silent at %s: the dead connection is kept: %+v", silentAt, stats)
	}
}

// wire stands between a client and the server's socket. Frozen, it takes what comes and says nothing.
type wire struct {
	net.Listener
	mu     sync.Mutex
	frozen bool
}

func startWire(t *testing.T, socketDir string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: listener}
	var carrying sync.WaitGroup
	carrying.Go(func() {
		for {
			client, err := w.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", filepath.Join(socketDir, ".s.PGSQL.5432"))
			if err != nil {
				t.Error(err)
				_ = client.Close()
				return
			}
			carrying.Go(func() { w.carry(server, client); _ = server.Close() })
			carrying.Go(func() { w.carry(client, server); _ = client.Close() })
		}
	})
	t.Cleanup(func() { _ = w.Close(); carrying.Wait() })
	return w
}

// carry hands on what is said until either side leaves.
func (w *wire) carry(to, from net.Conn) {
	said := make([]byte, 4096)
	for {
		n, err := from.Read(said)
		w.mu.Lock()
		frozen := w.frozen
		w.mu.Unlock()
		if !frozen {
			_, _ = to.Write(said[:n])
		}
		if err != nil {
			return
		}
	}
}

func (w *wire) freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = true
}

// url is the server's URL by way of the wire.
func (w *wire) url(t *testing.T, direct string) string {
	t.Helper()
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Del("host")
	query.Del("port")
	u.Host, u.RawQuery = w.Addr().String(), query.Encode()
	return u.String()
}

// raise has the server fail with the given SQLSTATE.
func raise(ctx context.Context, tx *sqlx.Tx, code string) error {
	_, err := tx.ExecContext(ctx, strings.Replace("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '?'; END $$", "?", code, 1))
	return err
}

// Whoever asks for something may have it done in a snapshot: what is told of them is no query, after which a transaction could have no isolation of its own.
func TestTransactForSomebodyInASnapshot(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	at := time.Date(2026, 11, 22, 8, 0, 0, 5000, time.UTC)
	for _, name := range []string{"account 12", `it's "odd" \ ; COMMIT`} {
		var said, when string
		err := database.Transact(database.As(t.Context(), name, at), db, func(tx *sqlx.Tx) error {
			if _, err := tx.Exec(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY`); err != nil {
				return err
			}
			return tx.QueryRow(`SELECT current_setting('silkpost.actor'), current_setting('silkpost.at')`).Scan(&said, &when)
		})
		if err != nil || said != name || when != "2026-11-22T08:00:00.000005Z" {
			t.Errorf("%v: %q at %q", err, said, when)
		}
	}
}
