package adminpage

import (
	"html/template"
	"time"
)

// Words are what the pages say in one language, as their templates call it.
type Words struct {
	// Say returns a message; arguments are names and values in turn. A key that there is not is an error.
	Say func(key string, arguments ...string) (string, error)
	// Plural returns a message for a count, which it calls Count.
	Plural func(key string, count int, arguments ...string) (string, error)
	// When writes a day and a time in a zone, Ahead with the weekday; Date writes a day.
	When, Ahead func(zone *time.Location, at time.Time) (string, error)
	Date        func(day time.Time) string
	Number      func(n int) string
	// Said says a sentence that the program made in English; what there is nothing for stays as it is.
	Said func(sentence string) string
}

func wordsOf(funcs template.FuncMap) Words {
	return Words{
		Say: funcs["t"].(func(string, ...string) (string, error)), Plural: funcs["n"].(func(string, int, ...string) (string, error)),
		When: funcs["when"].(func(*time.Location, time.Time) (string, error)), Ahead: funcs["ahead"].(func(*time.Location, time.Time) (string, error)),
		Date: funcs["date"].(func(time.Time) string), Number: funcs["number"].(func(int) string), Said: funcs["said"].(func(string) string),
	}
}
