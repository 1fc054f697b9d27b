package adminpage

var sampledOrganisation = ListedOrganisation{
	ID: 3, Name: evil, Country: "IT", Kind: evil, Contacts: 1000, Most: true, Suppressed: 2, Unsubscribed: 1, Pending: 1, OnNoList: 3,
}

var organisationsSamples = []Page{
	Organisations{},
	Organisations{Filtered: true, Fields: Fields{"q": {evil}}},
	Organisations{Filtered: true, Further: true},
	Organisations{Organisations: []ListedOrganisation{sampledOrganisation, {ID: 4, Name: "Academy"}, {ID: 5, Name: "Museum", Contacts: 2, Reached: 1}}, Pager: Pager{NextURL: "/admin/organisations?after=x"}},
	Organisations{Confined: true, Mistakes: Mistakes{"": evil}},
	Organisation{ListedOrganisation: ListedOrganisation{ID: 4, Name: "Academy"}},
	Organisation{
		ListedOrganisation: sampledOrganisation, Names: []NamedValue{{"it", evil}}, WebSite: "javascript:alert(1)", Languages: []string{"it"}, AgreedOn: "2026-01-01", Tags: []string{evil},
		Notes: evil + "\n" + evil, Members: sampledPeople, Feeds: []OrganisationFeed{{"partners", sampledAt, nil}, {"press", sampledAt, &sampledAt}}, LastSent: &sampledAt,
	},
	OrganisationEdit{},
	OrganisationEdit{ID: 3, Fields: Fields{"name": {evil}, "notes": {evil}}, Mistakes: Mistakes{"": evil, "names": evil}},
	OrganisationMerge{ListedOrganisation: sampledOrganisation, Mistakes: Mistakes{"into": evil}},
	OrganisationMerge{ListedOrganisation: sampledOrganisation, Into: &ListedOrganisation{ID: 4, Name: evil}},
	OrganisationRemove{ListedOrganisation: sampledOrganisation, Feeds: 2},
}
