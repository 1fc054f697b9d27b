package adminpage

var articleRows = []ArticleRow{
	{Slug: "relay", Title: "Robots run a relay", Language: "en", Section: "News", Source: "city-news", PublishedAt: sampleTime, Urgent: true},
	{Slug: "relay-zh", Title: "机器人接力赛", Language: "zh-Hans", Source: "festival", PublishedAt: sampleTime, Pinned: true, ByEditor: true},
	{Slug: "relay-ar", Title: "سباق الروبوتات", Language: "ar", Section: "أخبار", Source: "city-news", PublishedAt: sampleTime, Withdrawn: true, Archive: true},
}

var articleVersions = []ArticleVersion{
	{Number: 2, At: sampleTime, By: "account 1", Changed: []string{"title", "html", "tags", "published"}},
	{Number: 1, At: sampleTime, By: "source"},
}

var sampleArticle = Article{
	ArticleRow: articleRows[0], Summary: "Forty-one teams met.", URL: "https://www.example.org/relay", PageURL: "https://news.example.org/articles/relay",
	ImageURL: "https://www.example.org/relay.jpg", ImageAlt: "Two robots", Tags: []string{"robots", "sport"}, Authors: []string{"The office"},
	UpdatedAt: sampleTime, FirstSeenAt: sampleTime, Translations: articleRows[1:], Feeds: []FeedLink{{"all", "All articles"}, {"section-news", "News"}}, FeedsMore: true,
	Editions: []ArticleEdition{
		{ID: "0193", List: "partners", Rhythm: "weekly", State: "sent", Date: sampleTime, Sent: 1000, Many: true},
		{ID: "0194", List: "partners", Rhythm: "daily", State: "review", Date: sampleTime},
	},
	Versions: articleVersions, Edited: &ArticleEdited{At: sampleTime, By: "account 1", Parts: []string{"title", "html"}, SourceChangedAt: &sampleTime},
}

func withdrawnArticle() Article {
	a := sampleArticle
	a.ArticleRow, a.WithdrawnAt, a.Edited, a.Editions, a.Feeds, a.Translations, a.Versions = articleRows[2], &sampleTime, nil, nil, nil, nil, articleVersions[1:]
	a.Mistakes, a.Fields = Mistakes{"other": "there is none with this slug, GUID or address"}, Fields{"other": {"nowhere"}}
	a.URL, a.ImageURL, a.Summary, a.Tags, a.Authors = "", "", "", nil, nil
	return a
}

func typedArticle() Article {
	a := sampleArticle
	a.ArticleRow = articleRows[1]
	return a
}

var articlesSamples = []Page{
	Articles{Filter: Fields{}},
	Articles{Filter: Fields{"q": {"robots"}}},
	Articles{
		Rows: articleRows, Filter: Fields{"q": {"机器人"}, "source": {"festival"}, "is": {"urgent"}, "language": {"en"}}, Count: 10_000, Many: true,
		Pager: Pager{FirstURL: "/admin/articles", NextURL: "/admin/articles?before=1.2"}, Sources: []string{"city-news", "festival"}, Sections: []string{"News"},
		Languages: []string{"en", "zh-Hans"},
	},
	sampleArticle, withdrawnArticle(), typedArticle(),
	ArticleVersions{Slug: "relay", Title: "Robots run a relay", Language: "en", Versions: articleVersions, From: 1, To: 2, Parts: []ArticleDifference{
		{Part: "title", Lines: []DifferenceLine{{"gone", "Robots"}, {"came", "Robots run a relay"}}},
		{Part: "text", Lines: []DifferenceLine{{"same", "Forty-one teams met."}, {"came", "One of them won."}}},
	}},
	ArticleVersions{Slug: "relay", Title: "Robots run a relay", Language: "en", Versions: articleVersions[1:], From: 1, To: 1},
	ArticleEdit{
		Slug: "relay", Title: "Robots run a relay", Language: "en", Edited: true, Given: Fields{"title": {"Robots"}, "image": {""}},
		Fields: Fields{"title": {"Robots run a relay"}, "text": {"<p>Forty-one teams met.</p>"}, "language": {"en"}},
	},
	ArticleEdit{Slug: "relay", Title: "Robots run a relay", Mistakes: Mistakes{"title": "a title cannot be empty", "": "the article has changed"}},
	ArticleTranslate{Slug: "relay", Title: "Robots run a relay", Summary: "Forty-one teams met.", Language: "en"},
	ArticleTranslate{Slug: "relay", Title: "Robots run a relay", Language: "en", Fields: Fields{"language": {"xx"}}, Mistakes: Mistakes{"language": `"xx" is not a language tag`}},
	ArticleWrite{Fields: Fields{"when": {"draft"}}},
	ArticleWrite{Waiting: 8, Fields: Fields{"when": {"at"}, "urgent": {"on"}}, Mistakes: Mistakes{"at": "say at what time"}},
	Waits{},
	Waits{Rows: waitingRows, Filter: Fields{"state": {"held"}}, Sources: []string{"festival"}, Pager: Pager{NextURL: "/admin/waiting?after=9"}},
	Wait{WaitingRow: waitingRows[0], URL: "https://www.example.org/relay", Language: "zh-Hans", Section: "新闻", Tags: []string{"机器人"}},
	Wait{WaitingRow: waitingRows[1], Own: true},
	Wait{WaitingRow: waitingRows[2], Own: true},
}
