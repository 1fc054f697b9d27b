package database

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/errs"
)

// Health is what a server says of itself, as far as it may be asked.
type Health struct {
	Version     int           `db:"version"` // as in 150018
	Fsync       bool          `db:"fsync"`
	Synchronous string        `db:"synchronous"` // synchronous_commit
	FullPages   bool          `db:"full_pages"`
	Encoding    string        `db:"encoding"`
	Standby     bool          `db:"standby"` // it takes no writes
	Now         time.Time     `db:"now"`     // its clock
	Longest     time.Duration `db:"-"`       // how long the oldest transaction has been open
	LongestOf   string        `db:"longest_of"`
	Connections int           `db:"connections"`
	Allowed     int           `db:"allowed"` // connections
	Size        int64         `db:"size"`    // of this database, in bytes
	Seconds     float64       `db:"longest"`
}

// Examine asks the server how it is. Its clock is asked for here alone, to be compared with ours.
func Examine(ctx context.Context, db *sqlx.DB) (h Health, err error) {
	err = db.GetContext(ctx, &h, `
		SELECT current_setting('server_version_num')::int AS version, current_setting('fsync')::bool AS fsync,
		       current_setting('synchronous_commit') AS synchronous, current_setting('full_page_writes')::bool AS full_pages,
		       current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby, clock_timestamp() AS now,
		       coalesce(oldest.seconds, 0) AS longest, coalesce(oldest.of, '') AS longest_of,
		       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
		       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS allowed,
		       pg_database_size(current_database()) AS size
		FROM (SELECT) one LEFT JOIN (
			SELECT extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds,
			       concat_ws(', ', 'process ' || pid, nullif(application_name, ''), state) AS of
			FROM pg_stat_activity
			WHERE datname = current_database() AND xact_start IS NOT NULL AND backend_type = 'client backend' AND pid <> pg_backend_pid()
			ORDER BY xact_start LIMIT 1
		) oldest ON true`)
	h.Now = h.Now.UTC()
	h.Longest = time.Duration(h.Seconds * float64(time.Second))
	errs.Wrap(&err, "ask the database how it is")
	return h, err
}

// Free returns the free space where a private server keeps its files, in bytes.
func (l *Local) Free() (int64, error) { return freeSpace(l.dir) }
