package testkit_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"silkpost/internal/clock"
	"silkpost/internal/testkit"
)

var _ clock.Clock = (*testkit.Clock)(nil)

// recorder takes a test's place and notes what a failing helper says.
type recorder struct {
	testing.TB
	failures []string
	fatal    bool
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) { r.failures = append(r.failures, format) }

func (r *recorder) Fatalf(string, ...any) {
	r.fatal = true
	panic(r) // Fatalf does not return
}

func TestClock(t *testing.T) {
	t.Parallel()
	c := testkit.NewClock(time.Date(2026, 3, 1, 9, 0, 0, 1999, time.FixedZone("", 3600)))
	c.Advance(time.Hour)
	if want := time.Date(2026, 3, 1, 9, 0, 0, 1000, time.UTC); c.Now() != want {
		t.Errorf("got %v, want %v", c.Now(), want)
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "page.html")
	r := &recorder{TB: t}

	testkit.Golden(r, path, []byte("new"))
	if got, err := os.ReadFile(path + ".got"); len(r.failures) != 1 || err != nil || string(got) != "new" {
		t.Fatalf("without a file: %d failures, kept %q (%v)", len(r.failures), got, err)
	}
	if err := os.Rename(path+".got", path); err != nil {
		t.Fatal(err)
	}
	testkit.Golden(r, path, []byte("other"))
	if len(r.failures) != 2 {
		t.Error("a difference is no failure")
	}
	testkit.Golden(r, path, []byte("new"))
	if _, err := os.Stat(path + ".got"); len(r.failures) != 2 || !os.IsNotExist(err) {
		t.Errorf("the same bytes: %d failures, .got: %v", len(r.failures), err)
	}
}

func TestEventually(t *testing.T) {
	t.Parallel()
	looks := 0
	testkit.Eventually(t, time.Minute, "the third look", func() bool { looks++; return looks == 3 })

	r := &recorder{TB: t}
	defer func() {
		if recover() != r || !r.fatal {
			t.Error("went on after the limit")
		}
	}()
	testkit.Eventually(r, time.Millisecond, "never", func() bool { return false })
}

// A goroutine that outlives its test may still log; testing itself would panic.
func TestLogAfterTheEnd(t *testing.T) {
	t.Parallel()
	var late *slog.Logger
	t.Run("a test", func(t *testing.T) { late = testkit.Log(t) })
	late.Info("too late")
}

func TestDirIsShortAndPassable(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o711 || len(dir) > 50 || strings.Contains(dir, t.Name()) {
		t.Errorf("%s, %v, %v", dir, info.Mode(), err)
	}
}
