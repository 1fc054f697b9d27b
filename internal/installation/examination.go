package installation

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// KeepExamination keeps what was found out about this installation at a time, as JSON, instead of what was kept before.
func KeepExamination(ctx context.Context, h database.Handle, findings []byte, at time.Time) (err error) {
	defer errs.Wrap(&err, "installation.KeepExamination")
	_, err = h.ExecContext(ctx, `
		INSERT INTO installation.examinations (at, findings) VALUES ($1, $2)
		ON CONFLICT (one) DO UPDATE SET at = excluded.at, findings = excluded.findings`, at, string(findings))
	return err
}

// Examination returns what was last found out, and when; zero when nobody has looked yet.
func Examination(ctx context.Context, h database.Handle) (findings []byte, at time.Time, err error) {
	err = h.QueryRowxContext(ctx, `SELECT findings, at FROM installation.examinations`).Scan(&findings, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, at, nil
	}
	errs.Wrap(&err, "installation.Examination")
	return findings, at, err
}
