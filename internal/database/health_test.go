package database_test

import (
	"testing"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/testkit"
)

func TestExamine(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	h, err := database.Examine(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if h.Version < 150000 || h.Fsync || h.Synchronous != "off" || h.Encoding != "UTF8" || h.Standby || h.Longest != 0 || h.Connections < 1 || h.Allowed < 100 || h.Size < 1<<20 {
		t.Errorf("%+v", h)
	}
	if off := time.Since(h.Now); off < -time.Minute || off > time.Minute {
		t.Errorf("its clock says %s", h.Now)
	}
	tx, err := db.Beginx()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec(`SET LOCAL application_name = 'somebody who forgot'`); err != nil {
		t.Fatal(err)
	}
	if h, err = database.Examine(t.Context(), db); err != nil || h.Longest <= 0 || h.LongestOf == "" {
		t.Errorf("%+v, %v", h, err)
	}
}
