package ledger

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// NewEditionID returns a UUIDv7 (RFC 9562) of the given time: ids sort by the millisecond they were made in.
func NewEditionID(now time.Time) uuid.UUID {
	id := firstID(now)
	random := uuid.New()
	copy(id[6:], random[6:])
	id[6] = 0x70 | random[6]&0x0f
	return id
}

// firstID returns the least id that NewEditionID can give at a time.
func firstID(at time.Time) (id uuid.UUID) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli()))
	copy(id[:6], ms[2:])
	return id
}

// What Postgres says to the later of two processes that make the same table at once.
const (
	duplicateTable  = "42P07"
	uniqueViolation = "23505"
)

// Prepare makes the partitions that editions of today and tomorrow go to. It is no part of planning's transaction, because making
// one stops claiming and settling for a moment. Any number of processes may call it at once.
func Prepare(ctx context.Context, h database.Handle, now time.Time) (err error) {
	defer errs.Wrap(&err, "ledger.Prepare")
	for _, day := range []time.Time{now, now.AddDate(0, 0, 1)} {
		if err := prepareMonth(ctx, h, day); err != nil {
			return err
		}
	}
	return nil
}

func prepareMonth(ctx context.Context, h database.Handle, now time.Time) error {
	from := time.Date(now.UTC().Year(), now.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 1, 0)
	for table, room := range map[string]string{
		"deliveries": " WITH (fillfactor = 45)", // a claim writes a row anew beside its old version, without touching an index
		"attempts":   "",
	} {
		partition := fmt.Sprintf("mailer.%s_%s", table, from.Format("2006_01"))
		var exists bool
		if err := h.GetContext(ctx, &exists, `SELECT to_regclass($1) IS NOT NULL`, partition); err != nil || exists {
			if err != nil {
				return err
			}
			continue
		}
		// DDL takes no parameters; every part of this is ours.
		_, err := h.ExecContext(ctx, fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s PARTITION OF mailer.%s FOR VALUES FROM ('%s') TO ('%s')%s`,
			partition, table, firstID(from), firstID(to), room))
		if state := database.SQLState(err); err != nil && state != duplicateTable && state != uniqueViolation {
			return err
		}
	}
	return nil
}
