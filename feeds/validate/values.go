package validate

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

// languageTag is the form of RFC 5646, section 2.1, roughly: what it lets through x/text looks at.
var languageTag = regexp.MustCompile(`^(?:[A-Za-z]{2,8}|[xXiI](?:-[A-Za-z0-9]{1,8}))(?:-[A-Za-z0-9]{1,8})*$`)

// languageFault says what is wrong with a language tag (BCP 47).
func languageFault(tag string) fault {
	if !languageTag.MatchString(tag) {
		return wrong("is not a language tag: write one such as en, zh-Hans or sr-Latn")
	}
	if _, err := language.Parse(tag); err != nil {
		return wrong("names a language, script or region that is not registered: write one such as en, zh-Hans or sr-Latn")
	}
	return fault{}
}

// media matches a media type with its parameters (RFC 2045, section 5.1).
var media = regexp.MustCompile(`^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+` +
	`(?:\s*;\s*[A-Za-z0-9!#$&^_.+-]+=(?:[A-Za-z0-9!#$&^_.+'*~-]+|"[^"]*"))*$`)

func mediaTypeFault(value string) fault {
	if !media.MatchString(value) {
		return wrong("is not a media type: write one such as image/jpeg or text/html")
	}
	return fault{}
}

// atLeastFault says what is wrong with a whole number that must not be below least.
func atLeastFault(value string, least int64) fault {
	return betweenFault(value, least, 1<<62)
}

func betweenFault(value string, least, most int64) fault {
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case err == nil && n >= least && n <= most:
		return fault{}
	case most < 1<<62:
		return wrong("is not a whole number from %d to %d: write one", least, most)
	}
	return wrong("is not a whole number of at least %d: write one, or leave it out", least)
}

var decimal = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)?$`)

func decimalFault(value string) fault {
	if !decimal.MatchString(value) {
		return wrong("is not a number: write one such as 44.1, or leave it out")
	}
	return fault{}
}

// oneOfFault says what is wrong with a value that is none of a few words.
func oneOfFault(value string, words ...string) fault {
	for _, word := range words {
		if value == word {
			return fault{}
		}
	}
	return wrong("is none of %s: write one of them", strings.Join(words, ", "))
}

// email matches what can be meant as an address of mail; strict enough to see what is none.
var email = regexp.MustCompile(`^[^\s@<>()]+@[^\s@<>().]+(?:\.[^\s@<>().]+)+$`)

// markup matches tags of HTML and references to characters, which plain text does not hold unless it was escaped once too often.
var markup = regexp.MustCompile(`(?i)</?(?:a|abbr|article|b|big|blockquote|br|center|cite|code|div|em|figure|font|form|h[1-6]|hr|i|` +
	`iframe|img|input|ins|li|object|ol|p|pre|q|s|script|section|small|span|strike|strong|style|sub|sup|table|tbody|td|th|tr|tt|u|ul|` +
	`video)(?:\s[^<>]*)?/?>|&(?:amp|lt|gt|quot|apos|nbsp|copy|reg|hellip|[mn]dash|[lr][sd]quo|#[0-9]{1,7}|#x[0-9a-f]{1,6});`)

// plain warns of text that looks as if it were HTML where it is not read as such.
func (r *report) plain(p place, rule, text string) {
	if found := markup.FindString(text); found != "" {
		r.warn(p, rule, "%s holds %s, but is plain text here: leave markup out, and escape no more than once", p.name(), quote(found))
	}
}
