package adminpage

import "time"

var sampleTime = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

var sourceRows = []SourceRow{
	{Slug: "city-news", Kind: "feed", URL: "https://www.example.org/feed.xml", Articles: 1204, PolledAt: &sampleTime, NextPollAt: &sampleTime, LastArticle: &sampleTime},
	{Slug: "festival", Kind: "jcms", URL: "https://www.example.org/col/col12/index.html", Held: 31, HeldWhy: "31 new articles at once; more than 20 are held", NextPollAt: &sampleTime},
	{
		Slug: "museum", Kind: "html", URL: "https://museum.example.org/news", FailingSince: &sampleTime, NextPollAt: &sampleTime,
		Failure: "https://museum.example.org/news answered 503 Service Unavailable", Articles: 1,
	},
	{Slug: "old", Kind: "sitemap", URL: "https://old.example.org/sitemap.xml", PausedAt: &sampleTime, QuietSince: &sampleTime, Remark: "1 page could not be read"},
	{Slug: "quiet", Kind: "feed", URL: "https://quiet.example.org/feed", QuietSince: &sampleTime, PolledAt: &sampleTime, NextPollAt: &sampleTime},
	{Slug: "new", Kind: "feed", URL: "https://new.example.org/feed", NextPollAt: &sampleTime},
	{Slug: "files", Kind: "folder"},
	{Slug: "cms", Kind: "api"},
}

var waitingRows = []WaitingRow{
	{ID: 7, Source: "festival", Title: "机器人接力赛", State: "held", ArrivedAt: sampleTime},
	{ID: 8, Source: "written-here", Title: "The hall opens", State: "embargoed", ArrivedAt: sampleTime, PublishAt: &sampleTime},
	{ID: 9, Source: "written-here", Title: "Notes", State: "unfinished", ArrivedAt: sampleTime},
}

var foundSources = []SourceFound{
	{Number: "1", Kind: "feed", URL: "https://www.example.org/feed.xml", About: `a feed with 12 articles, called "News"`, Declared: "{}", Articles: []SourceArticle{
		{
			Title: "Robots run a relay", URL: "https://www.example.org/1", Language: "en", Section: "News", Words: "Forty-one teams met …", Published: &sampleTime,
			HTML: "<p>Forty-one teams met.</p>",
		},
		{Title: "机器人接力赛", URL: "https://www.example.org/2", Language: "zh-Hans", Words: "四十一支队伍……"},
	}},
	{Number: "2", Kind: "html", URL: "https://www.example.org/news", About: "a page that lists 20 articles", Declared: "{}"},
}

var sourcesSamples = []Page{
	Sources{},
	Sources{All: sourceRows, Pager: Pager{FirstURL: "/admin/sources", NextURL: "/admin/sources?after=x"}},
	SourceNew{},
	SourceNew{Address: "https://www.example.org", Looked: true, Problems: []string{"the page is filled by scripts, which are not run"}},
	SourceNew{Address: "https://www.example.org", Looked: true, Found: foundSources, Fields: Fields{"found": {"1"}, "slug": {"www-example-org"}, "every": {"15m"}, "first": {"archive"}}},
	SourceNew{
		Address: "https://www.example.org", Looked: true, Found: foundSources, Fields: Fields{"every": {"45m"}},
		Mistakes: Mistakes{"slug": `there is a source "site" already`, "address": "x", "": "choose what is to be the source"},
	},
	Source{SourceRow: sourceRows[0], Section: "News", Language: "en", Every: time.Hour, ChangedAt: &sampleTime, Added: 3, Changed: 1, Can: true, Due: true},
	Source{SourceRow: sourceRows[1], Can: true, Waiting: waitingRows, WaitingMore: true},
	Source{SourceRow: sourceRows[2], MovedURL: "https://museum.example.org/en/news", Can: true},
	Source{SourceRow: sourceRows[3], Can: true},
	Source{SourceRow: sourceRows[4], Can: true},
	Source{SourceRow: sourceRows[5], Can: true},
	Source{SourceRow: sourceRows[6]},
	SourceEdit{Slug: "site", Kind: "feed", URL: "https://www.example.org/feed.xml", Fields: Fields{"url": {"https://www.example.org/feed.xml"}, "every": {"1h"}}},
	SourceEdit{Slug: "site", Kind: "html", URL: "https://x.example/", Fields: Fields{"item": {"li"}, "every": {"2h30m"}}, Mistakes: Mistakes{"item": "is not a CSS selector"}},
	SourceEdit{Slug: "site", Kind: "jcms", URL: "https://x.example/"},
	SourceEdit{Slug: "files", Kind: "folder"},
	SourceRemove{Slug: "site", Articles: 12, Held: 1},
	SourceRemove{Slug: "site"},
}
