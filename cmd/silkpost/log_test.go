package main

import (
	"strings"
	"testing"

	"silkpost/internal/testkit"
)

// A command that ends is quiet, unless somebody wants to hear more.
func TestLogLevel(t *testing.T) {
	t.Parallel()
	for level, talks := range map[string]bool{"": false, "info": true, "warn": false, "debug": true} {
		r := silkpost(t, settings{"DATABASE_URL": testkit.EmptyURL(t), "LOG_LEVEL": level}, "migrate")
		if r.status != exitDone || strings.Contains(r.stderr, "migrated the database") != talks {
			t.Errorf("at level %q, status %d: %s", level, r.status, r.stderr)
		}
	}
}
