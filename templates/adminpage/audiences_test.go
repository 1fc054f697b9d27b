package adminpage

var audiencesSamples = []Page{
	Audiences{},
	Audiences{Fields: Fields{"filter": {evil}}, Mistakes: Mistakes{"filter": evil}},
	Audiences{Fields: Fields{"filter": {"country = IT"}}, Asked: true},
	Audiences{
		Fields: Fields{"filter": {evil}}, Asked: true, Count: 3204, Members: []AudienceMember{{7, "office@example.org", evil, "partners", "active", "weekly"}, {8, "press@example.org", "", "press", "paused", "daily"}},
		Saved: savedSamples, WriteURL: "/admin/editions/new?people=1",
	},
}

var savedSamples = []SavedAudience{
	{ID: 1, Name: evil, Filter: evil, URL: "/admin/audiences?filter=x", People: new(3204), Chosen: true}, {ID: 2, Name: "Italy", Filter: "country = IT"},
}
