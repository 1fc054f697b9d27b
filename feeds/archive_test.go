package feeds_test

import (
	"testing"
	"time"

	"silkpost/feeds"
	"silkpost/internal/articles"
)

func TestPlaceNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"before-20260503T120000Z-1", "before-00010101T000000Z-9223372036854775807"} {
		if p, ok := feeds.ParsePlace(name); !ok || feeds.PlaceName(p) != name {
			t.Errorf("%q is read as %+v, %v", name, p, ok)
		}
	}
	for _, name := range []string{
		"", "before-", "before-20260503T120000Z", "before-20260503T120000Z-", "before-20260503T120000Z-0", "before-20260503T120000Z--1",
		"before-20260503T120000Z-01", "before-20260503T120000Z-+1", "20260503T120000Z-1", "before-20261303T120000Z-1", "before-2026-05-03-1",
		"before-20260503T120000Z-1 ", "before-20260503T120000.5Z-1", "before-20260503T120000Z-9223372036854775808",
	} {
		if p, ok := feeds.ParsePlace(name); ok {
			t.Errorf("%q is read as %+v", name, p)
		}
	}
}

func FuzzPlaceNames(f *testing.F) {
	f.Add(int64(0), int64(1))
	f.Add(int64(-30610224000), int64(1)<<62)
	f.Fuzz(func(t *testing.T, second, id int64) {
		p := articles.Place{At: time.Unix(second, 0).UTC(), ID: id}
		if p.At.Year() < 1000 || p.At.Year() > 9999 || id < 1 {
			t.Skip()
		}
		if got, ok := feeds.ParsePlace(feeds.PlaceName(p)); !ok || got != p {
			t.Errorf("%+v is read as %+v, %v", p, got, ok)
		}
	})
}
