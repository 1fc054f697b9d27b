package database

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// A socket's address is limited to about 104 bytes, its name is 14 of them.
const (
	socketName     = ".s.PGSQL.5432"
	socketDirLimit = 85
	shortHome      = "/tmp"
)

// socketDir is the directory of the server's socket: the cluster's own, or what the link there points to.
func (c cluster) socketDir() string {
	own := filepath.Join(c.dir, "socket")
	if target, err := os.Readlink(own); err == nil {
		return target
	}
	return own
}

// makeSocketDir makes the directory of the socket, open to the server's account alone. A cluster with a long path gets one
// in /tmp, and a link to it.
func (c cluster) makeSocketDir() error {
	own := filepath.Join(c.dir, "socket")
	dir := c.socketDir()
	if owner, ok := ownerOf(dir); ok && owner.uid == c.account.uid {
		return nil
	}
	if err := os.RemoveAll(own); err != nil { // a link whose target is gone, or no longer ours
		return fmt.Errorf("make the socket's directory: %w", err)
	}
	var err error
	if dir = own; len(own) <= socketDirLimit {
		err = os.Mkdir(own, 0o700)
	} else if dir, err = os.MkdirTemp(shortHome, "silkpost-"); err == nil {
		err = os.Symlink(dir, own)
	}
	if err == nil {
		err = c.account.give(dir)
	}
	if err != nil {
		return fmt.Errorf("make the socket's directory: %w", err)
	}
	return nil
}

// removeSocketDir leaves nothing of a stopped server in /tmp.
func (c cluster) removeSocketDir() {
	own := filepath.Join(c.dir, "socket")
	if dir := c.socketDir(); dir != own {
		_ = os.RemoveAll(dir)
		_ = os.Remove(own)
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
func runningURL(ctx context.Context, dataDir string) (string, error) {
	c := clusterAt(dataDir)
	if c.listens(ctx) && c.ready(ctx) {
		return c.url(databaseName), nil
	}
	return "", ctx.Err()
}
