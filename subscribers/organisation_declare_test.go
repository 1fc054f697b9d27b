package subscribers_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

func fullOrganisation() subscribers.Organisation {
	return subscribers.Organisation{
		Name: "Science Centre", Names: database.StringMap{"it": "Centro delle scienze", "zh-Hans": "科学中心"}, Country: "IT",
		WebSite: "https://www.example.org/", Languages: []string{"it", "de"}, Kind: "museum", AgreedOn: "2026-03-01",
		AgreedUntil: "2028-02-29", Notes: "Signed in Rome.\nRenewal by letter.", Tags: []string{"exchange", "robotics"},
	}
}

var ignoreRow = cmpopts.IgnoreFields(subscribers.Organisation{}, "ID", "CreatedAt")

func TestDeclareOrganisation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	declare := func(o subscribers.Organisation, want database.Change) {
		t.Helper()
		if got, err := subscribers.DeclareOrganisation(t.Context(), b.db, o, b.now); err != nil || got != want {
			t.Fatalf("%q, %v; want %q", got, err, want)
		}
	}
	declare(fullOrganisation(), database.Added)
	declare(fullOrganisation(), database.Unchanged)
	other := fullOrganisation() // the same in another way of writing
	other.Names = database.StringMap{"IT": " Centro delle scienze ", "zh-hans": "科学中心"}
	other.Country, other.Languages, other.Tags = "it", []string{"it", "DE", "it"}, []string{"exchange", " robotics", "exchange", ""}
	other.Notes, other.Kind, other.WebSite = "Signed in Rome.\r\nRenewal by letter.\r\n", "museum ", " https://www.example.org/"
	declare(other, database.Unchanged)
	got, err := subscribers.OrganisationByName(t.Context(), b.db, "science  CENTRE")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullOrganisation(), got, ignoreRow); diff != "" {
		t.Errorf("it reads back otherwise (-declared +read):\n%s", diff)
	}
	if byID, err := subscribers.OrganisationByID(t.Context(), b.db, got.ID); err != nil || !cmp.Equal(got, byID) {
		t.Errorf("by id: %+v, %v", byID, err)
	}
	renamed := subscribers.Organisation{Name: "SCIENCE CENTRE"}
	declare(renamed, database.Changed)
	declare(renamed, database.Unchanged)
	if got, err = subscribers.OrganisationByName(t.Context(), b.db, "science centre"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(renamed, got, ignoreRow, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the bare one reads back otherwise (-declared +read):\n%s", diff)
	}
	if n := len(b.query(t, `SELECT name FROM subscribers.organisations`)); n != 1 {
		t.Errorf("%d organisations", n)
	}
}

// Its contacts stay, and an import still finds it.
func TestDeclareOrganisationOfContacts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := "email,organisation,country\na@example.org,science centre,CH\n"
	b.mustImport(t, b.options(), file)
	if change, err := subscribers.DeclareOrganisation(t.Context(), b.db, fullOrganisation(), b.now); err != nil || change != database.Changed {
		t.Fatal(change, err)
	}
	if result := b.mustImport(t, b.options(), "email,organisation\na@example.org,Science Centre\n"); result.Unchanged != 1 {
		t.Errorf("%+v", result)
	}
	contact, err := subscribers.ContactByEmail(t.Context(), b.db, "a@example.org")
	if err != nil || len(contact.Organisations) != 1 || contact.Organisations[0].Kind != "museum" {
		t.Errorf("%+v, %v", contact.Organisations, err)
	}
}

func TestOrganisationValidate(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		spoil func(o *subscribers.Organisation)
		want  string
	}{
		"name":              {func(o *subscribers.Organisation) { o.Name = " \t" }, `organisation " \t", name: too long or without a letter`},
		"long name":         {func(o *subscribers.Organisation) { o.Name = strings.Repeat("x", 201) }, "201 characters, more than 200"},
		"language of names": {func(o *subscribers.Organisation) { o.Names["english"] = "x" }, `names: "english" is not a language tag`},
		"empty name":        {func(o *subscribers.Organisation) { o.Names["fr"] = " " }, "names in fr: empty"},
		"country":           {func(o *subscribers.Organisation) { o.Country = "Italy" }, `country "Italy": not a country code of ISO 3166-1`},
		"assigned country":  {func(o *subscribers.Organisation) { o.Country = "UK" }, `country "UK"`},
		"web site":          {func(o *subscribers.Organisation) { o.WebSite = "www.example.org" }, `web_site "www.example.org": not the address`},
		"script":            {func(o *subscribers.Organisation) { o.WebSite = "javascript:alert(1)" }, `web_site "javascript:alert(1)"`},
		"password":          {func(o *subscribers.Organisation) { o.WebSite = "https://a:b@example.org/" }, "not the address of a web site"},
		"control":           {func(o *subscribers.Organisation) { o.WebSite = "https://example.org/\u2028a" }, "web_site"},
		"language":          {func(o *subscribers.Organisation) { o.Languages = []string{"xx"} }, `languages: "xx"`},
		"kind":              {func(o *subscribers.Organisation) { o.Kind = "a\nb" }, `kind "a\nb": a control character`},
		"date":              {func(o *subscribers.Organisation) { o.AgreedOn = "1 March 2026" }, `agreed_on "1 March 2026": not a date`},
		"no such day":       {func(o *subscribers.Organisation) { o.AgreedUntil = "2027-02-29" }, `agreed_until "2027-02-29": not a date`},
		"dates":             {func(o *subscribers.Organisation) { o.AgreedUntil = "2026-02-28" }, `agreed_until "2026-02-28": before agreed_on, 2026-03-01`},
		"notes":             {func(o *subscribers.Organisation) { o.Notes = strings.Repeat("x", 2001) }, "2001 characters"},
		"tag":               {func(o *subscribers.Organisation) { o.Tags = []string{"a\x00"} }, `tags "a\x00"`},
	}
	for name, c := range cases {
		o := fullOrganisation()
		c.spoil(&o)
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if o := fullOrganisation(); o.Validate() != nil {
		t.Errorf("a good one: %v", o.Validate())
	}
	for _, name := range []string{"nobody", "", "\x00", "\xff"} {
		if _, err := subscribers.OrganisationByName(t.Context(), setup(t).db, name); errs.KindOf(err) != errs.NotFound {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestOrganisationNameIn(t *testing.T) {
	t.Parallel()
	o := fullOrganisation()
	for tag, want := range map[string]string{"it": "Centro delle scienze", "it-CH": "Centro delle scienze", "zh-CN": "科学中心", "zh-Hant": "Science Centre", "en": "Science Centre"} {
		if got := o.NameIn(tag); got != want {
			t.Errorf("%s: %q", tag, got)
		}
	}
}
