package sources

import (
	"time"

	"github.com/go-playground/locales"
	"github.com/go-playground/locales/ar"
	"github.com/go-playground/locales/ar_LB"
	"github.com/go-playground/locales/da"
	"github.com/go-playground/locales/et"
	"github.com/go-playground/locales/fi"
	"github.com/go-playground/locales/he"
	"github.com/go-playground/locales/hi"
	"github.com/go-playground/locales/hu"
	"github.com/go-playground/locales/hy"
	"github.com/go-playground/locales/id"
	"github.com/go-playground/locales/ka"
	"github.com/go-playground/locales/lt"
	"github.com/go-playground/locales/lv"
	"github.com/go-playground/locales/nb"
	"github.com/go-playground/locales/ro"
	"github.com/go-playground/locales/sk"
	"github.com/go-playground/locales/sl"
	"github.com/go-playground/locales/sv"
	"github.com/go-playground/locales/th"
	"github.com/go-playground/locales/ur"
)

// pageMonths are the names of months on pages: those of monthNames and of more languages. A name that means different months in two of
// them is left out.
var pageMonths = namesOnPages([]locales.Translator{
	ar.New(), ar_LB.New(), da.New(), et.New(), fi.New(), he.New(), hi.New(), hu.New(), hy.New(), id.New(), ka.New(), lt.New(),
	lv.New(), nb.New(), ro.New(), sk.New(), sl.New(), sv.New(), th.New(), ur.New(),
})

func namesOnPages(more []locales.Translator) map[string]time.Month {
	const ambiguous = 0
	names := map[string]time.Month{}
	add := func(name string, month time.Month) {
		if there, known := names[name]; known && there != month {
			month = ambiguous
		}
		names[name] = month
	}
	for name, month := range monthNames {
		add(name, month)
	}
	for _, l := range more {
		for month := time.January; month <= time.December; month++ {
			add(monthName(l.MonthWide(month)), month)
			add(monthName(l.MonthAbbreviated(month)), month)
		}
	}
	return names
}
