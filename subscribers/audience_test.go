package subscribers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"silkpost/internal/errs"
	"silkpost/subscribers"
)

func TestParseAudience(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                            "",
		"  \n ":                       "",
		"country = it , CH":           "country = IT, CH",
		"country=IT,it":               "country = IT",
		"LANGUAGE = zh-hans":          "language = zh-Hans",
		"not rhythm = Weekly":         "not rhythm = weekly",
		"Not State = paused, PENDING": "not state = paused, pending",
		"list = partners AND mailable and not mailable": "list = partners and mailable and not mailable",
		"organisation = Science   Centre, Academy":      `organisation = "Science Centre", Academy`,
		`organisation contains "Arts and Crafts"`:       `organisation contains "Arts and Crafts"`,
		"attribute Job  Title = head of press":          `attribute "job title" = "head of press"`,
		`attribute "a=b" exists`:                        `attribute "a=b" exists`,
		`attribute "exists" exists`:                     `attribute "exists" exists`,
		`attribute note contains "say \"hi\", \\o/"`:    `attribute note contains "say \"hi\", \\o/"`,
		"attribute not = not":                           "attribute not = not",
		"joined before 2026-05-01":                      "joined before 2026-05-01",
		"joined after 2026-05-01T09:00:00+02:00":        "joined after 2026-05-01T07:00:00Z",
		"sent never and sent before 2026-05-01":         "sent never and sent before 2026-05-01",
	} {
		a, err := subscribers.ParseAudience(text)
		if err != nil || a.String() != want {
			t.Errorf("%q: %q, %v; want %q", text, a, err, want)
			continue
		}
		if again, err := subscribers.ParseAudience(a.String()); err != nil || !cmp.Equal(a, again) {
			t.Errorf("%q does not come back: %q, %v", a, again, err)
		}
		if again := (subscribers.Audience{}); json.Unmarshal([]byte(mustJSON(t, a)), &again) != nil || !cmp.Equal(a, again) {
			t.Errorf("%q does not come back from JSON", a)
		}
	}
}

func mustJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestParseAudienceRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"nation = IT":                   `filter: there is no field "nation"; there are attribute, country, joined, language, list, mailable, organisation, rhythm, sent, state`,
		`"country" = IT`:                `there is no field "country"`,
		"country":                       "filter: behind country stands =",
		"country IT":                    "filter: behind country stands =",
		"country = ":                    `filter: country: "": not a country code`,
		"country = IT,":                 `filter: country: "": not a country code`,
		"country = UK":                  `filter: country: "UK": not a country code`,
		"country = IT and":              "filter: a clause is missing behind the last and",
		"and":                           `there is no field "and"`,
		"not":                           "filter: a clause is missing behind not",
		"country = IT = CH":             `filter: "=" is too much behind "country = IT": clauses are joined by and`,
		`country = IT "CH"`:             `filter: "CH" is too much`,
		"country = IT or country = CH":  `"IT or country": not a country code`,
		"mailable = yes":                `filter: "=" is too much behind "mailable"`,
		"language = klingon":            `"klingon" is not a language tag`,
		"list = Our Partners":           `filter: list: "Our Partners": not the slug of a list`,
		"rhythm = hourly":               `filter: rhythm: "hourly": not one of immediate, daily, weekly, monthly`,
		"state = gone":                  `filter: state: "gone": not one of pending, active, paused, unsubscribed`,
		"joined = 2026":                 "filter: behind joined stands before or after",
		"joined before yesterday":       `filter: joined: "yesterday" is not a day such as 2026-05-01`,
		"joined before":                 `filter: joined: "" is not a day`,
		"sent contains x":               "filter: behind sent stands before or after or never",
		"organisation = \"\"":           `filter: organisation: "": empty`,
		"attribute = x":                 "filter: the name behind attribute: empty",
		"attribute city":                "filter: behind attribute city stands = or contains or exists",
		`attribute city = "x`:           `filter: the quotation mark before "x" is not closed`,
		"attribute city = \x00":         "filter: a control character",
		"attribute city = \xff":         "filter: not UTF-8 text",
		"organisation = Arts and Craft": `there is no field "Craft"`,
		strings.Repeat("country = IT and ", 3000) + "country = IT": "more than 20000",
	} {
		a, err := subscribers.ParseAudience(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || errs.KindOf(err) != errs.Invalid || len(a.Clauses) > 0 {
			t.Errorf("%.60q: %v, %v; want %s", text, a, err, want)
		}
	}
}

func FuzzParseAudience(f *testing.F) {
	for _, text := range []string{"country = IT, CH and not mailable", `attribute "a b" contains "x \" y"`, "sent after 2026-05-01T09:00:00Z", "=,\"\\"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := subscribers.ParseAudience(text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("%q: %q is no line", text, err)
			}
			return
		}
		again, err := subscribers.ParseAudience(a.String())
		if err != nil || !cmp.Equal(a, again) {
			t.Errorf("%q is read as %q, which is read as %q, %v", text, a, again, err)
		}
	})
}

// soul is somebody of a crowd, as the test knows them.
type soul struct {
	email, organisation, country, language, list, rhythm, state string
	attributes                                                  map[string]string
	joined                                                      time.Time
	sent                                                        *time.Time
	suppressed                                                  bool
}

// hostile are values that would break out of a statement, if anything could.
var hostile = []string{
	`'; DROP TABLE subscribers.contacts; --`, `$1`, `$99`, `" OR true --`, `\`, `%`, `{}`, `{"a"}`, `NULL`, "'", `''`, `::text`, `/*`, "and", "=", ",", "Ω≈ç", "x' || (SELECT 1) || '",
}

var crowdStart = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)

// newCrowd makes people of all kinds, some on two lists; they are known by subscription.
func newCrowd(t *testing.T) (*bundle, []soul) {
	t.Helper()
	b := setup(t)
	if _, err := subscribers.DeclareList(t.Context(), b.db, subscribers.NewList("guests")); err != nil {
		t.Fatal(err)
	}
	var souls []soul
	for i := range 60 {
		s := soul{
			email: fmt.Sprintf("p%02d@h%d.example", i, i%7), organisation: []string{"", "Science Centre", "Academy", "Museum of Science"}[i%4],
			country: []string{"", "IT", "CH"}[i/4%3], language: []string{"", "it", "zh-Hans", "sr-Latn"}[i%4], list: "partners",
			rhythm: subscribers.Rhythms[i/2%4], state: []string{"active", "active", "pending", "paused", "unsubscribed"}[i%5],
			attributes: map[string]string{}, joined: crowdStart.Add(time.Duration(i) * 6 * time.Hour), suppressed: i%7 == 3 || i%11 == 5,
		}
		if i%3 == 0 {
			s.attributes["role"] = []string{"Director", "press", "head, press"}[i/3%3]
		}
		if i%5 == 0 {
			s.attributes["note"] = hostile[i/5%len(hostile)]
		}
		if i%2 == 0 {
			at := crowdStart.Add(time.Duration(i*13%60) * 6 * time.Hour)
			s.sent = &at
		}
		souls = append(souls, s)
		if i%6 == 1 {
			other := s
			other.list, other.state, other.sent, other.rhythm = "guests", "active", nil, "daily"
			souls = append(souls, other)
		}
	}
	for _, s := range souls {
		b.settle(t, s)
	}
	for _, whom := range []string{"h3.example", "p05@h5.example", "p16@h2.example", "p27@h6.example", "p38@h3.example", "p49@h0.example"} {
		if _, err := subscribers.Suppress(t.Context(), b.db, whom, subscribers.Manual, "", b.now); err != nil {
			t.Fatal(err)
		}
	}
	b.mustImport(t, b.options(), "email,organisation,country,languages\nerased@h0.example,Academy,,it\n")
	b.erase(t, "erased@h0.example")
	return b, souls
}

// settle stores a soul.
func (b *bundle) settle(t *testing.T, s soul) {
	t.Helper()
	attributes := map[string]string{}
	for name, value := range s.attributes {
		attributes[name] = value
	}
	if s.organisation == "" && s.country != "" {
		attributes["country"] = s.country
	}
	languages, keys := []string{}, []string{}
	if s.language != "" {
		languages, keys = []string{"en", s.language}, []string{"en-Latn", map[string]string{"it": "it-Latn", "zh-Hans": "zh-Hans", "sr-Latn": "sr-Latn"}[s.language]}
	}
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := b.db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO subscribers.contacts (email, email_key, languages, language_keys, attributes, created_at)
		VALUES ($1, $1, string_to_array($2, ','), string_to_array($3, ','), $4, $5) ON CONFLICT DO NOTHING`,
		s.email, strings.Join(languages, ","), strings.Join(keys, ","), mustJSON(t, attributes), b.now)
	if s.organisation != "" {
		exec(`INSERT INTO subscribers.organisations (name, name_key, country, created_at) VALUES ($1, lower($1), '', $2) ON CONFLICT DO NOTHING`, s.organisation, b.now)
		exec(`INSERT INTO subscribers.memberships SELECT o.id, c.id FROM subscribers.organisations o, subscribers.contacts c
			WHERE o.name = $1 AND c.email = $2 ON CONFLICT DO NOTHING`, s.organisation, s.email)
	}
	exec(`INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, created_at)
		SELECT l.id, c.id, $3, $4, $5 FROM subscribers.lists l, subscribers.contacts c WHERE l.slug = $1 AND c.email = $2`, s.list, s.email, s.state, s.rhythm, s.joined)
	if s.sent != nil {
		b.sent(t, s.email, *s.sent)
	}
}

// countryOf gives organisations their countries: those of the houses in the crowd.
var countryOf = map[string]string{"Science Centre": "IT", "Academy": "CH", "Museum of Science": ""}

// holds is what a clause means, said in another way than in SQL.
func holds(c subscribers.Clause, s soul) bool {
	found := false
	any := func(test func(value string) bool) bool { return slices.ContainsFunc(c.Values, test) }
	within := func(at time.Time) bool {
		if c.Op == subscribers.Before {
			return at.Before(c.At.From)
		}
		return at.After(c.At.To) || at.Equal(c.At.To) && c.At.To.After(c.At.From)
	}
	switch c.Field {
	case subscribers.ByAttribute:
		value, has := s.attributes[c.Attribute]
		switch c.Op {
		case subscribers.Exists:
			found = has
		case subscribers.Is:
			found = has && any(func(v string) bool { return v == value })
		case subscribers.Contains:
			found = has && any(func(v string) bool { return strings.Contains(strings.ToLower(value), strings.ToLower(v)) })
		}
	case subscribers.ByCountry:
		found = any(func(v string) bool { return v == countryOf[s.organisation] || s.organisation == "" && v == s.country })
	case subscribers.ByLanguage:
		found = s.language != "" && any(func(v string) bool { return v == s.language || v == "en" || v == "zh" && s.language == "zh-Hans" })
	case subscribers.ByOrganisation:
		name := strings.ToLower(s.organisation)
		found = any(func(v string) bool {
			v = strings.ToLower(v)
			return v == name || c.Op == subscribers.Contains && name != "" && strings.Contains(name, v)
		})
	case subscribers.ByList:
		found = any(func(v string) bool { return v == s.list })
	case subscribers.ByRhythm:
		found = any(func(v string) bool { return v == s.rhythm })
	case subscribers.ByState:
		found = any(func(v string) bool { return v == s.state })
	case subscribers.ByJoining:
		found = within(s.joined)
	case subscribers.BySending:
		found = s.sent == nil && c.Op == subscribers.Never || s.sent != nil && c.Op != subscribers.Never && within(*s.sent)
	case subscribers.ByMailing:
		found = s.state == "active" && !s.suppressed
	}
	return found != c.Not
}

// drawAudience draws a filter as text and reads it.
func drawAudience(rt *rapid.T) subscribers.Audience {
	value := rapid.OneOf(rapid.SampledFrom(hostile), rapid.SampledFrom([]string{"Director", "press", "head, press", "e", "tor"}))
	draw := func(name string, values ...string) string { return rapid.SampledFrom(values).Draw(rt, name) }
	quote := func(text string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"` }
	var clauses []string
	for range rapid.IntRange(0, 4).Draw(rt, "clauses") {
		not := draw("not", "", "", "not ")
		day := fmt.Sprintf("2026-05-%02d", rapid.IntRange(1, 16).Draw(rt, "day")) + draw("hour", "", "T00:00:00Z", "T06:00:00Z")
		clauses = append(clauses, not+rapid.SampledFrom([]string{
			"attribute " + draw("attribute", "role", "note", "Role", quote(`x' = '`)) + " " + draw("op", "= ", "contains ") + quote(value.Draw(rt, "value")) + ", " + quote(value.Draw(rt, "value")),
			"attribute " + draw("attribute", "role", "note", "nothing") + " exists",
			"country = " + draw("country", "IT", "CH", "it, ch", "FR"),
			"language = " + draw("language", "it", "zh", "en", "sr, it", "sr-Latn"),
			"organisation = " + draw("organisation", "science centre", "Academy, science centre"),
			"organisation contains " + draw("part", "SCI", "museum", "a") + ", " + quote(value.Draw(rt, "value")),
			"list = " + draw("list", "partners", "guests", "partners, guests"),
			"rhythm = " + draw("rhythm", "daily", "weekly, monthly"),
			"state = " + draw("state", "active", "paused, pending", "unsubscribed"),
			"joined " + draw("when", "before ", "after ") + day,
			"sent " + draw("when", "before ", "after ") + day,
			"sent never", "mailable",
		}).Draw(rt, "clause"))
	}
	a, err := subscribers.ParseAudience(strings.Join(clauses, " and "))
	if err != nil {
		rt.Fatal(err)
	}
	return a
}

// Whatever is asked for, with whatever values, those are found who are meant: by counting, by listing and by narrowing an edition.
func TestAudiences(t *testing.T) {
	t.Parallel()
	b, souls := newCrowd(t)
	for name, country := range countryOf {
		if _, err := b.db.ExecContext(t.Context(), `UPDATE subscribers.organisations SET country = $2 WHERE name = $1`, name, country); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		a := drawAudience(rt)
		var want, wantMailable []string
		people := map[string]bool{}
		for _, s := range souls {
			if slices.ContainsFunc(a.Clauses, func(c subscribers.Clause) bool { return !holds(c, s) }) {
				continue
			}
			people[s.email] = true
			want = append(want, s.email+" "+s.list+" "+s.state)
			if s.state == "active" && !s.suppressed {
				wantMailable = append(wantMailable, s.email+" "+s.list)
			}
		}
		slices.Sort(want)
		slices.Sort(wantMailable)
		if n, err := subscribers.CountAudience(t.Context(), b.db, a); err != nil || n != len(people) {
			rt.Fatalf("%q: counted %d, %v; want %d", a, n, err, len(people))
		}
		var got []string
		err := subscribers.EachMember(t.Context(), b.db, a, func(m subscribers.Member) error {
			got = append(got, m.Email+" "+m.List+" "+string(m.State))
			return nil
		})
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			rt.Fatalf("%q: %v (-want +got):\n%s", a, err, diff)
		}
		condition, args, err := a.Condition(t.Context(), b.db, 2)
		if err != nil {
			rt.Fatal(err)
		}
		var narrowed []string
		err = b.db.SelectContext(t.Context(), &narrowed, `
			SELECT m.email || ' ' || l.slug FROM subscribers.mailable m JOIN subscribers.lists l ON l.id = m.list_id
			WHERE $1 <> 'x' AND `+condition, append([]any{"y"}, args...)...)
		slices.Sort(narrowed)
		if diff := cmp.Diff(wantMailable, narrowed); diff != "" || err != nil {
			rt.Fatalf("%q narrows to: %v (-want +got):\n%s", a, err, diff)
		}
	})
}

// The SQL of two audiences of the same shape is the same, whatever their values: nothing of them is in it.
func TestConditionsHoldNoValues(t *testing.T) {
	t.Parallel()
	b, _ := newCrowd(t)
	literal := regexp.MustCompile(`'[^']*'`)
	rapid.Check(t, func(rt *rapid.T) {
		a := drawAudience(rt)
		sql, args, err := a.Condition(t.Context(), b.db, 1)
		if err != nil {
			rt.Fatal(err)
		}
		for _, found := range literal.FindAllString(sql, -1) {
			if found != "'country'" && found != "'active'" {
				rt.Fatalf("the text %s stands in the SQL:\n%s", found, sql)
			}
		}
		if bare := literal.ReplaceAllString(sql, ""); strings.ContainsAny(bare, `'"\;`) || strings.Contains(bare, "--") || strings.Contains(bare, "/*") {
			rt.Fatalf("not only our own words:\n%s", sql)
		}
		other := subscribers.Audience{}
		for _, c := range a.Clauses {
			c.Values = slices.Repeat([]string{map[subscribers.Field]string{subscribers.ByList: "guests", subscribers.ByOrganisation: "Academy"}[c.Field]}, len(c.Values))
			c.Attribute, c.At = "other", subscribers.Moment{From: c.At.From.AddDate(1, 0, 0), To: c.At.To.AddDate(1, 0, 0)}
			other.Clauses = append(other.Clauses, c)
		}
		again, otherArgs, err := other.Condition(t.Context(), b.db, 1)
		if err != nil {
			rt.Fatal(err)
		}
		if again != sql || len(args) != len(otherArgs) {
			rt.Fatalf("the values changed the SQL:\n%s\n%s", sql, again)
		}
	})
}

// What is named and does not exist is told, never an empty audience.
func TestAudienceOfTheUnknown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for text, want := range map[string]string{
		"list = partner":                              `no list "partner"; the lists are: partners`,
		"not list = partner":                          `no list "partner"`,
		"organisation = Academy":                      `no organisation "Academy"`,
		"list = partners and organisation = A, B":     `no organisation "A"`,
		"organisation contains x and list = partners": "",
	} {
		a, err := subscribers.ParseAudience(text)
		if err != nil {
			t.Fatal(err)
		}
		_, countErr := subscribers.CountAudience(t.Context(), b.db, a)
		listErr := subscribers.EachMember(t.Context(), b.db, a, func(subscribers.Member) error { return nil })
		for _, err := range []error{countErr, listErr} {
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || errs.KindOf(err) != errs.NotFound) {
				t.Errorf("%q: %v, want %q", text, err, want)
			}
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := subscribers.CountAudience(ended, b.db, subscribers.Audience{}); err == nil {
		t.Error("a count that was called off is told as done")
	}
}
