package database

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"silkpost/internal/errs"
)

// A socket's address is limited to about 104 bytes, its name is 14 of them.
const (
	socketName     = ".s.PGSQL.5432"
	socketDirLimit = 85
	shortHome      = "/tmp"
)

func (c cluster) ownSocketDir() string { return filepath.Join(c.dir, "socket") }

// socketDir is the directory of the server's socket: the cluster's own, or for a cluster with a long path one in /tmp whose
// name follows from that path.
func (c cluster) socketDir() string {
	if own := c.ownSocketDir(); len(own) <= socketDirLimit {
		return own
	}
	sum := sha256.Sum256([]byte(c.dir))
	return filepath.Join(shortHome, "silkpost-"+hex.EncodeToString(sum[:8]))
}

// makeSocketDir makes the directory of the socket, open to the server's account alone.
func (c cluster) makeSocketDir() error {
	if c.ownsSocketDir() {
		return nil
	}
	dir := c.socketDir()
	_ = os.Remove(dir) // a link, or what a crash left half made; whatever holds anything stays, and is told
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		err = c.account.give(dir)
	}
	if err != nil {
		return errs.New(errs.Invalid, "cannot make the directory of the database's socket: %w; remove what is there", err)
	}
	return nil
}

// ownsSocketDir reports whether the directory is there and the server's account's: in /tmp anybody may have made it.
func (c cluster) ownsSocketDir() bool {
	info, err := os.Lstat(c.socketDir())
	if err != nil || !info.IsDir() {
		return false
	}
	owner, ok := ownerOf(c.socketDir())
	return ok && owner.uid == c.account.uid
}

// removeSocketDir leaves nothing of a server that stopped in its order in /tmp. It removes no more than one empty directory:
// what lies there is the server's account's to change, which may be less than we are.
func (c cluster) removeSocketDir() {
	if dir := c.socketDir(); dir != c.ownSocketDir() {
		_ = os.Remove(dir)
	}
}

// url is where a database of the cluster is reached.
func (c cluster) url(database string) string {
	query := url.Values{"host": {c.socketDir()}, "port": {"5432"}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(databaseName), Path: "/" + database, RawQuery: query.Encode()}
	return u.String()
}

// listens reports whether a server, ready or not, has the socket.
func (c cluster) listens(ctx context.Context) bool {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", filepath.Join(c.socketDir(), socketName))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// ready reports whether the server takes work. The one database is made at the first time.
func (c cluster) ready(ctx context.Context) bool {
	connector, err := pq.NewConnector(c.url("postgres"))
	if err != nil {
		return false
	}
	db := sql.OpenDB(connector)
	defer func() { _ = db.Close() }()
	var exists bool
	err = db.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", databaseName).Scan(&exists)
	if err != nil || exists {
		return err == nil
	}
	_, err = db.ExecContext(ctx, "CREATE DATABASE "+databaseName)
	return err == nil || pqerror.Code(SQLState(err)) == pqerror.DuplicateDatabase
}

// runningURL is where the server of a data directory takes work, "" when it does not (yet).
func runningURL(ctx context.Context, dataDir string) (_ string, err error) {
	c := clusterAt(dataDir)
	if c.account, err = serverAccount(c.data()); err != nil {
		return "", err
	}
	if c.ownsSocketDir() && c.ready(ctx) {
		return c.url(databaseName), nil
	}
	return "", ctx.Err()
}
