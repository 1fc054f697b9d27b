package templates

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var someDay = time.Date(2026, 11, 24, 8, 5, 9, 0, time.UTC)

func TestDatesAndNumbers(t *testing.T) {
	t.Parallel()
	set := mustSet(t, files)
	got := map[string][]string{}
	for _, tag := range set.tags {
		w := set.voices[tag].words
		moment, err := w.moment(someDay)
		if err != nil {
			t.Fatal(err)
		}
		small, err := w.size(14_231)
		if err != nil {
			t.Fatal(err)
		}
		large, err := w.size(1_234_567_890)
		if err != nil {
			t.Fatal(err)
		}
		got[tag] = []string{w.weekday(someDay), moment, small, large}
	}
	want := map[string][]string{
		"en":      {"Tuesday, 24 November 2026", "24 November 2026, 08:05:09", "14.2 kB", "1,234.6 MB"},
		"it":      {"martedì 24 novembre 2026", "24 novembre 2026, 08:05:09", "14,2 kB", "1.234,6 MB"},
		"zh-Hans": {"2026年11月24日星期二", "2026年11月24日 上午8:05:09", "14.2 kB", "1,234.6 MB"},
		"ar":      {"الثلاثاء، 24 نوفمبر 2026", "24 نوفمبر 2026، 8:05:09 ص", "14.2 كيلوبايت", "1,234.6 ميغابايت"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A catalogue may be added for any of them.
func TestCalendarsAreThere(t *testing.T) {
	t.Parallel()
	for tag, calendar := range calendars {
		w := words{tag: tag, dates: calendar()}
		if w.date(someDay) == "" || w.weekday(someDay) == "" || w.number(1204.5, 1) == "" || w.language("en") == "" {
			t.Errorf("%s: %q, %q, %q, %q", tag, w.date(someDay), w.weekday(someDay), w.number(1204.5, 1), w.language("en"))
		}
	}
}

func TestLanguageNames(t *testing.T) {
	t.Parallel()
	set := mustSet(t, files)
	for _, c := range []struct{ in, tag, want string }{
		{"en", "it", "Italian"},
		{"en", "zh-Hans", "Simplified Chinese"},
		{"en", "sr-Latn", "Serbian (Latin)"},
		{"en", "sr", "Serbian (Cyrillic)"},
		{"it", "uk", "ucraino"},
		{"zh-Hans", "ja", "日语"},
		{"ar", "it", "الإيطالية"},
		{"en", "no\u202e such", "no such"},
		{"en", "", ""},
	} {
		if got := set.voices[c.in].words.language(c.tag); got != c.want {
			t.Errorf("%s in %s is %q, want %q", c.tag, c.in, got, c.want)
		}
	}
}
