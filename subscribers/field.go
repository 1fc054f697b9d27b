package subscribers

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// The longest texts, in characters.
const (
	maxName = 200  // of a person, an organisation, a list, a column
	maxText = 2000 // anything else
)

// MaxLanguages is how many languages a contact can have.
const MaxLanguages = 10

// maxTopics is how many topics a subscription can have.
const maxTopics = 50

// tidy makes one line of a text: no space at its ends, single spaces inside. Line breaks are spaces.
// Marks that come along from copied pages, and would turn the text after them round, are left out.
func tidy(s string) string {
	if strings.IndexFunc(s, isUnseen) >= 0 {
		s = strings.Map(func(r rune) rune {
			if isUnseen(r) {
				return -1
			}
			return r
		}, s)
	}
	return strings.Join(strings.Fields(s), " ")
}

// isUnseen reports embeddings, overrides and isolates of direction (UAX 9) and byte order marks. Marks that belong to a script's spelling are none.
func isUnseen(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\ufeff'
}

// checkText refuses what would break a mail header or the database. The error is the reason alone.
func checkText(s string, limit int) error {
	if !utf8.ValidString(s) {
		return errs.New(errs.Invalid, "not UTF-8 text")
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return errs.New(errs.Invalid, "a control character (%U)", r)
		}
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return errs.New(errs.Invalid, "%d characters, more than %d", n, limit)
	}
	return nil
}

// checkTimeZone accepts the names of the IANA time zone database, and not the machine's own zone under its several names.
// The error is the reason alone.
func checkTimeZone(name string) error {
	_, err := time.LoadLocation(name)
	own := slices.Contains([]string{"", "Local", "localtime", "posixrules", "Factory"}, name)
	variant := strings.HasPrefix(name, "posix/") || strings.HasPrefix(name, "right/")
	if err != nil || own || variant {
		return errs.New(errs.Invalid, "not a time zone of the IANA database such as Europe/Rome or Asia/Tokyo")
	}
	return nil
}

// parseHour returns an hour of the day as "15:04". Full minutes may be followed by ":00". The error is the reason alone.
func parseHour(s string) (string, error) {
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil && t.Second() == 0 && t.Nanosecond() == 0 {
			return t.Format("15:04"), nil
		}
	}
	return "", errs.New(errs.Invalid, "not an hour of the day such as 08:00 or 17:30")
}

// parseLanguages returns tags in canonical form, each once, the first being the best. The error is the reason alone.
func parseLanguages(tags []string) ([]string, error) {
	var canonical []string
	for _, tag := range tags {
		tag, err := language.Parse(tag)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(canonical, tag) {
			canonical = append(canonical, tag)
		}
	}
	return canonical, nil
}

// parseTopics returns topics, each once and on one line.
func parseTopics(topics []string) (clean []string, err error) {
	for _, topic := range topics {
		topic = tidy(topic)
		if err := checkText(topic, maxName); err != nil {
			return nil, errs.New(errs.Invalid, "topic %q: %w", topic, err)
		}
		if topic != "" && !slices.Contains(clean, topic) {
			clean = append(clean, topic)
		}
	}
	if len(clean) > maxTopics {
		return nil, errs.New(errs.Invalid, "topics: more than %d", maxTopics)
	}
	return clean, nil
}

// splitCell returns the values of a cell that holds several, parted by semicolons, each once.
func splitCell(cell string) []string {
	var values []string
	for value := range strings.SplitSeq(cell, ";") {
		if value = tidy(value); value != "" && !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	return values
}
