package articles

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestUnusuallyLongIsByTheSourcesOwnRhythm(t *testing.T) {
	t.Parallel()
	every := func(days, times int, more ...string) (all []string) {
		for i := range times {
			all = append(all, monday.AddDate(0, 0, -i*days).Format(time.DateOnly))
		}
		return append(all, more...)
	}
	const day = 24 * time.Hour
	tests := map[string]struct {
		days []string
		want time.Duration
	}{
		"daily":                   {every(1, 20), 7 * day},
		"weekly":                  {every(7, 20), 14 * day},
		"monthly":                 {every(30, 6), 60 * day},
		"weekly, with one summer": {every(7, 20, "2019-10-01"), 14 * day},
		"a few days":              {every(1, 4), 100 * 365 * day},
		"hardly ever":             {every(200, 6), 180 * day},
		"nothing was ever there":  {nil, 100 * 365 * day},
	}
	for name, tt := range tests {
		if got := usualPause(tt.days); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	feed, _, err := b.UpsertSource(ctx, b.db, Source{Slug: "site", Kind: KindFeed, URL: "https://www.example.org/feed"}, monday)
	if err != nil {
		t.Fatal(err)
	}
	b.source = feed
	for i := range 10 {
		at := monday.AddDate(0, 0, 7*i)
		b.save(t, at, Draft{ExternalKey: fmt.Sprint(i), Title: "One", Text: "x", Language: "en", Published: at})
	}
	warnings := func(now time.Time) string {
		t.Helper()
		all, err := b.Healths(ctx, b.db, now)
		if err != nil {
			t.Fatal(err)
		}
		source, err := b.SourceBySlug(ctx, b.db, "site")
		if err != nil {
			t.Fatal(err)
		}
		health := all[feed.ID]
		return strings.Join(health.Warnings(&source, now), "; ")
	}
	last := monday.AddDate(0, 0, 63)
	poll := func(at time.Time, failure string) {
		t.Helper()
		source, err := b.SourceBySlug(ctx, b.db, "site")
		if err != nil {
			t.Fatal(err)
		}
		if err := b.RecordPoll(ctx, b.db, source, Polled{At: at, Next: at.Add(time.Hour), Failure: failure}); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		at            time.Time
		failure, want string
	}{
		{last.AddDate(0, 0, 13), "", ""},
		{last.AddDate(0, 0, 15), "", "it has published nothing since 13 July 2020, which is unusually long"},
		{last.AddDate(0, 0, 16), "the server answered 500", ""},
		{last.AddDate(0, 0, 17).Add(-time.Second), "the server answered 500", ""},
		{last.AddDate(0, 0, 17), "the server answered 502", "it has failed since 29 July 2020: the server answered 502"},
		{last.AddDate(0, 0, 18), "", "it has published nothing since 13 July 2020, which is unusually long"},
		{last.AddDate(0, 0, 19), "the server answered 500", ""},
	} {
		poll(step.at, step.failure)
		if got := warnings(step.at); got != step.want {
			t.Errorf("%v: %q, want %q", step.at, got, step.want)
		}
	}
	b.source.PolledAt = &last
	b.polls(t, last.AddDate(0, 0, 20), numbered("x", 0, 30)...)
	if got := warnings(last.AddDate(0, 0, 19)); !strings.HasPrefix(got, "30 articles are held: 30 new articles at once; more than 20 are held") {
		t.Errorf("held: %q", got)
	}
}
