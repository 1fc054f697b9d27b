// Package apptest opens the whole program for tests of its ends.
package apptest

import (
	"context"
	"log/slog"
	"testing"

	"silkpost/internal/app"
	"silkpost/internal/config"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher/catchertest"
)

// Settings are those of a program on a new database of its own, with a secret key. Its mail goes to post; nil: nowhere yet.
func Settings(t testing.TB, post *catchertest.Server) config.Config {
	t.Helper()
	cfg := config.Defaults()
	cfg.DatabaseURL, cfg.Listen, cfg.SecretKey = testkit.FreshURL(t), "127.0.0.1:0", []string{"a key of the tests alone"}
	if post != nil {
		cfg.SMTPURL = "smtp://" + post.Addr + "?tls=none"
	}
	return cfg
}

// Open opens the program until the test ends. Without opt.Log its log is the test's.
func Open(t testing.TB, cfg config.Config, opt app.Options) *app.App {
	t.Helper()
	if opt.Log == nil {
		opt.Log = testkit.Log(t)
	}
	if _, fuzzed := t.(*testing.F); fuzzed {
		opt.Log = slog.New(slog.DiscardHandler) // nothing may be logged to it while its target runs
	}
	a, err := app.Open(t.Context(), cfg, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return a
}
