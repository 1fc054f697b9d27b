package adminpage

import (
	"strings"
	"testing"
	"time"
)

var (
	signedIn = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	aRow     = AccountRow{ID: 2, Email: "editor@example.org", Name: "Editor", Roles: []string{"editor", "manager"}, Lists: []string{"Partners"}, State: "active", Factor: true, SignedInAt: &signedIn}
	allRoles = []string{"owner", "editor", "approver", "manager", "reader"}
	choices  = []Choice{{"1", "Partners"}, {"2", "<Press>"}}
)

var accountsSamples = []Page{
	Me{
		Email: "owner@example.org", Fields: Fields{"zone": {"Europe/Rome"}, "language": {"en"}}, Zones: []string{"Europe/Rome"}, Password: true, Factor: true, Recovery: 1,
		Shortest: 12, Roles: []string{"owner"}, Sessions: []Session{
			{ID: 1, Agent: "A browser", Network: "192.0.2.0/24", MadeAt: signedIn, SeenAt: signedIn, Here: true},
			{ID: 2, Agent: "<another>", MadeAt: signedIn, SeenAt: signedIn},
		},
	},
	Me{Email: "reader@example.org", Roles: []string{"reader"}, Lists: []string{"Press"}, Mistakes: Mistakes{"old": "that is not the password of your account"}},
	Factor{Secret: "ABCD", Modules: "M0 0h1v1h-1z", Size: 29}, Factor{Mistakes: Mistakes{"code": "that is not the code"}}, Recovery{Codes: []string{"abcd-efgh-ijkl-mnop"}},
	Accounts{Accounts: []AccountRow{aRow, {ID: 3, Email: "new@example.org", Roles: []string{"reader"}, State: "invited", Mail: "failed"}, {ID: 4, State: "disabled"}}},
	AccountForm{Roles: allRoles, Lists: choices, Mistakes: Mistakes{"email": "no email address"}}, AccountForm{Account: &aRow, Keys: 2, Roles: allRoles, Fields: Fields{"role": {"editor"}}},
	AccountForm{Account: &AccountRow{State: "disabled"}}, AccountForm{Account: &AccountRow{State: "invited", Mail: "pending", Me: true}},
	Keys{}, Keys{Keys: []KeyRow{
		{Name: "web site", Hint: "abcd", Maker: "owner@example.org", Roles: []string{"editor"}, MadeAt: signedIn, EndsAt: &signedIn, UsedAt: &signedIn, State: "works"},
		{Name: "old", State: "revoked"}, {Name: "older", State: "ended"}, {Name: "a", State: "idle"},
	}},
	KeyForm{Roles: allRoles, Lists: choices, Fields: Fields{"days": {"365"}}}, KeyMade{"web site", "sp_abcd"},
	Log{}, Log{
		Fields: Fields{"who": {"account 2"}}, Actors: []Choice{{"account 2", "editor@example.org"}, {"command line", ""}, {"key 3", ""}}, Things: []string{"mailer.themes", "room.unknown"},
		Entries: []LogEntry{
			{At: signedIn, Actor: "account 2", Who: "editor@example.org", Thing: "mailer.themes", ID: "plain", What: "changed", Changes: []LogChange{{"css", `"a"`, `"<b>"`}, {"name", "", `"x"`}}},
			{At: signedIn, Thing: "accounts.accounts", ID: "2", What: "refused"}, {At: signedIn, Actor: "command line", Thing: "room.unknown", What: "stirred"},
		},
		Pager: Pager{FirstURL: "/admin/log", NextURL: "/admin/log?after=1"},
	},
}

func TestTheLogNamesWhatItKnows(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	page := Log{Entries: []LogEntry{{Thing: "mailer.themes", What: "changed"}, {Thing: "room.unknown", What: "stirred"}}}
	if err := newSet(t).Write(&b, Frame{Page: page, Language: "en"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">Theme<", ">Changed<", "<code>room.unknown</code>", ">stirred<"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s", want)
		}
	}
}
