package sources

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"silkpost/internal/articles"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	tests := []struct {
		every    time.Duration
		failures int
		want     time.Duration
	}{
		{time.Minute, 0, time.Minute},
		{time.Minute, 3, 8 * time.Minute},
		{time.Hour, 10, 24 * time.Hour},
		{time.Hour, 1000, 24 * time.Hour},
		{48 * time.Hour, 5, 48 * time.Hour},
		{365 * 24 * time.Hour, 50, 365 * 24 * time.Hour},
	}
	for _, tt := range tests {
		if got := backoff(tt.every, tt.failures); got != tt.want {
			t.Errorf("backoff(%s, %d) = %s, want %s", tt.every, tt.failures, got, tt.want)
		}
	}
}

func TestNextPoll(t *testing.T) {
	t.Parallel()
	const every = 15 * time.Minute
	tests := map[string]struct {
		quiet time.Duration // since the last news; 0: never any
		age   time.Duration // since it was declared
		news  bool
		wish  time.Duration
		want  time.Duration
	}{
		"news":                       {quiet: 24 * time.Hour, news: true, want: every},
		"never any news":             {want: every},
		"never any news in a week":   {age: 7 * 24 * time.Hour, want: time.Hour},
		"quiet for an hour":          {quiet: time.Hour, age: 7 * 24 * time.Hour, want: every},
		"quiet for five hours":       {quiet: 5 * time.Hour, want: 30 * time.Minute},
		"quiet for a week":           {quiet: 7 * 24 * time.Hour, want: time.Hour},
		"the server says a minute":   {news: true, wish: time.Minute, want: every},
		"the server says an hour":    {news: true, wish: time.Hour, want: time.Hour},
		"the server says a year":     {news: true, wish: 365 * 24 * time.Hour, want: 6 * time.Hour},
		"quiet, and the server says": {quiet: 7 * 24 * time.Hour, wish: 2 * time.Hour, want: 2 * time.Hour},
		"the clock was turned back":  {quiet: -time.Hour, want: every},
	}
	for name, tt := range tests {
		source := articles.Source{Slug: "site", Every: every, CreatedAt: monday.Add(-tt.age), PolledAt: &monday}
		if tt.quiet != 0 {
			at := monday.Add(-tt.quiet)
			source.ChangedAt = &at
		}
		got := nextPoll(source, monday, tt.news, tt.wish).Sub(monday)
		if got < tt.want || got > tt.want+tt.want/10 {
			t.Errorf("%s: after %s, want %s and up to a tenth more", name, got, tt.want)
		}
	}
	moved := articles.Source{Slug: "moved", Every: every, CreatedAt: monday.AddDate(-1, 0, 0)}
	if got := nextPoll(moved, monday, false, 0).Sub(monday); got > every*11/10 {
		t.Errorf("a place that was never asked before is asked again after %s", got)
	}
	rare := articles.Source{Slug: "rare", Every: 48 * time.Hour}
	if got := nextPoll(rare, monday, true, time.Hour).Sub(monday); got < rare.Every || got > rare.Every*11/10 {
		t.Errorf("polled every two days: after %s", got)
	}
}

// Never earlier than the interval, never later than what bounds it, and sources do not go in step.
func TestNextPollIsBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		source := articles.Source{Slug: rapid.StringMatching(`[a-z]{1,9}`).Draw(t, "slug"), Every: time.Duration(rapid.Int64Range(60, 1e7).Draw(t, "every")) * time.Second}
		at := monday.Add(-time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "quiet")) * time.Second)
		source.PolledAt, source.ChangedAt = &at, &at
		wait := nextPoll(source, monday, rapid.Bool().Draw(t, "news"), time.Duration(rapid.Int64().Draw(t, "wish"))).Sub(monday)
		most := max(slowest*source.Every, maxWish)
		if wait < source.Every || wait > most+most/10 {
			t.Fatalf("polled after %s", wait)
		}
	})
	waits := map[time.Time]bool{}
	for _, slug := range []string{"a", "b", "c", "d"} {
		for day := range 5 {
			waits[nextPoll(articles.Source{Slug: slug, Every: time.Hour}, monday.AddDate(0, 0, day), true, 0)] = true
		}
	}
	if len(waits) != 20 {
		t.Errorf("%d times for 20 polls", len(waits))
	}
}
