package subscribers_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// sent notes that a contact was sent something of the list partners, as the account of messages does.
func (b *bundle) sent(t testing.TB, email string, at time.Time) {
	t.Helper()
	if _, err := b.db.ExecContext(t.Context(), `
		INSERT INTO mailer.reached (subscription_id, contact_id, list_id, sent_at)
		SELECT s.id, s.contact_id, s.list_id, $2 FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id
		WHERE c.email_key = $1 AND s.list_id = 1`, email, at); err != nil {
		t.Fatal(err)
	}
}

// houses are organisations of which nobody is left for each reason there is, and one of which somebody is.
func houses(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	b.mustImport(t, b.options(), "email,name,organisation\n"+
		"a@museum.example,A,Museum\nb@museum.example,B,Museum\nc@museum.example,C,Museum\n"+
		"paused@academy.example,,Academy\n"+
		"bounced@centre.example,,Centre\ngone@centre.example,,Centre\n"+
		"x@domain.example,,Domain\n"+
		"erased@desk.example,,Desk\n")
	pending := b.options()
	pending.Consent = ""
	b.mustImport(t, pending, "email,organisation\nasked@pending.example,Pending\nd@museum.example,Museum\n")
	if _, err := subscribers.DeclareOrganisation(t.Context(), b.db, subscribers.Organisation{Name: "Bare"}, b.now); err != nil {
		t.Fatal(err)
	}
	for whom, reason := range map[string]subscribers.Reason{
		"bounced@centre.example": subscribers.HardBounce, "domain.example": subscribers.Manual, "b@museum.example": subscribers.Complaint,
	} {
		if _, err := subscribers.Suppress(t.Context(), b.db, whom, reason, "", b.now); err != nil {
			t.Fatal(err)
		}
	}
	for _, address := range []string{"gone@centre.example", "c@museum.example"} {
		b.unsubscribe(t, fmt.Sprint(b.subscriptionOf(t, "partners", address)))
	}
	person := subscribers.Evidence{At: b.now, Method: subscribers.ByPage}
	if err := subscribers.Pause(t.Context(), b.db, b.subscriptionOf(t, "partners", "paused@academy.example"), nil, false, person); err != nil {
		t.Fatal(err)
	}
	b.erase(t, "erased@desk.example")
	b.sent(t, "a@museum.example", b.now.Add(time.Hour))
	b.sent(t, "c@museum.example", b.now.Add(2*time.Hour))
	return b
}

func TestOrganisationReach(t *testing.T) {
	t.Parallel()
	b := houses(t)
	reach, people, err := subscribers.OrganisationReach(t.Context(), b.db, " museum")
	if err != nil || reach.Name != "Museum" || reach.Contacts != 4 || reach.Reached != 1 || !reach.LastSent.Equal(b.now.Add(2*time.Hour)) {
		t.Fatalf("%+v, %v", reach, err)
	}
	one, two := b.now.Add(time.Hour), b.now.Add(2*time.Hour)
	subscription := func(state subscribers.State, lastSent *time.Time) []subscribers.SubscriptionReach {
		return []subscribers.SubscriptionReach{{List: "partners", State: state, Rhythm: "weekly", LastSent: lastSent}}
	}
	want := []subscribers.ReachedContact{
		{Email: "a@museum.example", Name: "A", Reached: true, LastSent: &one, Subscriptions: subscription(subscribers.Active, &one)},
		{Email: "b@museum.example", Name: "B", Suppressed: []subscribers.Reason{subscribers.Complaint}, Subscriptions: subscription(subscribers.Active, nil)},
		{Email: "c@museum.example", Name: "C", LastSent: &two, Subscriptions: subscription(subscribers.Unsubscribed, &two)},
		{Email: "d@museum.example", Subscriptions: subscription(subscribers.Pending, nil)},
	}
	ignore := cmpopts.IgnoreFields(subscribers.ReachedContact{}, "ID")
	if diff := cmp.Diff(want, people, ignore, cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(0)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for name, want := range map[string]int{"Academy": 1, "Centre": 0, "Domain": 0, "Desk": 0, "Pending": 0, "Bare": 0} {
		if reach, _, err := subscribers.OrganisationReach(t.Context(), b.db, name); err != nil || reach.Reached != want {
			t.Errorf("%s: %+v, %v", name, reach, err)
		}
	}
	for _, name := range []string{"Nobody", "", "\x00", "\xff"} {
		if _, _, err := subscribers.OrganisationReach(t.Context(), b.db, name); errs.KindOf(err) != errs.NotFound {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// The three ways of asking agree.
func TestOrganisationsReached(t *testing.T) {
	t.Parallel()
	b := houses(t)
	all, err := subscribers.OrganisationsReached(t.Context(), b.db)
	if err != nil {
		t.Fatal(err)
	}
	var names, unreached []string
	for _, o := range all {
		names = append(names, o.Name)
		if o.Reached == 0 {
			unreached = append(unreached, o.Name)
		}
		alone, people, err := subscribers.OrganisationReach(t.Context(), b.db, o.Name)
		if diff := cmp.Diff(alone, o, cmpopts.EquateApproxTime(0)); diff != "" || err != nil || len(people) != o.Contacts {
			t.Errorf("%s: %v (-alone +among all):\n%s", o.Name, err, diff)
		}
	}
	if want := []string{"Academy", "Bare", "Centre", "Desk", "Domain", "Museum", "Pending"}; !slices.Equal(names, want) {
		t.Errorf("names %v", names)
	}
	asked, err := subscribers.Unreachable(t.Context(), b.db)
	want := []string{"Bare", "Centre", "Desk", "Domain", "Pending"}
	if err != nil || !slices.Equal(asked, want) || !slices.Equal(unreached, want) {
		t.Errorf("unreachable %v, by the list %v; want %v (%v)", asked, unreached, want, err)
	}
}
