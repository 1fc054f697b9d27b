package templates

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var someDay = time.Date(2026, 11, 24, 8, 5, 9, 0, time.UTC)

// How the languages that come with the program write dates and numbers. One that is added needs no line here.
func TestDatesAndNumbers(t *testing.T) {
	t.Parallel()
	set := mustSet(t, files)
	for tag, want := range map[string][]string{
		"en":      {"Tuesday, 24 November 2026", "1 May 2027", "24 November 2026, 08:05:09", "14.2 kB", "1,234.6 MB", "1,204"},
		"it":      {"martedì 24 novembre 2026", "1º maggio 2027", "24 novembre 2026, 08:05:09", "14,2 kB", "1.234,6 MB", "1.204"},
		"zh-Hans": {"2026年11月24日星期二", "2027年5月1日", "2026年11月24日 08:05:09", "14.2 kB", "1,234.6 MB", "1,204"},
		"ar":      {"الثلاثاء، 24 نوفمبر 2026", "1 مايو 2027", "24 نوفمبر 2026، 08:05:09", "14.2 كيلوبايت", "1,234.6 ميغابايت", "1,204"},
	} {
		w := set.voices[tag].words
		got := []string{w.weekday(someDay), w.date(time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC)), must(w.moment(someDay)), must(w.size(14_231)), must(w.size(1_234_567_890)), w.number(1204, 0)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", tag, diff)
		}
	}
}

func must(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}

// Every day of every language is written without rests of placeholders, the same each time, and not as its neighbour is.
func TestEveryDayIsWritten(t *testing.T) {
	t.Parallel()
	set := mustSet(t, files)
	rapid.Check(t, func(t *rapid.T) {
		w := set.voices[rapid.SampledFrom(set.tags).Draw(t, "language")].words
		at := time.Unix(rapid.Int64Range(-62e9, 253e9).Draw(t, "second"), 0).UTC()
		for name, write := range map[string]func(time.Time) string{
			"date": w.date, "weekday": w.weekday, "moment": func(at time.Time) string { return must(w.moment(at)) },
		} {
			said := write(at)
			if said != write(at) || said == write(at.AddDate(0, 0, 1)) || said == write(at.AddDate(0, 1, 0)) || said != strings.TrimSpace(said) || strings.ContainsAny(said, "{}") {
				t.Fatalf("%s in %s: %q", name, w.tag, said)
			}
		}
		if said := w.hour(at); len(said) < 4 || strings.ContainsAny(said, "{}") || said != w.hour(at) {
			t.Fatalf("hour in %s: %q", w.tag, said)
		}
	})
}

// A number can be read back, whatever its language.
func TestNumbersAreReadBack(t *testing.T) {
	t.Parallel()
	set := mustSet(t, files)
	rapid.Check(t, func(t *rapid.T) {
		w := set.voices[rapid.SampledFrom(set.tags).Draw(t, "language")].words
		number := rapid.IntRange(-9_000_000, 9_000_000).Draw(t, "number")
		read := strings.NewReplacer(w.group, "", w.decimal, ".").Replace(w.number(float64(number)/10, 1))
		for i, digit := range w.digits {
			read = strings.ReplaceAll(read, digit, strconv.Itoa(i))
		}
		if want := strconv.FormatFloat(float64(number)/10, 'f', 1, 64); read != want {
			t.Fatalf("%s writes %s as %q", w.tag, want, w.number(float64(number)/10, 1))
		}
	})
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
