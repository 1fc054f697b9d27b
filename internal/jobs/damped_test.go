package jobs

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"silkpost/internal/clock"
)

// A database that is away for two and a half minutes is a few lines, however often River asks it: when it goes, each minute, and when it is back.
func TestWhatRepeatsIsDamped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(calm{&damped{Handler: slog.NewTextHandler(&out, nil), clock: clock.System{}}})
		ctx := context.Background()
		for range 1500 {
			log.ErrorContext(ctx, "producer: Error fetching jobs", slog.Any("err", errors.New("connection refused")))
			time.Sleep(100 * time.Millisecond)
		}
		log.WarnContext(ctx, "something else")
		time.Sleep(time.Minute)
		synctest.Wait()
		var got []string
		for line := range strings.Lines(out.String()) {
			_, line, _ = strings.Cut(strings.TrimSpace(line), " ")
			got = append(got, line)
		}
		want := []string{
			`level=ERROR msg="producer: Error fetching jobs" err="connection refused"`,
			`level=ERROR msg="producer: Error fetching jobs" err="connection refused" repeated=600`,
			`level=ERROR msg="producer: Error fetching jobs" err="connection refused" repeated=600`,
			`level=WARN msg="something else"`,
			`level=WARN msg="that is over: producer: Error fetching jobs" repeated=299`,
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s", strings.Join(got, "\n"))
		}
	})
}
