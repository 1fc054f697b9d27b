package adminpage

import (
	"html/template"
	"slices"
	"time"
)

// intervals are how often a source can be asked to be polled, as the form has them.
var intervals = []string{"5m", "15m", "30m", "1h", "3h", "6h", "12h", "24h"}

// contentFuncs are the functions of the pages of sources, articles and feeds.
func contentFuncs(words template.FuncMap) template.FuncMap {
	plural := words["n"].(func(string, int, ...string) (string, error))
	said := func(interval string) (string, error) {
		every, err := time.ParseDuration(interval)
		if err != nil {
			return interval, nil //nolint:nilerr // it came from a form
		}
		if every%time.Hour == 0 {
			return plural("sources.hours", int(every/time.Hour))
		}
		return plural("sources.minutes", int(every/time.Minute))
	}
	return template.FuncMap{
		"intervals": func(chosen string) (all []Option, err error) {
			list := intervals
			if chosen != "" && !slices.Contains(list, chosen) {
				list = append([]string{chosen}, list...)
			}
			for _, interval := range list {
				name, err := said(interval)
				if err != nil {
					return nil, err
				}
				all = append(all, option(interval, name, chosen))
			}
			return all, nil
		},
	}
}
