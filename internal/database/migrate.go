package database

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivermigrate"

	"silkpost/internal/errs"
)

// RiverSchema is the Postgres schema of the queue's tables: the Schema of every river.Config.
const RiverSchema = "river"

//go:embed migrations/*.sql
var migrations embed.FS

// The migration lock is asked for once a second, for five minutes: as long as a migration of a large table may take.
const (
	lockPeriod   = 1
	lockAttempts = 300
)

// Migrate brings the schema, Silkpost's own and the queue's, to what this program knows. It changes nothing when that is
// done already, and processes that start at once wait for one another. A database that a newer program has migrated is
// refused with errs.Conflict, untouched.
func Migrate(ctx context.Context, db *sqlx.DB, log *slog.Logger) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() { _ = conn.Close() }()
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(lockPeriod, lockAttempts))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := locker.SessionLock(ctx, conn); err != nil {
		return fmt.Errorf("wait for another migration: %w", err)
	}
	defer func() { err = errors.Join(err, locker.SessionUnlock(context.WithoutCancel(ctx), conn)) }()
	if err := migrateOwn(ctx, db.DB, log); err != nil {
		return err
	}
	return migrateRiver(ctx, db.DB, log)
}

// migrateOwn applies migrations/*.sql. The caller holds the lock.
func migrateOwn(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	current, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if current > known {
		return newer("schema", current, known)
	}
	results, err := provider.Up(ctx)
	for _, result := range results {
		log.InfoContext(ctx, "migrated the database", slog.String("migration", result.Source.Path), slog.Duration("took", result.Duration))
	}
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// migrateRiver applies the queue's own migrations. The caller holds the lock.
func migrateRiver(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS "+RiverSchema); err != nil {
		return fmt.Errorf("migrate the queue: %w", err)
	}
	// River tells each of its small steps; one line of ours is enough.
	config := &rivermigrate.Config{Schema: RiverSchema, Logger: slog.New(slog.DiscardHandler)}
	migrator, err := rivermigrate.New(riverdatabasesql.New(db), config)
	if err != nil {
		return fmt.Errorf("migrate the queue: %w", err)
	}
	if err := refuseNewerRiver(ctx, db, migrator.AllVersions()); err != nil {
		return err
	}
	result, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	if err != nil {
		return fmt.Errorf("migrate the queue: %w", err)
	}
	if n := len(result.Versions); n > 0 {
		log.InfoContext(ctx, "migrated the queue", slog.Int("version", result.Versions[n-1].Version))
	}
	return nil
}

// refuseNewerRiver asks the table itself: River's own question fails on versions that it does not know.
func refuseNewerRiver(ctx context.Context, db *sql.DB, known []rivermigrate.Migration) error {
	var exists bool
	if err := db.QueryRowContext(ctx, "SELECT to_regclass('"+RiverSchema+".river_migration') IS NOT NULL").Scan(&exists); err != nil || !exists {
		return err
	}
	var current int64
	if err := db.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM "+RiverSchema+".river_migration").Scan(&current); err != nil {
		return fmt.Errorf("read the queue's version: %w", err)
	}
	if latest := int64(known[len(known)-1].Version); current > latest {
		return newer("queue", current, latest)
	}
	return nil
}

func newer(what string, current, known int64) error {
	return errs.New(errs.Conflict, "the database was set up by a newer silkpost (%s version %d, this program knows %d): "+
		"run that version or a later one", what, current, known)
}
