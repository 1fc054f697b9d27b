package templates

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	xlanguage "golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"silkpost/internal/errs"
)

// calendar is how a language writes dates and times. Hours are those of the whole day in every language, as on the page of the
// preferences: nobody takes a morning for an evening.
type calendar struct {
	long, full     string // a day without and with its weekday, with placeholders
	short, seconds string // a time without and with its seconds
	months         []string
	weekdays       []string // from Sunday
	firstDay       string   // of a month
	yearsAdded     int      // to the years of the Gregorian calendar
}

// numerals are how a language writes numbers, those in dates included.
type numerals struct {
	digits         []string // from 0
	decimal, group string
	groupFrom      int // so many digits are parted into groups
}

var (
	monthKeys = []string{
		"month.january", "month.february", "month.march", "month.april", "month.may", "month.june",
		"month.july", "month.august", "month.september", "month.october", "month.november", "month.december",
	}
	weekdayKeys = []string{
		"weekday.sunday", "weekday.monday", "weekday.tuesday", "weekday.wednesday", "weekday.thursday", "weekday.friday", "weekday.saturday",
	}
)

// readDates takes what is not said in sentences out of the catalogue.
func (w *words) readDates() error {
	w.calendar = calendar{
		long: w.plain("date.long"), full: w.plain("date.full"), short: w.plain("date.time"), seconds: w.plain("date.time_seconds"),
		firstDay: w.plain("date.first_day"),
	}
	for _, key := range monthKeys {
		w.months = append(w.months, w.plain(key))
	}
	for _, key := range weekdayKeys {
		w.weekdays = append(w.weekdays, w.plain(key))
	}
	w.numerals = numerals{
		digits: strings.Split(w.plain("number.digits"), ""), decimal: w.plain("number.decimal"), group: w.plain("number.group"),
	}
	if len(w.digits) != 10 {
		return errs.New(errs.Internal, "number.digits has %d digits, not ten", len(w.digits))
	}
	var err error
	if w.yearsAdded, err = strconv.Atoi(w.plain("date.years_added")); err != nil {
		return errs.New(errs.Internal, "date.years_added is not a number: %w", err)
	}
	if w.groupFrom, err = strconv.Atoi(w.plain("number.group_from")); err != nil {
		return errs.New(errs.Internal, "number.group_from is not a number: %w", err)
	}
	return nil
}

// plain returns a message as it stands in the catalogue.
func (w *words) plain(key string) string { return w.messages[key].Other }

// date returns a day such as "24 November 2026", in t's own zone.
func (w *words) date(t time.Time) string { return w.write(w.long, t) }

// weekday returns a day such as "Tuesday, 24 November 2026", in t's own zone.
func (w *words) weekday(t time.Time) string { return w.write(w.full, t) }

// hour returns a time such as "08:05", in t's own zone.
func (w *words) hour(t time.Time) string { return w.write(w.short, t) }

// moment returns a day and a time such as "24 November 2026, 08:00:12", in t's own zone.
func (w *words) moment(t time.Time) (string, error) {
	return w.message("moment", "Date", w.date(t), "Time", w.write(w.seconds, t))
}

// write fills the placeholders of a date or time.
func (w *words) write(pattern string, t time.Time) string {
	day := w.inDigits(strconv.Itoa(t.Day()))
	if t.Day() == 1 {
		day = w.firstDay
	}
	return strings.NewReplacer(
		"{{.Weekday}}", w.weekdays[t.Weekday()],
		"{{.Day}}", day,
		"{{.Month}}", w.months[t.Month()-1],
		"{{.Year}}", w.inDigits(strconv.Itoa(t.Year()+w.yearsAdded)),
		"{{.Hour}}", w.inDigits(t.Format("15")),
		"{{.Minute}}", w.inDigits(t.Format("04")),
		"{{.Second}}", w.inDigits(t.Format("05")),
	).Replace(pattern)
}

// number writes a number with the digits and signs of the language.
func (w *words) number(value float64, decimals int) string {
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(value, 'f', decimals, 64), ".")
	sign := ""
	if digits, negative := strings.CutPrefix(whole, "-"); negative {
		sign, whole = "-", digits
	}
	if len(whole) >= w.groupFrom {
		whole = w.grouped(whole)
	}
	if fraction != "" {
		whole += w.decimal + fraction
	}
	return sign + w.inDigits(whole)
}

// grouped parts digits into groups of three, from the right.
func (w *words) grouped(digits string) string {
	var groups []string
	for len(digits) > 3 {
		groups = append(groups, digits[len(digits)-3:])
		digits = digits[:len(digits)-3]
	}
	groups = append(groups, digits)
	slices.Reverse(groups)
	return strings.Join(groups, w.group)
}

// inDigits writes ASCII digits as the language does.
func (w *words) inDigits(s string) string {
	if w.digits[0] == "0" {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return r
		}
		digit, _ := utf8.DecodeRuneInString(w.digits[r-'0'])
		return digit
	}, s)
}

// size returns a number of bytes such as "14.2 kB".
func (w *words) size(bytes int) (string, error) {
	const kilo, mega = 1e3, 1e6
	if bytes < mega {
		return w.message("kilobytes", "Size", w.number(float64(bytes)/kilo, 1))
	}
	return w.message("megabytes", "Size", w.number(float64(bytes)/mega, 1))
}

// language returns the name of a language in w's own, such as "Italian"; the tag itself when it has none.
func (w *words) language(tag string) string {
	t, err := xlanguage.Parse(tag)
	if err != nil {
		return line(tag)
	}
	in := xlanguage.Make(w.tag)
	name := nameIn(display.Tags(in), t)
	if base, _ := t.Base(); base.String() == "sr" { // the library calls Serbian in Latin letters Serbo-Croatian
		script, _ := t.Script()
		name = nameIn(display.Languages(in), base) + " (" + nameIn(display.Scripts(in), script) + ")"
	}
	if name == "" {
		return line(tag)
	}
	return name
}

// nameIn returns a name from one of x/text's dictionaries, "" when the dictionary or the name is missing.
func nameIn(names display.Namer, thing any) string {
	if names == nil {
		return ""
	}
	return names.Name(thing)
}

// languages names several languages.
func (w *words) languages(tags []string) (string, error) {
	names := make([]string, len(tags))
	for i, tag := range tags {
		names[i] = w.language(tag)
	}
	return w.list(names)
}
