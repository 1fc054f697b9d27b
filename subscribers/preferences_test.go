package subscribers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

func TestSetPreferences(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.on(t, "partners", "anna@museum.example")
	contact := func() subscribers.Contact {
		t.Helper()
		sub, err := subscribers.SubscriptionByID(t.Context(), b.db, id)
		if err != nil {
			t.Fatal(err)
		}
		return sub.Contact
	}
	for _, p := range []subscribers.Preferences{
		{Languages: []string{"sr-Latn", "en-GB"}, TimeZone: "Europe/Belgrade", DeliveryHour: "07:30"}, {},
	} {
		given := p
		if len(p.Languages) > 0 {
			given.Languages, given.DeliveryHour = []string{"sr-latn", "EN-gb", "sr-Latn"}, "7:30"
		}
		if err := subscribers.SetPreferences(t.Context(), b.db, contact().ID, given); err != nil {
			t.Fatal(err)
		}
		if c := contact(); !slices.Equal(c.Languages, p.Languages) || c.TimeZone != p.TimeZone || c.DeliveryHour != p.DeliveryHour {
			t.Errorf("%+v, want %+v", c, p)
		}
	}
	for name, p := range map[string]subscribers.Preferences{
		"language": {Languages: []string{"zz-zz-zz"}}, "zone": {TimeZone: "Local"}, "hour": {DeliveryHour: "25:00"},
		"many": {Languages: []string{"aa", "ab", "af", "ak", "am", "ar", "as", "az", "be", "bg", "bn"}},
	} {
		if err := subscribers.SetPreferences(t.Context(), b.db, contact().ID, p); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSetDelivery(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.withLists(t, "")
	id := b.on(t, "double", "anna@museum.example")
	set := func(id int64, rhythm string, topics ...string) error {
		return b.transact(t, func(tx *sqlx.Tx) error { return subscribers.SetDelivery(t.Context(), tx, id, rhythm, topics) })
	}
	for _, topics := range [][]string{{"Events", "robotics"}, nil} {
		if err := set(id, "daily", topics...); err != nil {
			t.Fatal(err)
		}
		sub, err := subscribers.SubscriptionByID(t.Context(), b.db, id)
		if err != nil || sub.Rhythm != "daily" || !slices.Equal(sub.Topics, topics) || sub.State != subscribers.Active || sub.Activation != 1 {
			t.Errorf("%+v, %v", sub, err)
		}
	}
	for _, rhythm := range []string{"monthly", "hourly", ""} {
		if err := set(id, rhythm); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%q: %v", rhythm, err)
		}
	}
	if err := set(id, "daily", "a\x00b"); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a topic with a control: %v", err)
	}
}

// Mail goes to the new address once its owner says so, who thereby takes back what spoke against mail to it; nobody takes another's address.
func TestChangeAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.on(t, "partners", "anna@museum.example")
	b.on(t, "partners", "bruno@museum.example")
	for _, reason := range []subscribers.Reason{subscribers.Complaint, subscribers.HardBounce} {
		if _, err := subscribers.Suppress(t.Context(), b.db, "rossi@centro.example", reason, "", b.now); err != nil {
			t.Fatal(err)
		}
	}
	sub, err := subscribers.SubscriptionByID(t.Context(), b.db, id)
	if err != nil {
		t.Fatal(err)
	}
	change := func(to string, method subscribers.Method) error {
		address, err := subscribers.ParseAddress(to)
		if err != nil {
			t.Fatal(err)
		}
		return b.transact(t, func(tx *sqlx.Tx) error {
			return subscribers.ChangeAddress(t.Context(), tx, sub.Contact.ID, address, b.person(method))
		})
	}
	if err := change("rossi@centro.example", subscribers.ByForm); errs.KindOf(err) != errs.Invalid {
		t.Errorf("anybody: %v", err)
	}
	if err := change("Bruno@Museum.example", subscribers.ByConfirmation); errs.KindOf(err) != errs.Conflict {
		t.Errorf("somebody else's: %v", err)
	}
	for range 2 {
		if err := change("Rossi@Centro.example", subscribers.ByConfirmation); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.mailable(t); !slices.Equal(got, []string{"Rossi@Centro.example", "bruno@museum.example"}) {
		t.Errorf("mailable: %v", got)
	}
	if err := b.transact(t, func(tx *sqlx.Tx) error { return subscribers.Erase(t.Context(), tx, sub.Contact.ID, b.now, "1") }); err != nil {
		t.Fatal(err)
	}
	if err := change("anna@museum.example", subscribers.ByConfirmation); errs.KindOf(err) != errs.NotFound {
		t.Errorf("an erased contact: %v", err)
	}
}

// Whoever has changed their address is not brought in a second time by a table that has the old one, in whatever form; after an erasure neither.
func TestImportOfAFormerAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const file = "email\nAnna@museum.example\nbruno@museum.example\n"
	b.mustImport(t, b.options(), file)
	changeTo := func(from, to string) {
		t.Helper()
		address, err := subscribers.ParseAddress(to)
		if err != nil {
			t.Fatal(err)
		}
		contact, err := subscribers.ContactByEmail(t.Context(), b.db, from)
		if err == nil {
			err = database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error {
				return subscribers.ChangeAddress(t.Context(), tx, contact.ID, address, subscribers.Evidence{At: b.now, Method: subscribers.ByPage})
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	again := func(reason string, want ...string) {
		t.Helper()
		_, err := b.importText(t, b.options(), file)
		if reason == "" && err != nil || reason != "" && (err == nil || !strings.Contains(err.Error(), reason)) {
			t.Errorf("%v, want %q", err, reason)
		}
		if got := b.mailable(t); !slices.Equal(got, want) {
			t.Errorf("mailable: %q, want %q", got, want)
		}
	}
	changeTo("anna@museum.example", "ANNA@museum.example") // the form alone
	again("", "ANNA@museum.example", "bruno@museum.example")
	changeTo("anna@museum.example", "anna@elsewhere.example")
	again("row 2, email \"Anna@museum.example\": its owner has changed to another address since", "anna@elsewhere.example", "bruno@museum.example")
	changeTo("anna@elsewhere.example", "anna@museum.example")
	again("", "anna@museum.example", "bruno@museum.example")
	changeTo("anna@museum.example", "anna@elsewhere.example")
	b.erase(t, "anna@elsewhere.example")
	again("its owner was erased", "bruno@museum.example")
	if left := b.query(t, `SELECT count(*) FROM subscribers.former_addresses`); left[0] != "0" {
		t.Errorf("%s former addresses are left", left[0])
	}
}

func TestTimeZones(t *testing.T) {
	t.Parallel()
	zones := subscribers.TimeZones()
	if len(zones) < 400 || !slices.IsSorted(zones) || !slices.Contains(zones, "Europe/Rome") || !slices.Contains(zones, "UTC") {
		t.Fatalf("%d zones: %.200q", len(zones), zones)
	}
	for _, zone := range zones {
		list := subscribers.NewList("x")
		list.TimeZone = zone
		if err := list.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// Only what the person can mend waits for the person.
func TestAwaitsPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.on(t, "partners", "anna@museum.example")
	awaits := func(want bool, why string) {
		t.Helper()
		if got, err := subscribers.AwaitsPerson(t.Context(), b.db, id); got != want || err != nil {
			t.Errorf("%s: %v, %v", why, got, err)
		}
	}
	suppress := func(whom string, reason subscribers.Reason) {
		t.Helper()
		if _, err := subscribers.Suppress(t.Context(), b.db, whom, reason, "", b.now); err != nil {
			t.Fatal(err)
		}
	}
	awaits(false, "active")
	suppress("anna@museum.example", subscribers.Manual)
	awaits(false, "suppressed by an administrator")
	suppress("anna@museum.example", subscribers.Complaint)
	awaits(true, "after a complaint")
	b.confirm(t, id)
	awaits(false, "confirmed")
	if err := subscribers.Pause(t.Context(), b.db, id, nil, false, b.person(subscribers.ByPage)); err != nil {
		t.Fatal(err)
	}
	awaits(true, "paused")
	if err := subscribers.Unsubscribe(t.Context(), b.db, id, b.person(subscribers.ByPage)); err != nil {
		t.Fatal(err)
	}
	awaits(true, "unsubscribed")
}
