package database_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

func TestLocalRefusesASecondOwner(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	startLocal(t, database.LocalConfig{Dir: dir})
	second := startOther(t, database.LocalConfig{Dir: dir}, executable(t), nil)
	want := "is in use by another silkpost (process " + strconv.Itoa(os.Getpid()) + ")"
	if !strings.Contains(second.Error, want) || strings.Contains(second.Error, "\n") {
		t.Errorf("the second owner got %q, want %q", second.Error, want)
	}
	second.stop()

	_, err := database.StartLocal(t.Context(), database.LocalConfig{Dir: dir})
	if errs.KindOf(err) != errs.Conflict {
		t.Errorf("in the same process: %v", err)
	}
}

func TestLocalCommandsAttachToAnOwner(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	owner := startLocal(t, database.LocalConfig{Dir: dir})
	command := startOther(t, database.LocalConfig{Dir: dir, Shared: true}, executable(t), nil)
	if command.URL != owner.URL() {
		t.Fatalf("the command is at %q (%s), the owner at %q", command.URL, command.Error, owner.URL())
	}
	command.stop()
	if err := open(t, owner.URL()).Ping(); err != nil {
		t.Errorf("the command took the server with it: %v", err)
	}
}

func TestLocalCommandsWithoutAnOwner(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	holder := startLocal(t, database.LocalConfig{Dir: dir, Shared: true})
	guest := startOther(t, database.LocalConfig{Dir: dir, Shared: true}, executable(t), nil)
	if guest.URL != holder.URL() {
		t.Fatalf("the guest is at %q (%s), the holder at %q", guest.URL, guest.Error, holder.URL())
	}
	stopped := make(chan error)
	go func() { stopped <- holder.Stop(context.Background()) }()
	db := open(t, guest.URL)
	select { // a moment in which a holder that does not wait would have stopped
	case err := <-stopped:
		t.Fatalf("the holder stopped (%v) while a guest used its server", err)
	default:
	}
	if err := db.Ping(); err != nil {
		t.Error(err)
	}
	_ = db.Close()
	guest.stop()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if postmaster(t, dir) != 0 {
		t.Error("the server still runs")
	}
}

func TestLocalHolderStopsWhenItsContextIsOver(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	holder := startLocal(t, database.LocalConfig{Dir: dir, Shared: true})
	startOther(t, database.LocalConfig{Dir: dir, Shared: true}, executable(t), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = holder.Stop(ctx)
	if postmaster(t, dir) != 0 {
		t.Error("the server still runs")
	}
}

func TestLocalOwnerWaitsForACommand(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	command := startOther(t, database.LocalConfig{Dir: dir, Shared: true}, executable(t), nil)
	open(t, command.URL).MustExec("CREATE TABLE kept (n integer)")
	started := make(chan *database.Local)
	go func() {
		local, err := database.StartLocal(t.Context(), database.LocalConfig{Dir: dir, Log: testkit.Log(t)})
		if err != nil {
			t.Error(err)
		}
		started <- local
	}()
	command.stop()
	owner := <-started
	if owner == nil {
		return
	}
	defer stopLocal(t, owner)
	if !hasTable(t, open(t, owner.URL()), "kept") {
		t.Error("the table is gone")
	}
}

// Commands that begin at once: one starts the server, the others use it, whoever comes first.
func TestLocalManyCommandsAtOnce(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	results := make(chan error)
	const commands = 5
	for range commands {
		go func() {
			local, err := database.StartLocal(t.Context(), database.LocalConfig{Dir: dir, Shared: true, Log: testkit.Log(t)})
			if err == nil {
				var db interface{ Close() error }
				if db, err = database.Open(t.Context(), local.URL()); err == nil {
					_ = db.Close()
				}
				err = errors.Join(err, local.Stop(context.Background()))
			}
			results <- err
		}()
	}
	for range commands {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if postmaster(t, dir) != 0 {
		t.Error("the server still runs")
	}
}
