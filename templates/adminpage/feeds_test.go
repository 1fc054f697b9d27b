package adminpage

var feedRow = FeedRow{
	Slug: "robotics", Title: "Robotics", Language: "en", Articles: 120, Items: 50, RSS: "https://news.example.org/feeds/robotics.rss",
	Atom: "https://news.example.org/feeds/robotics.atom", JSON: "https://news.example.org/feeds/robotics.json",
}

var feedPicks = []Picks{
	{Name: "sections", All: []Pick{{"News", 120, true}, {"新闻", 3, false}}}, {Name: "tags", More: "robots"}, {Name: "languages", All: []Pick{{"zh-Hans", 3, false}}}, {Name: "sources"},
}

var feedsSamples = []Page{
	Feeds{Kind: "declared"},
	Feeds{Kind: "tag"},
	Feeds{Kind: "declared", Query: "o", Rows: []FeedRow{feedRow, {Slug: "all"}}, Pager: Pager{FirstURL: "/admin/feeds", NextURL: "/admin/feeds?after=x"}},
	Feed{FeedRow: feedRow, Kind: "declared", Limit: 50, Newest: articleRows, ChangedAt: &sampleTime, Selection: FeedSelection{
		Sections: []string{"News"}, Tags: []string{"robots"}, Languages: []string{"en"}, Sources: []string{"site"},
	}},
	Feed{FeedRow: FeedRow{Slug: "all"}, Kind: "declared", Fixed: true, Summary: true},
	Feed{FeedRow: feedRow, Kind: "declared", Fields: Fields{"slug": {"x y"}}, Mistakes: Mistakes{"slug": "a slug is lower-case letters"}},
	Feed{FeedRow: FeedRow{Slug: "tag-robots", Title: "robots"}, Kind: "tag", Fixed: true},
	FeedForm{Titles: []FeedTitle{{"en", ""}, {"", ""}}, Picks: feedPicks},
	FeedForm{
		Slug: "robotics", Titles: []FeedTitle{{"en", "Robotics"}, {"zh-Hans", "机器人"}}, Picks: feedPicks, Previewed: true, Newest: articleRows, Count: 10_000, Many: true,
		Fields: Fields{"content": {"summary"}, "limit": {"0"}}, Mistakes: Mistakes{"limit": "use 1 to 1000", "title-0": "title: x", "sources_more": "no source"},
	},
	FeedForm{Picks: feedPicks, Previewed: true},
	FeedRemove{Slug: "robotics", Title: "Robotics"},
	FeedRemove{Slug: "all"},
	PrivateFeeds{},
	PrivateFeeds{
		Rows: []PrivateFeedRow{
			{ID: 2, Organisation: "Science Centre", List: "partners", CreatedAt: sampleTime}, {ID: 1, Organisation: "Museum", List: "partners", CreatedAt: sampleTime, RevokedAt: &sampleTime},
		},
		Lists: sampledLists, Made: &MadeFeed{evil, evil, evil, evil, evil}, Fields: Fields{"organisation": {"x"}}, Mistakes: Mistakes{"organisation": "there is none"}, Pager: Pager{NextURL: "/admin/private-feeds?before=1"},
	},
	Hubs{},
	Hubs{
		Rows:   []HubRow{{URL: "https://hub.example.org/", ToldAt: &sampleTime}, {URL: "https://a.example/", Failures: 3, Failure: "answered 500"}, {URL: "https://b.example/", Waiting: 3}},
		Fields: Fields{"url": {"x"}}, Mistakes: Mistakes{"url": "it is not a web address"},
	},
}
