package adminpage

import (
	"strings"
	"testing"
	"time"
)

// evil is what somebody could put into any field that is shown.
const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}`

var (
	sampledAt    = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	sampledLists = []Option{{Value: "partners", Name: "News for our partners", Chosen: true}, {Value: "press", Name: evil}}
	sampledZones = []Option{{Value: "Europe/Rome", Name: "Europe/Rome"}, {Value: "Asia/Tokyo", Name: "Asia/Tokyo", Chosen: true}}
	sampledBars  = []ContactSuppression{
		{Address: "office@example.org", Reason: "hard_bounce", Origin: evil, At: sampledAt},
		{Address: "example.org", Reason: "manual", By: &EditionWho{Key: "you"}, Origin: "asked by letter", At: sampledAt, ByHand: true, Contact: 7},
		{Address: "office@example.org", Reason: "complaint", At: sampledAt, Lifted: &sampledAt},
		{Reason: "erased", At: sampledAt},
	}
	sampledPeople = []ListedContact{
		{
			ID: 7, Email: "office@example.org", Name: "Office of the Science Centre", Organisations: []string{"Science Centre", evil}, Languages: []string{"it", "en"},
			Lists: []ContactStanding{{"News for our partners", "active"}, {evil, "unsubscribed"}}, Suppressed: []string{"hard_bounce", "manual"},
		},
		{ID: 8, Email: "press@example.org"},
	}
)

var contactsSamples = []Page{
	Contacts{},
	Contacts{Filtered: true, Fields: Fields{"q": {evil}}},
	Contacts{Filtered: true, Further: true, Pager: Pager{NextURL: "/admin/contacts?after=9"}},
	Contacts{Contacts: sampledPeople, Lists: sampledLists, Confined: true, Fields: Fields{"q": {evil}, "state": {"paused"}, "suppressed": {"on"}, "language": {"it"}}},
	Contacts{Contacts: sampledPeople, Mistakes: Mistakes{"": evil}, Pager: Pager{FirstURL: "/admin/contacts", NextURL: "/admin/contacts?after=9"}},
	ContactNew{Lists: sampledLists, Rhythms: []string{"daily", "weekly"}, Zones: sampledZones},
	ContactNew{Lists: sampledLists, Mistakes: Mistakes{"email": "no @ sign", "rhythm": "not offered"}, Fields: Fields{"email": {evil}, "consent": {evil}}},
	Contact{ID: 8, Email: "press@example.org", Whole: true, Since: sampledAt},
	Contact{
		ID: 7, Email: "office@example.org", Name: evil, Organisations: []ContactOrganisation{{3, evil, "IT"}}, Languages: []string{"it", "en"}, TimeZone: "Europe/Rome",
		DeliveryHour: "08:30", Attributes: []NamedValue{{evil, evil}}, Since: sampledAt, Whole: true,
		Subscriptions: []ContactSubscription{
			{List: "partners", ListName: evil, State: "active", Rhythm: "weekly", Offered: []string{"daily", "weekly"}, Topics: []string{evil}, Since: sampledAt, Mine: true},
			{List: "press", State: "paused", Rhythm: "daily", Offered: []string{"daily"}, Since: sampledAt, PausedUntil: &sampledAt, Mine: true, Resumable: true},
			{List: "guests", State: "pending", Rhythm: "daily", Since: sampledAt, Mine: true},
			{List: "old", State: "unsubscribed", Rhythm: "daily", Since: sampledAt, Public: true},
		},
		Consents: []ContactConsent{
			{At: sampledAt, ListName: evil, State: "active", Method: "import", By: &EditionWho{Name: evil}, Statement: evil, Origin: evil},
			{At: sampledAt, ListName: "press", State: "unsubscribed", Method: "one_click", Network: "192.0.2.0/24"},
		},
		Suppressions: sampledBars, Barred: sampledBars[:2],
		Deliveries: []ContactDelivery{
			{
				Edition: "01890000-0000-7000-8000-000000000000", ListName: evil, Rhythm: "once", Date: sampledAt, State: "failed", NotBefore: sampledAt, SettledAt: &sampledAt,
				Language: "it", MessageID: evil, BouncedAt: &sampledAt, Bounce: evil, Again: true, Articles: []ContactArticle{{evil, "https://www.example.org/a"}, {"Bad", "javascript:alert(1)"}, {"No page", ""}},
				Tries: []ContactTry{{sampledAt, "deferred", "dot", 451, evil}, {sampledAt, "failed", "rcpt", 0, ""}},
			},
			{Edition: "01890000-0000-7000-8000-000000000001", ListName: "partners", Rhythm: "daily", State: "pending", NotBefore: sampledAt, Language: "en"},
		},
		Earlier: 12, Notices: []ContactNotice{
			{Notice: "confirmation", ListName: "partners", State: "sent", MadeAt: sampledAt, Code: 250, Reply: evil, BouncedAt: &sampledAt, Bounce: "hard 5.1.1"},
			{Notice: "last_edition", ListName: "partners", State: "pending", MadeAt: sampledAt},
		},
		Lists: sampledLists, Rhythms: []string{"daily"}, Mistakes: Mistakes{"": evil},
	},
	ContactEdit{ID: 7, Email: "office@example.org", Zones: sampledZones, Fields: Fields{"name": {evil}, "attributes": {evil}}, Mistakes: Mistakes{"address": evil}},
	ContactErase{ID: 7, Email: "office@example.org", Attributes: 1, Organisations: 2, Subscriptions: 1, Suppressions: 1, Deliveries: 3, Notices: 1, Consents: 4},
	ContactErase{ID: 7, Email: "office@example.org", Erased: true, Mentions: []string{"the notes of the organisation " + evil}},
	Suppressions{},
	Suppressions{Fields: Fields{"q": {evil}}, Mistakes: Mistakes{"whom": evil}},
	Suppressions{Suppressions: sampledBars, Pager: Pager{NextURL: "/admin/contacts/suppressions?after=3"}},
}

// Whatever people, servers and files say stays text on every page about people.
func TestForeignTextOnPagesOfPeople(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	for _, pages := range [][]Page{contactsSamples, organisationsSamples, importsSamples, audiencesSamples} {
		for _, page := range pages {
			var b strings.Builder
			if err := s.Write(&b, Frame{Page: page, Who: evil, Path: "/admin/", Can: func(string) bool { return true }, Done: evil}); err != nil {
				t.Errorf("%T: %v", page, err)
			}
			for _, bad := range []string{"<script>alert", "<img src=x", `href="javascript:`, "ZgotmplZ"} {
				if strings.Contains(b.String(), bad) {
					t.Errorf("%T has %s", page, bad)
				}
			}
		}
	}
}
