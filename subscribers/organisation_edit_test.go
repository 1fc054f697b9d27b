package subscribers_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/errs"
	"silkpost/subscribers"
)

func TestMergeOrganisations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email,organisation,country,organisation_kind,organisation_tags,organisation_notes\n"+
		"a@x.example,Science Centre,IT,,robots,Old\nb@x.example,Sci. Centre,DE,museum,robots;space,New\nboth@x.example,Science Centre,,,,\nboth@x.example,Sci. Centre,,,,\n")
	into, from := b.organisation(t, "Science Centre"), b.organisation(t, "Sci. Centre")
	merge := func(from, into int64) error {
		return b.transact(t, func(tx *sqlx.Tx) error { return subscribers.MergeOrganisations(t.Context(), tx, from, into) })
	}
	if err := merge(into.ID, into.ID); errs.KindOf(err) != errs.Invalid {
		t.Errorf("with itself: %v", err)
	}
	if err := merge(4711, into.ID); errs.KindOf(err) != errs.NotFound {
		t.Errorf("one that is not there: %v", err)
	}
	if err := merge(from.ID, into.ID); err != nil {
		t.Fatal(err)
	}
	got := b.organisation(t, "Science Centre")
	if got.Country != "IT" || got.Kind != "museum" || got.Notes != "Old\nNew" || !slices.Equal(got.Tags, []string{"robots", "space"}) {
		t.Errorf("%+v", got)
	}
	members := b.query(t, `SELECT c.email FROM subscribers.memberships m JOIN subscribers.contacts c ON c.id = m.contact_id WHERE m.organisation_id = $1 ORDER BY 1`, got.ID)
	if strings.Join(members, " ") != "a@x.example b@x.example both@x.example" {
		t.Errorf("%v", members)
	}
	if _, err := subscribers.OrganisationByID(t.Context(), b.db, from.ID); errs.KindOf(err) != errs.NotFound {
		t.Errorf("%v", err)
	}
}

// What keeps mail from the people of an organisation is told, each of them once.
func TestWhyOrganisationsAreNotReached(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email,organisation\nactive@x.example,Good\nbounced@x.example,Bad\nleft@x.example,Bad\n")
	pending := b.options()
	pending.Consent = ""
	b.mustImport(t, pending, "email,organisation\npending@x.example,Bad\n")
	b.unsubscribe(t, strconv.FormatInt(b.subscriptionOf(t, "partners", "left@x.example"), 10))
	if _, err := subscribers.Suppress(t.Context(), b.db, "bounced@x.example", subscribers.HardBounce, "", b.now); err != nil {
		t.Fatal(err)
	}
	if _, err := b.db.ExecContext(t.Context(), `INSERT INTO subscribers.organisations (name, name_key, created_at) VALUES ('Empty', 'empty', $1)`, b.now); err != nil {
		t.Fatal(err)
	}
	all, next, err := subscribers.FindOrganisations(t.Context(), b.db, subscribers.OrganisationFilter{}, "", 50)
	if err != nil || next != "" || len(all) != 3 {
		t.Fatalf("%+v, %q, %v", all, next, err)
	}
	bad, empty, good := all[0], all[1], all[2]
	if bad.Contacts != 3 || bad.Reached != 0 || bad.Suppressed != 1 || bad.Unsubscribed != 1 || bad.Pending != 1 || bad.OnNoList != 0 {
		t.Errorf("%+v", bad)
	}
	if good.Contacts != 1 || good.Reached != 1 || empty.Contacts != 0 || empty.Reached != 0 {
		t.Errorf("%+v %+v", good, empty)
	}
	found, _, err := subscribers.FindOrganisations(t.Context(), b.db, subscribers.OrganisationFilter{Unreached: true}, "", 50)
	if err != nil || len(found) != 2 || found[0].Name != "Bad" || found[1].Name != "Empty" {
		t.Errorf("%+v, %v", found, err)
	}
	names := []string{}
	for after := ""; ; {
		part, next, err := subscribers.FindOrganisations(t.Context(), b.db, subscribers.OrganisationFilter{}, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range part {
			names = append(names, o.Name)
		}
		if after = next; next == "" {
			break
		}
	}
	if strings.Join(names, " ") != "Bad Empty Good" {
		t.Errorf("one by one: %v", names)
	}
}
