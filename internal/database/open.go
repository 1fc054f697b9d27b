package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"silkpost/internal/errs"
)

const (
	openTimeout = 10 * time.Second // until the server's first answer, for each new connection
	maxOpen     = 25               // connections per process; a default Postgres allows 100 in all
	maxIdle     = 10
	idleTime    = 5 * time.Minute
	lifeTime    = time.Hour // so that a moved or rebalanced server is found again
)

// Open connects to the Postgres at rawURL (postgres://user:password@host:port/name?sslmode=…) and waits up to ten seconds
// for its answer. Sessions speak UTC. A URL that cannot be right is errs.Invalid, a server that does not answer or refuses
// is errs.Unavailable; either text is one line without the password. The caller closes the pool.
func Open(ctx context.Context, rawURL string) (*sqlx.DB, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	connector, err := pq.NewConnector(withDefaults(u).String())
	if err != nil {
		return nil, errs.New(errs.Invalid, "the database URL %s is wrong: %s", redacted(u), reason(err))
	}
	db := sqlx.NewDb(sql.OpenDB(prompt{connector}), "postgres")
	db.SetMaxOpenConns(maxOpen)
	db.SetMaxIdleConns(maxIdle)
	db.SetConnMaxIdleTime(idleTime)
	db.SetConnMaxLifetime(lifeTime)
	if err := ping(ctx, db); err != nil {
		_ = db.Close()
		return nil, unreachable(ctx, u, err)
	}
	return db, nil
}

// prompt makes connections on which no statement is compiled before it runs: ours are short, and the planner's guesses at what they cost are so high that it
// would take longer than they do (70 ms for a claim of 20 ms). It is no parameter of the connection: poolers between us and the server refuse those that they
// do not know.
type prompt struct{ driver.Connector }

func (p prompt) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if session, ok := conn.(driver.ExecerContext); ok {
		if _, err := session.ExecContext(ctx, `SET jit = off`, nil); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// parseURL checks what lib/pq would let pass: a URL without scheme is taken for key=value words, and told as a riddle.
func parseURL(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil { // its text holds the URL with the password
		return nil, errs.New(errs.Invalid, "the database URL cannot be read: write postgres://user:password@host:5432/name, "+
			"with special characters of the password as %%XX")
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errs.New(errs.Invalid, "the database URL must begin with postgres://, not %q", schemeOf(u))
	}
	if strings.Trim(u.Path, "/") == "" {
		return nil, errs.New(errs.Invalid, "the database URL %s names no database: write postgres://user@host:5432/name", redacted(u))
	}
	return u, nil
}

// schemeOf returns the part of a URL that is surely no secret.
func schemeOf(u *url.URL) string {
	if u.Scheme == "" {
		return "no scheme"
	}
	return u.Scheme + ":"
}

// withDefaults adds what the URL leaves open: sessions in UTC, and a limit to how long a new connection may take, as the
// driver otherwise waits for ever, whatever the context says, for a server that is silent.
func withDefaults(u *url.URL) *url.URL {
	query := u.Query()
	given := make(map[string]bool, len(query))
	for key := range query {
		given[strings.ToLower(key)] = true
	}
	if !given["timezone"] {
		query.Set("TimeZone", "UTC")
	}
	if !given["connect_timeout"] {
		query.Set("connect_timeout", strconv.Itoa(int(openTimeout.Seconds())))
	}
	with := *u
	with.RawQuery = query.Encode()
	return &with
}

func ping(ctx context.Context, db *sqlx.DB) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	return db.PingContext(ctx)
}

// unreachable words why the server at u cannot be used, and what helps.
func unreachable(ctx context.Context, u *url.URL, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	advice := "is Postgres running there, and are host and port right?"
	switch refusal := (*pq.Error)(nil); {
	case errors.Is(err, pq.ErrSSLNotSupported):
		advice = "add ?sslmode=disable to the URL if that is meant"
	case !errors.As(err, &refusal):
	case refusal.Code == pqerror.InvalidCatalogName:
		advice = "create it with createdb, or correct the name in the URL"
	case refusal.Code.Class() == pqerror.ClassInvalidAuthorizationSpecification:
		advice = "correct the user or the password in the URL"
	default:
		advice = "try again when it can take connections"
	}
	return errs.New(errs.Unavailable, "cannot use the database %s: %s; %s", redacted(u), reason(err), advice)
}

// redacted is the URL without its password, wherever it stands.
func redacted(u *url.URL) string {
	query := u.Query()
	if !query.Has("password") {
		return u.Redacted()
	}
	query.Set("password", "xxxxx")
	without := *u
	without.RawQuery = query.Encode()
	return without.Redacted()
}

// reason is err in one line without the driver's name.
func reason(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return "no answer"
	}
	if refusal := (*pq.Error)(nil); errors.As(err, &refusal) {
		return refusal.Message
	}
	return strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", " "), "pq: ")
}
