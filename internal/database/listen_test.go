package database_test

import (
	"context"
	"testing"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

func TestListen(t *testing.T) {
	t.Parallel()
	url := testkit.FreshURL(t)
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	ctx, stop := context.WithCancel(t.Context())
	heard, ended := make(chan struct{}, 100), make(chan error, 1)
	go func() {
		ended <- database.Listen(ctx, url, "a_channel", testkit.Log(t), func() { heard <- struct{}{} })
	}()
	listening := func() bool {
		var count int
		err := db.Get(&count, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'`)
		return err == nil && count == 1
	}
	hear := func(what string) {
		t.Helper()
		select {
		case <-heard:
		case <-time.After(30 * time.Second):
			t.Fatalf("%s was not heard", what)
		}
	}
	testkit.Eventually(t, 30*time.Second, "a listener", listening)
	db.MustExec(`NOTIFY a_channel`)
	hear("a notification")
	db.MustExec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`)
	hear("the new connection")
	db.MustExec(`NOTIFY a_channel`)
	hear("a notification on the new connection")
	stop()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// Told to end while there is no database, it ends.
func TestListenWithoutDatabase(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- database.Listen(ctx, "postgres://nobody@127.0.0.1:1/none?sslmode=disable", "a_channel", testkit.Log(t), func() {})
	}()
	stop()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if err := database.Listen(t.Context(), "nonsense", "a_channel", testkit.Log(t), func() {}); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a URL that is none: %v", err)
	}
}
