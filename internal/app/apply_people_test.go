package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/app"
	"silkpost/internal/database"
	"silkpost/subscribers"
)

const partnersFile = `
[[organisation]]
name = "Science Centre"
names = { it = "Centro delle scienze", zh-Hans = "科学中心" }
country = "IT"
web_site = "https://www.example.org/"
languages = ["it", "en"]
kind = "museum"
agreed_on = 2026-03-01
agreed_until = "2028-02-29"
notes = """
Signed in Rome.
Renewal by letter."""
tags = ["exchange"]

[[organisation]]
name = "Academy"
`

func TestApplyOrganisations(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, step := range []struct {
		name, declaration, first, second string
	}{
		{"new", partnersFile, "added", "added"},
		{"again", partnersFile, "unchanged", "unchanged"},
		{"written otherwise", strings.NewReplacer("Science Centre", "science  centre", "2026-03-01", `"2026-03-01"`).Replace(partnersFile), "changed", "unchanged"},
		{"set back", partnersFile, "changed", "unchanged"},
		{"a key left out", strings.Replace(partnersFile, "kind = \"museum\"\n", "", 1), "unchanged", "unchanged"},
		{"a date moved", strings.Replace(partnersFile, "2026-03-01", "2026-04-01", 1), "changed", "unchanged"},
		{"a name taken away", strings.Replace(partnersFile, `, zh-Hans = "科学中心"`, "", 1), "changed", "unchanged"},
	} {
		want := []app.Applied{{Kind: "organisation", Slug: "Science Centre", Change: step.first}, {Kind: "organisation", Slug: "Academy", Change: step.second}}
		if step.name == "written otherwise" {
			want[0].Slug = "science  centre"
		}
		if diff := cmp.Diff(want, h.apply(t, step.declaration)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	got, err := subscribers.OrganisationByName(t.Context(), h.DB, "Science Centre")
	if err != nil || got.Kind != "museum" || got.AgreedOn != "2026-03-01" || got.Notes != "Signed in Rome.\nRenewal by letter." ||
		!cmp.Equal(got.Names, database.StringMap{"it": "Centro delle scienze"}) {
		t.Errorf("it became %+v, %v", got, err)
	}
}

func TestApplyStoresOfLists(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, "[[theme]]\nslug = \"bulletin\"\n")
	const more = "description = { en = \"What is on\" }\ntheme = \"bulletin\"\nmin_articles = 2\nmax_articles = 12\nrest = \"more\"\n" +
		"weekly_on = \"thursday\"\nnot_on = [\"12-25\"]\nlate_after = \"6h\"\n"
	for _, want := range []string{"changed", "unchanged"} {
		if got := h.apply(t, list+more); len(got) != 1 || got[0].Change != want {
			t.Errorf("%+v, want %s", got, want)
		}
	}
	if got := h.apply(t, list); got[0].Change != "unchanged" {
		t.Errorf("left out: %+v", got)
	}
	got, err := subscribers.ListBySlug(t.Context(), h.DB, "partners")
	if err != nil || got.Description["en"] != "What is on" || got.Theme != "bulletin" || got.MinArticles != 2 || got.MaxArticles != 12 ||
		got.Rest != "more" || got.WeeklyOn != "thursday" || got.NotOn[0] != "12-25" || got.ImmediateAfter != 0 ||
		got.LateAfter.Std() != 6*time.Hour {
		t.Errorf("%+v, %v", got, err)
	}
}

// Two lists of one file may leave out what comes from one another; a list that is not there is an error.
func TestApplyLeavesOut(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, "[[list]]\nslug = \"board\"\nleave_out = [\"press\"]\n[[list]]\nslug = \"press\"\nleave_out = [\"board\"]\n")
	for declaration, want := range map[string]string{
		"[[list]]\nslug = \"board\"\nleave_out = [\"presse\"]\n":      `list "board": leave_out: no list "presse"; the lists are: board, partners, press`,
		"[[list]]\nslug = \"board\"\nimmediate_after = \"soon\"\n":    `"soon" is not a length of time such as 90s, 1m or 12h`,
		"[[list]]\nslug = \"board\"\nimmediate_after = 60\n":          `immediate_after "60ns": whole seconds between 0s and 1h, such as "90s" or "12h"`,
		"[[list]]\nslug = \"board\"\nimmediate_after = \"1s500ms\"\n": `immediate_after "1.5s": whole seconds between 0s and 1h`,
	} {
		_, err := h.Apply(t.Context(), strings.NewReader(declaration), "silkpost.toml", false)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", declaration, err, want)
		}
	}
}

func TestApplyRefusesOrganisations(t *testing.T) {
	t.Parallel()
	h := open(t)
	before := h.rows(t)
	for name, tt := range map[string]struct{ declaration, want string }{
		"no name":       {"[[organisation]]\ncountry = \"IT\"\n", "a table [[organisation]] has no name"},
		"an empty name": {"[[organisation]]\nname = \" \"\n", "a table [[organisation]] has no name"},
		"twice":         {partnersFile + "[[organisation]]\nname = \"ACADEMY\"\n", `organisation "ACADEMY" is declared twice`},
		"an id":         {"[[organisation]]\nname = \"A\"\nid = 3\n", `line 3: there is no key "id"`},
		"a country":     {partnersFile + "[[organisation]]\nname = \"A\"\ncountry = \"UK\"\n", `organisation "A", country "UK": not a country code`},
		"a number":      {"[[organisation]]\nname = \"A\"\ntags = [1]\n", "line 3"},
		"a date":        {"[[organisation]]\nname = \"A\"\nagreed_on = \"soon\"\n", `agreed_on "soon": not a date such as 2026-03-01`},
		"a time":        {"[[organisation]]\nname = \"A\"\nagreed_on = 2026-03-01T10:00:00Z\n", `agreed_on "2026-03-01 10:00:00 +0000 UTC": not a date`},
		"no date":       {"[[organisation]]\nname = \"A\"\nagreed_until = { year = 2026 }\n", `organisation "A", agreed_until "map[year:2026]": not a date`},
		"a limit":       {"[[list]]\nslug = \"partners\"\nmin_articles = 5\nmax_articles = 3\n", `list "partners", max_articles 3`},
	} {
		applied, err := h.Apply(t.Context(), strings.NewReader(tt.declaration), "silkpost.toml", false)
		if err == nil || len(applied) > 0 || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: applied %v, %v", name, applied, err)
		}
	}
	if diff := cmp.Diff(before, h.rows(t)); diff != "" {
		t.Errorf("something was applied (-before +after):\n%s", diff)
	}
}
