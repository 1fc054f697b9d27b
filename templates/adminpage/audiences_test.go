package adminpage

var audiencesSamples = []Page{
	Audiences{},
	Audiences{Fields: Fields{"filter": {evil}}, Mistakes: Mistakes{"filter": evil}},
	Audiences{Fields: Fields{"filter": {"country = IT"}}, Asked: true},
	Audiences{
		Fields: Fields{"filter": {evil}}, Asked: true, Count: 3204, Members: []AudienceMember{{7, "office@example.org", evil, "partners", "active", "weekly"}, {8, "press@example.org", "", "press", "paused", "daily"}},
		Saved: []SavedAudience{{1, evil, evil, "/admin/audiences?filter=x"}},
	},
}
