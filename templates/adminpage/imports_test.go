package adminpage

var (
	sampledUpload = ListedUpload{ID: "01890000-0000-7000-8000-000000000000", FileName: evil, MadeAt: sampledAt, Size: 123456, State: "checked"}
	sampledRows   = []ImportRow{
		{Row: 2, Outcome: "added", Email: "office@example.org", State: "active"},
		{Row: 3, Outcome: "changed", Email: evil, Changes: []string{"name", evil}, State: "paused", Suppressed: true},
		{Row: 4, Outcome: "joined", Email: "office@example.org", With: 2},
		{Row: 5, Outcome: "refused", Refusals: []ImportRefusal{{evil, evil, evil}, {"", "", "7 cells where the header names 6 columns"}}},
		{Row: 6, Outcome: "unchanged", Email: "press@example.org", State: "unsubscribed"},
	}
)

// in returns the upload in another state.
func (u ListedUpload) in(state string) ListedUpload {
	u.State = state
	return u
}

var importsSamples = []Page{
	Imports{MaxMB: 64},
	Imports{MaxMB: 64, Uploads: []ListedUpload{sampledUpload, sampledUpload.in("new"), sampledUpload.in("imported"), sampledUpload.in("failed"), sampledUpload.in("checking"), {State: "importing"}}, Mistakes: Mistakes{"file": evil}},
	ImportMap{ListedUpload: sampledUpload, Mistakes: Mistakes{"encoding": evil}, Encodings: []string{"utf-8", "gb18030"}, Lists: sampledLists},
	ImportMap{
		ListedUpload: sampledUpload, Encoding: "gb18030", Program: "Mailchimp", Lists: sampledLists, Encodings: []string{"utf-8", "gb18030"}, Fields: Fields{"consent": {evil}, "encoding": {"gb18030"}},
		Columns: []ImportColumn{{Number: 0, Header: evil, Samples: []string{evil, "b"}, Name: evil, Means: sampledMeanings}},
	},
	ImportCheck{ListedUpload: sampledUpload.in("checking"), Working: true, Percent: 40, Rows: 40000, List: "partners"},
	ImportCheck{ListedUpload: sampledUpload.in("importing"), Working: true, Percent: 100, Writing: true, Rows: 100000, List: "partners"},
	ImportCheck{ListedUpload: sampledUpload.in("failed"), Failure: evil, List: "partners"},
	ImportCheck{ListedUpload: sampledUpload, List: "partners", Consent: evil, Result: ImportNumbers{Added: 3, Changed: 2, Unchanged: 1}, Told: sampledRows, Pager: Pager{NextURL: "?after=6"}},
	ImportCheck{ListedUpload: sampledUpload, List: "partners", Result: ImportNumbers{1, 1, 1, 12, 1, 1, 1, 1}, Told: sampledRows, RefusedTo: "/admin/import/x/refused.csv", Outcome: "refused"},
	ImportCheck{ListedUpload: sampledUpload, List: "partners", Result: ImportNumbers{Refused: 1}},
	ImportCheck{ListedUpload: sampledUpload.in("imported"), List: "partners", Result: ImportNumbers{1, 1, 1, 12, 1, 1, 1, 1}, Told: sampledRows, RefusedTo: "/admin/import/x/refused.csv"},
}

// sampledMeanings are all that a column can be.
var sampledMeanings = func() (all []Option) {
	for _, field := range []string{
		"email", "name", "first_name", "middle_name", "last_name", "languages", "time_zone", "delivery_hour", "rhythm", "topics", "status", "subscriptions", "unsubscribed", "bounced",
		"opted_in", "confirmed", "attributes", "organisation", "country", "web_site", "organisation_languages", "organisation_kind", "organisation_notes", "organisation_tags",
		"organisation_name", "attribute", "nothing",
	} {
		all = append(all, Option{Value: field, Name: field, Chosen: field == "name"})
	}
	return all
}()
