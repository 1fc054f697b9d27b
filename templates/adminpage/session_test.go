package adminpage

import "time"

var sessionSamples = []Page{
	SignIn{},
	SignIn{To: "/admin/", Email: "owner@example.org", Denial: Denial{Wrong: true}},
	SignIn{Denial: Denial{Wait: 90 * time.Second}},
	Code{},
	Code{Denial: Denial{Said: "that code is not right, or it was used"}},
	Prove{To: "/admin/keys/new"},
	Prove{Denial: Denial{Wrong: true}},
	Prove{Unset: true},
	Prove{Form: "/admin/keys", Fields: Fields{"name": {"<b>the site's"}, "role": {"reader", "editor"}}, Denial: Denial{Wrong: true}},
	LinkPage{Email: "owner@example.org", SignsIn: true},
	LinkPage{Email: "new@example.org", First: true, Shortest: 12},
	LinkPage{Email: "new@example.org", Shortest: 12, Mistakes: Mistakes{"password": "the password has 5 characters"}},
	LinkPage{GoneAlone: true},
}
