package subscribers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

func (b *bundle) contact(t testing.TB, email string) int64 {
	t.Helper()
	contact, err := subscribers.ContactByEmail(t.Context(), b.db, email)
	if err != nil {
		t.Fatal(err)
	}
	return contact.ID
}

func TestRecordOf(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), exportFile)
	id := b.contact(t, "office@example.org")
	until := b.now.AddDate(0, 1, 0)
	person := subscribers.Evidence{At: b.now, Method: subscribers.ByPage, Statement: "Pause", Origin: "preferences", Network: "192.0.2.0/24"}
	if err := subscribers.Pause(t.Context(), b.db, b.subscriptionOf(t, "partners", "office@example.org"), &until, false, person); err != nil {
		t.Fatal(err)
	}
	for whom, reason := range map[string]subscribers.Reason{"office@example.org": subscribers.Complaint, "example.net": subscribers.Manual} {
		if _, err := subscribers.Suppress(t.Context(), b.db, whom, reason, "a test", b.now); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := subscribers.Suppress(t.Context(), b.db, "example.org", subscribers.Manual, "", b.now); err != nil {
		t.Fatal(err)
	}
	if err := subscribers.Lift(t.Context(), b.db, "example.org", "a test", until); err != nil {
		t.Fatal(err)
	}
	got, err := subscribers.RecordOf(t.Context(), b.db, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := subscribers.Record{
		ContactRecord: subscribers.ContactRecord{
			ID: id, Email: "Office@Example.org", Name: "Office, Front", Languages: []string{"it", "en"}, TimeZone: "Europe/Rome", DeliveryHour: "07:30",
			Attributes: database.StringMap{"country": "CH", "note": "=1+1", "phone": "+39 000"}, CreatedAt: b.now,
			Organisations: []subscribers.MemberRecord{{Name: "Academy", Country: "CZ"}, {Name: "Science Centre", Country: "IT"}},
			Subscriptions: []subscribers.SubscriptionRecord{{
				List: "partners", State: subscribers.Paused, Rhythm: "daily", Topics: []string{"robotics", "Events"}, PausedUntil: &until, CreatedAt: b.now,
			}},
		},
		Consents: []subscribers.ConsentRecord{
			{At: b.now, ContactID: id, Email: "Office@Example.org", List: "partners", State: subscribers.Active, Method: subscribers.ByImport, Statement: b.options().Consent},
			{
				At: b.now, ContactID: id, Email: "Office@Example.org", List: "partners", State: subscribers.Paused, Method: subscribers.ByPage, Statement: "Pause",
				Origin: "preferences", Network: "192.0.2.0/24",
			},
		},
		Suppressions: []subscribers.SuppressionRecord{
			{Address: "office@example.org", Reason: subscribers.Complaint, Origin: "a test", At: b.now},
			{Address: "example.org", Reason: subscribers.Manual, At: b.now, Lifted: &until},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApproxTime(0), cmpopts.IgnoreFields(subscribers.SubscriptionRecord{}, "ID", "ListID", "ContactID"), cmpopts.IgnoreFields(subscribers.MemberRecord{}, "ID", "ContactID")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := subscribers.RecordOf(t.Context(), b.db, 999, nil); errs.KindOf(err) != errs.NotFound {
		t.Errorf("nobody: %v", err)
	}
	b.erase(t, "office@example.org")
	if got, err := subscribers.RecordOf(t.Context(), b.db, id, nil); errs.KindOf(err) != errs.NotFound {
		t.Errorf("erased: %+v, %v", got, err)
	}
}
