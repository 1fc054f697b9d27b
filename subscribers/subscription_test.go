package subscribers_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// unsubscribe ends the subscription with an id as query returns it.
func (b *bundle) unsubscribe(t testing.TB, id string) {
	t.Helper()
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if err := subscribers.Unsubscribe(t.Context(), b.db, number, subscribers.Evidence{At: b.now, Method: subscribers.ByPage, Statement: "Unsubscribe me"}); err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) subscriptionOf(t testing.TB, list, emailKey string) int64 {
	t.Helper()
	var id int64
	err := b.db.GetContext(t.Context(), &id, `
		SELECT s.id FROM subscribers.subscriptions s
		JOIN subscribers.contacts c ON c.id = s.contact_id JOIN subscribers.lists l ON l.id = s.list_id
		WHERE l.slug = $1 AND c.email_key = $2`, list, emailKey)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

const consentLog = `SELECT state || '/' || method || '/' || statement || '/' || to_char(at, 'YYYY-MM-DD')
	FROM subscribers.consents WHERE subscription_id = $1 ORDER BY id`

func TestUnsubscribe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email\na@example.org\nb@example.org\n")
	id := b.subscriptionOf(t, "partners", "a@example.org")
	for range 2 { // the second time changes nothing, whatever it says
		if err := subscribers.Unsubscribe(t.Context(), b.db, id, subscribers.Evidence{At: b.now, Method: subscribers.ByOneClick, Statement: "List-Unsubscribe=One-Click"}); err != nil {
			t.Fatal(err)
		}
		b.now = b.now.Add(48 * time.Hour)
	}
	if got := b.mailable(t); !cmp.Equal(got, []string{"b@example.org"}) {
		t.Errorf("mailable: %v", got)
	}
	want := []string{
		"active/import/Agreed in the partnership contract/2026-03-02",
		"unsubscribed/one-click/List-Unsubscribe=One-Click/2026-03-02",
	}
	if diff := cmp.Diff(want, b.query(t, consentLog, id)); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
}

func TestUnsubscribeConcernsOneList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := subscribers.DeclareList(t.Context(), b.db, fullList()); err != nil {
		t.Fatal(err)
	}
	events := b.options()
	events.List = "events"
	b.mustImport(t, b.options(), "email\na@example.org\n")
	b.mustImport(t, events, "email\na@example.org\n")
	b.unsubscribe(t, strconv.FormatInt(b.subscriptionOf(t, "partners", "a@example.org"), 10))
	got := b.query(t, `SELECT l.slug FROM subscribers.mailable m JOIN subscribers.lists l ON l.id = m.list_id`)
	if !cmp.Equal(got, []string{"events"}) {
		t.Errorf("still mailed on %v", got)
	}
}

func TestUnsubscribeOfNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	err := subscribers.Unsubscribe(t.Context(), b.db, 42, subscribers.Evidence{At: b.now, Method: subscribers.ByPage, Statement: ""})
	if errs.KindOf(err) != errs.NotFound || err.Error() != "no subscription 42" {
		t.Errorf("got %v", err)
	}
	if _, err := subscribers.SubscriptionByID(t.Context(), b.db, 42); errs.KindOf(err) != errs.NotFound {
		t.Errorf("got %v", err)
	}
	if _, err := subscribers.ListByID(t.Context(), b.db, 42); errs.KindOf(err) != errs.NotFound {
		t.Errorf("got %v", err)
	}
	if _, err := subscribers.ContactByID(t.Context(), b.db, 42); errs.KindOf(err) != errs.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestSubscriptionByID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email,name,organisation,country,languages,time_zone,rhythm,topics,delivery_hour,phone\n"+
		"Office@Example.org,Front Office,Science Centre,IT,it;EN,Europe/Rome,daily,robotics; Events,7:30,+39 000\n"+
		"office@example.org,,Academy,IT,,,,,,\n")
	got, err := subscribers.SubscriptionByID(t.Context(), b.db, b.subscriptionOf(t, "partners", "office@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	want := subscribers.Subscription{
		State: subscribers.Active, Rhythm: "daily", Topics: []string{"robotics", "Events"}, Activation: 1, CreatedAt: b.now,
		Contact: subscribers.Contact{
			Email: "Office@Example.org", EmailKey: "office@example.org", Name: "Front Office", Languages: []string{"it", "en"},
			TimeZone: "Europe/Rome", DeliveryHour: "07:30", Attributes: database.StringMap{"phone": "+39 000"}, CreatedAt: b.now,
			Organisations: []subscribers.Organisation{
				{Name: "Academy", Country: "IT", CreatedAt: b.now}, {Name: "Science Centre", Country: "IT", CreatedAt: b.now},
			},
		},
	}
	ignoreIDs := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".ID" }, cmp.Ignore())
	if diff := cmp.Diff(want, got, ignoreIDs, cmpopts.IgnoreFields(subscribers.Subscription{}, "List"), cmpopts.EquateApproxTime(0), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.List.Slug != "partners" || got.List.ID == 0 || got.Contact.ID == 0 || got.ID == 0 {
		t.Errorf("list %q %d, contact %d, subscription %d", got.List.Slug, got.List.ID, got.Contact.ID, got.ID)
	}
}

func TestTheLogIsOnlyAppendedTo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email\na@example.org\n")
	for _, statement := range []string{`UPDATE subscribers.consents SET statement = 'x'`, `DELETE FROM subscribers.consents`} {
		if _, err := b.db.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "only ever appended to") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}
