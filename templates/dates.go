package templates

import (
	"strings"
	"time"

	"github.com/go-playground/locales"
	"github.com/go-playground/locales/ar"
	"github.com/go-playground/locales/be"
	"github.com/go-playground/locales/bg"
	"github.com/go-playground/locales/cs"
	"github.com/go-playground/locales/de"
	"github.com/go-playground/locales/el"
	"github.com/go-playground/locales/en_GB"
	"github.com/go-playground/locales/es"
	"github.com/go-playground/locales/fr"
	"github.com/go-playground/locales/it"
	"github.com/go-playground/locales/ja"
	"github.com/go-playground/locales/ko"
	"github.com/go-playground/locales/nl"
	"github.com/go-playground/locales/pl"
	"github.com/go-playground/locales/pt"
	"github.com/go-playground/locales/ru"
	"github.com/go-playground/locales/sr"
	"github.com/go-playground/locales/sr_Latn"
	"github.com/go-playground/locales/tr"
	"github.com/go-playground/locales/uk"
	"github.com/go-playground/locales/ur"
	"github.com/go-playground/locales/zh_Hans"
	"github.com/go-playground/locales/zh_Hant"
	xlanguage "golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// calendars are the languages whose dates and numbers are known, after the CLDR. English is written day first, as most of
// its readers abroad do. Thai is left out on purpose: its readers count years from 543 BC, which the library does not.
var calendars = map[string]func() locales.Translator{
	"ar":      ar.New,
	"be":      be.New,
	"bg":      bg.New,
	"cs":      cs.New,
	"de":      de.New,
	"el":      el.New,
	"en":      en_GB.New,
	"es":      es.New,
	"fr":      fr.New,
	"it":      it.New,
	"ja":      ja.New,
	"ko":      ko.New,
	"nl":      nl.New,
	"pl":      pl.New,
	"pt":      pt.New,
	"ru":      ru.New,
	"sr":      sr.New,
	"sr-Latn": sr_Latn.New,
	"tr":      tr.New,
	"uk":      uk.New,
	"ur":      ur.New,
	"zh-Hans": zh_Hans.New,
	"zh-Hant": zh_Hant.New,
}

// date returns a day such as "24 November 2026", in t's own zone.
func (w *words) date(t time.Time) string { return w.dates.FmtDateLong(t) }

// weekday returns a day such as "Tuesday, 24 November 2026", in t's own zone.
func (w *words) weekday(t time.Time) string { return w.dates.FmtDateFull(t) }

// moment returns a day and a time such as "24 November 2026, 08:00:12", in t's own zone.
func (w *words) moment(t time.Time) (string, error) {
	return w.message("moment", "Date", w.dates.FmtDateLong(t), "Time", w.dates.FmtTimeMedium(t))
}

// number writes digits as 0 to 9 in every language, dates included; where the library mixes them with the separators that
// belong to Arabic-Indic digits, it gives them their own.
func (w *words) number(value float64, decimals uint64) string {
	return strings.NewReplacer("٬", ",", "٫", ".").Replace(w.dates.FmtNumber(value, decimals))
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
