package sources

import (
	"strings"
	"time"

	"github.com/go-playground/locales"
	"github.com/go-playground/locales/be"
	"github.com/go-playground/locales/bg"
	"github.com/go-playground/locales/cs"
	"github.com/go-playground/locales/de"
	"github.com/go-playground/locales/el"
	"github.com/go-playground/locales/en"
	"github.com/go-playground/locales/en_GB"
	"github.com/go-playground/locales/es"
	"github.com/go-playground/locales/fr"
	"github.com/go-playground/locales/it"
	"github.com/go-playground/locales/nl"
	"github.com/go-playground/locales/pl"
	"github.com/go-playground/locales/pt"
	"github.com/go-playground/locales/ru"
	"github.com/go-playground/locales/sr"
	"github.com/go-playground/locales/sr_Latn"
	"github.com/go-playground/locales/tr"
	"github.com/go-playground/locales/uk"
)

// calendars know the names of months after the CLDR.
var calendars = []locales.Translator{
	be.New(), bg.New(), cs.New(), de.New(), el.New(), en.New(), en_GB.New(), es.New(), fr.New(), it.New(), nl.New(), pl.New(), pt.New(),
	ru.New(), sr.New(), sr_Latn.New(), tr.New(), uk.New(),
}

// monthNames are the months as they stand in written dates, whole and shortened, in small letters and without full stops. In these
// languages no name means two months.
var monthNames = namesOfMonths()

func namesOfMonths() map[string]time.Month {
	names := map[string]time.Month{}
	for _, l := range calendars {
		for month := time.January; month <= time.December; month++ {
			names[monthName(l.MonthWide(month))] = month
			names[monthName(l.MonthAbbreviated(month))] = month
		}
	}
	return names
}

func monthName(word string) string { return strings.TrimRight(strings.ToLower(word), ".") }
