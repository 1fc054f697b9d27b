package templates_test

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"silkpost/templates"
)

// The gallery's people and articles. Every page and digest is shown with full, long, hostile and no data.

var day = time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)

const hostile = "<script>alert(1)</script> \"quoted\" 'single' \r\n\u202e\u2066 {{.}} javascript:alert(1) \x01&amp;"

// markup is hostile where a value goes to and fro unseen, as it is.
const markup = "<script>alert(1)</script> \"quoted\" 'single' {{.}} &amp;"

// long is a name without an end.
var long = strings.Repeat("International Federation of Science Centres and Planetariums ", 4) + strings.Repeat("w", 90)

func digest(lang string) templates.Digest {
	return templates.Digest{
		Language:       lang,
		ListName:       templates.ExampleOf(lang).List,
		Date:           day,
		Introduction:   introductions[lang],
		Articles:       articles(lang),
		More:           more(lang),
		SenderName:     "Example Association for Science",
		PostalAddress:  "1 Example Street\n00000 Exampletown",
		ReplyAddress:   "office@example.org",
		Address:        "SPLICE0ADDRESS0",
		ViewURL:        "SPLICE0VIEW0",
		PreferencesURL: "SPLICE0PREFERENCES0",
		UnsubscribeURL: "SPLICE0UNSUBSCRIBE0",
	}
}

var introductions = map[string]string{
	"en":      "Dear partners,\n\nthe **river measurement** is over, and its [results](https://www.example.org/river/results) are open to everyone. What we ask of you now:\n\n1. look at the samples of your own river,\n2. tell us at office@example.org what is missing.\n\nUntil next week",
	"it":      "Cari partner,\n\nla **misurazione del fiume** è finita e i [risultati](https://www.example.org/river/results) sono aperti a tutti.\n\n- Guardate i campioni del vostro fiume.\n- Scriveteci che cosa manca.",
	"zh-Hans": "各位伙伴：\n\n**河流测量**已经结束，[结果](https://www.example.org/river/results)向所有人公开。\n\n> 我们从来没有这样仔细地看过家乡的河。",
	"ar":      "شركاءنا الأعزاء،\n\nانتهى **قياس النهر**، و[النتائج](https://www.example.org/river/results) متاحة للجميع.\n\n> لم ننظر إلى نهرنا بهذا القرب من قبل.",
}

// more returns two articles that there is only room for the titles of, the second a fallback.
func more(lang string) []templates.DigestArticle {
	own, other := articles(lang)[2], fallback(lang)
	own.URL, other.URL = "https://www.example.org/news/2026/more.html", "https://www.example.org/more"
	return []templates.DigestArticle{own, other}
}

// articles returns three: one in the reader's language with a picture, a fallback, and one with nothing optional.
func articles(lang string) []templates.DigestArticle {
	picture := templates.DigestArticle{
		URL: "https://www.example.org/news/2026/river.html?a=1&b=2", ImageURL: "https://www.example.org/images/river.jpg",
		Language: lang, Published: day.AddDate(0, 0, -1),
	}
	plain := templates.DigestArticle{URL: "https://www.example.org/news/2026/night.html", Language: lang}
	words := templates.ExampleOf(lang)
	picture.Section, picture.ImageAlt, picture.Title, picture.Summary = words.Section, words.Alt, words.Title, words.Summary
	plain.Title, plain.Summary = words.OtherTitle, words.OtherSummary
	return []templates.DigestArticle{picture, fallback(lang), plain}
}

// fallback is an article that the reader of lang has no version of.
func fallback(lang string) templates.DigestArticle {
	if lang == "en" {
		return templates.DigestArticle{
			Title: "المتحف الجديد يفتح أبوابه للزوار", Section: "Museums", Language: "ar", Fallback: true,
			Summary: "يضم المتحف ست قاعات ومرصدًا صغيرًا، والدخول مجاني في الشهر الأول.",
			URL:     "https://www.example.org/ar/museum", Published: day.AddDate(0, 0, -3),
		}
	}
	return templates.DigestArticle{
		Title: "New museum opens its doors", Section: "Museums", Language: "en", Fallback: true,
		Summary: "It has six halls and a small observatory, and entry is free in the first month.",
		URL:     "https://www.example.org/en/museum", Published: day.AddDate(0, 0, -3),
	}
}

// digests are the shapes a digest is shown in.
func digests(lang string) map[string]templates.Digest {
	full, one, lengthy, evil, empty, nameless := digest(lang), digest(lang), digest(lang), digest(lang), digest(lang), digest(lang)
	one.Articles, one.More, one.Introduction = one.Articles[2:], nil, ""
	lengthy.ListName, lengthy.SenderName = long, long
	lengthy.Articles[0].Title, lengthy.Articles[0].Section = long, long
	lengthy.Articles[1].Summary = strings.Repeat("科学节在广场举行。", 40) + strings.Repeat("วิทยาศาสตร์", 30)
	evil.ListName, evil.SenderName, evil.PostalAddress = hostile, hostile, hostile
	evil.Subject, evil.Preheader, evil.More = hostile, hostile, evil.Articles[:1]
	evil.Introduction = hostile + "\n\n[x](javascript:alert(1)) ![" + hostile + "](data:image/png;base64,AAAA) <img src=x onerror=alert(1)>\n\n&#8238;&lt;b&gt;\n\n# " + hostile +
		"\n\n```\n" + hostile + "\n```\n\n> 1. " + hostile + "\n\n---\n\n<http://a.example/?\"onclick=x>\n"
	for i := range evil.Articles {
		evil.Articles[i] = templates.DigestArticle{
			Title: hostile, URL: "javascript:alert(1)", Section: hostile, Summary: hostile + "\n\n" + hostile,
			Language: hostile, Fallback: true, ImageURL: "data:image/svg+xml,<svg onload=alert(1)>", ImageAlt: hostile, Published: day,
		}
	}
	evil.Articles[1].URL = `https://www.example.org/"><script>alert(1)</script>`
	lengthy.Introduction = long + "\n\n1. " + long + "\n\n> - " + long + "\n\n```\n" + long + "\n```\n"
	empty.Articles, empty.More, empty.Introduction = nil, nil, ""
	nameless.SenderName = ""
	return map[string]templates.Digest{
		"full": full, "one": one, "long": lengthy, "hostile": evil, "empty": empty, "nameless": nameless,
		"zero": {Language: lang},
	}
}

const prose = `<p>In a single morning classes in <a href="https://www.example.org/four">four countries</a> took more than three
thousand samples. The results are open to everyone.</p><h2>What comes next</h2><p>The next measurement is planned for
spring.</p><ul><li>Sign up until the end of January</li><li>Kits are sent in March</li></ul><blockquote><p>We had never looked
at our river so closely.</p></blockquote><table><tr><th>Country</th><th>Samples</th></tr><tr><td>Italy</td><td>1,204</td></tr></table>`

// shown is a page with a name for the gallery.
type shown struct {
	name string
	page templates.Page
}

func pages() []shown {
	feed := feedEntry("All articles")
	feed.Language, feed.Articles = "en", 1204
	narrow, arabicFeed, bare := feedEntry("Robotica"), feedEntry("الروبوتات"), feedEntry("Events")
	narrow.Language, narrow.Articles, narrow.Summaries = "it", 2, true
	narrow.Sections, narrow.Tags, narrow.Languages, narrow.Sources = []string{"News"}, []string{"robotics", "schools"}, []string{"it", "sr-Latn"}, []string{"site"}
	arabicFeed.Language, arabicFeed.Articles = "ar", 11
	links := []templates.FeedLink{{Type: "application/rss+xml", Title: "All articles", URL: "https://post.example.org/feeds/all.rss"}}
	evilFeed := templates.FeedEntry{
		Title: hostile, Language: hostile, Sections: []string{hostile}, Tags: []string{hostile}, Languages: []string{hostile}, Sources: []string{hostile},
		RSSURL: "javascript:alert(1)", AtomURL: `https://post.example.org/"><script>alert(1)</script>`, JSONURL: "feed:javascript:alert(1)",
	}
	evilLinks := []templates.FeedLink{{Type: hostile, Title: hostile, URL: hostile}}
	article := templates.ArticlePage{
		Title: "A hundred schools measure the water of their river", Language: "en", Section: "News", Published: day,
		Authors: []string{"Press office", "Schools team"}, Body: template.HTML(prose), Tags: []string{"water", "schools"},
		SourceURL: "https://www.example.org/news/river.html", URL: "https://post.example.org/articles/river", FeedsURL: "/feeds/",
		Translations: []templates.Translation{
			{Language: "ar", Title: "مئة مدرسة تقيس جودة المياه في نهرها", URL: "https://post.example.org/articles/river-ar"},
			{Language: "zh-Hans", Title: "一百所学校共同测量身边河流的水质", URL: "https://post.example.org/articles/river-zh"},
		},
		Feeds: []templates.FeedLink{
			{Type: "application/rss+xml", Title: "All articles", URL: "https://post.example.org/feeds/all.rss"},
			{Type: "application/atom+xml", Title: "All articles", URL: "https://post.example.org/feeds/all.atom"},
		},
	}
	arabic, evil := article, article
	arabic.Language, arabic.Title, arabic.Section = "ar", "مئة مدرسة تقيس جودة المياه في نهرها", "أخبار"
	arabic.Authors, arabic.Tags, arabic.Translations = nil, nil, nil
	arabic.Body = "<p>جمعت صفوف من أربعة بلدان أكثر من ثلاثة آلاف عينة في صباح واحد. النتائج متاحة للجميع. والقياس التالي في الربيع.</p>"
	evil.Title, evil.Language, evil.Section, evil.Authors, evil.Tags = hostile, hostile, hostile, []string{hostile}, []string{hostile}
	evil.SourceURL, evil.Body = "javascript:alert(1)", ""
	evil.Translations = []templates.Translation{{Language: hostile, Title: hostile, URL: "javascript:alert(1)"}}
	evil.Feeds = []templates.FeedLink{{Type: hostile, Title: hostile, URL: hostile}}
	return append([]shown{
		{"feeds", templates.FeedsPage{OPMLURL: "https://post.example.org/feeds.opml", Links: links, Groups: []templates.FeedGroup{
			{Kind: "declared", Feeds: []templates.FeedEntry{feed, narrow, arabicFeed, bare}},
			{Kind: "section", Feeds: []templates.FeedEntry{bare}},
			{Kind: "language", Feeds: []templates.FeedEntry{arabicFeed}},
			{Kind: "tag", Feeds: manyFeeds(60)},
			{Kind: "source", Feeds: []templates.FeedEntry{narrow}},
		}}},
		{"feeds-many", templates.FeedsPage{OPMLURL: "https://post.example.org/feeds.opml", Groups: []templates.FeedGroup{{Kind: "declared", Feeds: manyFeeds(100)}}}},
		{"feeds-long", templates.FeedsPage{Groups: []templates.FeedGroup{
			{Kind: "declared", Feeds: []templates.FeedEntry{feedEntry(long)}}, {Kind: "tag", Feeds: []templates.FeedEntry{feedEntry(long)}},
		}}},
		{"feeds-empty", templates.FeedsPage{}},
		{"feeds-hostile", templates.FeedsPage{OPMLURL: "javascript:alert(1)", Links: evilLinks, Groups: []templates.FeedGroup{
			{Kind: "declared", Feeds: []templates.FeedEntry{evilFeed}},
			{Kind: "tag", Feeds: []templates.FeedEntry{evilFeed}},
			{Kind: "unheard-of", Feeds: []templates.FeedEntry{evilFeed}},
		}}},
		{"feed", templates.FeedPage{
			Feed: narrow, FeedsURL: "/feeds/", RawURL: "/feeds/robotica.rss?raw", Links: links,
			Items: []templates.FeedItem{
				{Title: article.Title, Language: "en", Section: "News", Summary: "Classes in four countries took samples.", URL: "/articles/river", Published: day},
				{Title: "مئة مدرسة تقيس جودة المياه في نهرها", Language: "ar", Section: "أخبار", URL: "/articles/river-ar"},
			},
		}},
		{"feed-empty", templates.FeedPage{Feed: bare}},
		{"feed-zero", templates.FeedPage{}},
		{"feed-hostile", templates.FeedPage{
			Feed: evilFeed, FeedsURL: "javascript:alert(1)", RawURL: "javascript:alert(1)", Links: evilLinks,
			Items: []templates.FeedItem{{Title: hostile, Language: hostile, Section: hostile, Summary: hostile, URL: "javascript:alert(1)", Published: day}},
		}},
		{"article", article},
		{"article-arabic", arabic},
		{"article-empty", templates.ArticlePage{}},
		{"article-hostile", evil},
		{"error-0", templates.ErrorPage{}},
		{"error-404", templates.ErrorPage{Status: 404}},
		{"error-400", templates.ErrorPage{Status: 400}},
	}, slices.Concat(peoplePages(), archivePages(), statuses(), catcherPages())...)
}

const office = "o••••@partner.example"

// peoplePages are those of who reads, each in all that it can say.
func peoplePages() []shown {
	rhythm := templates.RhythmChoice{Field: "rhythm", Offered: []string{"immediate", "daily", "weekly", "monthly"}, Chosen: "weekly"}
	tags := templates.LanguageChoice{Offered: []string{"ar", "en", "it", "sr-Latn", "uk", "zh-Hans"}, Chosen: []string{"it", "en", ""}, Default: true}
	topics := []templates.Choice{{Value: "Events", Label: "Events"}, {Value: "robotics", Label: "robotics", Chosen: true}, {Value: "新闻", Label: "新闻"}}
	lists := []templates.Choice{{Value: "1", Label: "News for our partners", Chosen: true}, {Value: "2", Label: "أخبار لشركائنا", Chosen: true}, {Value: "3", Label: "Press"}}
	evil := []templates.Choice{{Value: markup, Label: hostile, Chosen: true}, {Value: long, Label: long}}
	subscribe := templates.SubscribePage{ListName: "News for our partners", Sender: "Example Association for Science", Rhythm: rhythm, Languages: tags, Topics: topics, Others: lists[1:]}
	mistaken, few, wicked := subscribe, subscribe, subscribe
	mistaken.Email, mistaken.BadEmail, mistaken.Name, mistaken.BadName = "office at partner", true, "See https://example.org", true
	few.Sender, few.Topics, few.Others, few.Rhythm.Offered = "", nil, nil, []string{"weekly"}
	wicked.ListName, wicked.Sender, wicked.Email, wicked.Name, wicked.Topics, wicked.Others = hostile, hostile, hostile, hostile, evil, evil
	wicked.Rhythm, wicked.Languages = templates.RhythmChoice{Field: markup, Offered: []string{markup, "daily"}}, templates.LanguageChoice{Offered: []string{markup}, Chosen: []string{markup}}
	confirm := templates.ConfirmPage{
		ListName: "News for our partners", Address: office, Rhythm: "weekly", Topics: []string{"robotics", "新闻"}, Languages: []string{"it", "sr-Latn"}, Nonce: "AAAA",
	}
	several, done, allDone, wickedConfirm := confirm, confirm, confirm, confirm
	several.Together = lists
	done.Done, done.PreferencesURL = true, "/preferences/AAAA"
	allDone.Done, allDone.Together = true, lists
	wickedConfirm.ListName, wickedConfirm.Address, wickedConfirm.Together, wickedConfirm.Nonce = hostile, hostile, evil, markup
	leave := templates.UnsubscribePage{ListName: "News for our partners", Address: office, Nonce: "AAAA", PreferencesURL: "/preferences/AAAA"}
	leaveAny, left, leftAll, later, undone, wickedLeave := leave, leave, leave, leave, leave, leave
	leaveAny.Others = true
	left.Done, left.Undo, left.Others = true, "BBBB", true
	leftAll.Done, leftAll.All, leftAll.Undo = true, true, "BBBB"
	later.Done = true
	undone.Undone = true
	wickedLeave.ListName, wickedLeave.Address, wickedLeave.Nonce, wickedLeave.PreferencesURL = hostile, hostile, markup, "javascript:alert(1)"
	return []shown{
		{"subscribe", subscribe},
		{"subscribe-mistakes", mistaken},
		{"subscribe-few", few},
		{"subscribe-hostile", wicked},
		{"subscribe-empty", templates.SubscribePage{}},
		{"subscribed", templates.SubscribedPage{ListName: "News for our partners"}},
		{"subscribed-hostile", templates.SubscribedPage{ListName: hostile}},
		{"links", templates.LinksPage{ListName: "News for our partners"}},
		{"links-sent", templates.LinksPage{ListName: hostile, Sent: true}},
		{"dropped", templates.DroppedPage{}},
		{"confirm", confirm},
		{"confirm-several", several},
		{"confirm-done", done},
		{"confirm-several-done", allDone},
		{"confirm-hostile", wickedConfirm},
		{"confirm-empty", templates.ConfirmPage{}},
		{"change", templates.ChangePage{OldAddress: office, NewAddress: "team@partner.example", Nonce: "AAAA"}},
		{"change-release", templates.ChangePage{OldAddress: office, NewAddress: "t•••@partner.example", Release: true, Nonce: "AAAA"}},
		{"change-asked", templates.ChangePage{OldAddress: office, NewAddress: "t•••@partner.example", Asked: true}},
		{"change-done", templates.ChangePage{NewAddress: "team@partner.example", Done: true}},
		{"change-taken", templates.ChangePage{NewAddress: "team@partner.example", Taken: true}},
		{"change-stale", templates.ChangePage{Stale: true}},
		{"change-hostile", templates.ChangePage{OldAddress: hostile, NewAddress: hostile, Nonce: markup}},
		{"unsubscribe", leave},
		{"unsubscribe-any", leaveAny},
		{"unsubscribe-done", left},
		{"unsubscribe-all-done", leftAll},
		{"unsubscribe-later", later},
		{"unsubscribe-undone", undone},
		{"unsubscribe-long", templates.UnsubscribePage{ListName: long, Address: strings.Repeat("office", 30) + "@partner.example"}},
		{"unsubscribe-hostile", wickedLeave},
		{"unsubscribe-empty", templates.UnsubscribePage{}},
		{"again", templates.AgainPage{Fields: []templates.Field{{Name: "do", Value: "leave"}, {Name: "nonce", Value: "AAAA"}}, Label: "Unsubscribe from News for our partners"}},
		{"again-hostile", templates.AgainPage{Fields: []templates.Field{{Name: markup, Value: markup}}, Label: markup}},
		{"preferences", preferences()},
		{"preferences-saved", templates.PreferencesPage{Address: office, Saved: true}},
		{"preferences-asked", templates.PreferencesPage{Address: office, Asked: true}},
		{"preferences-hostile", wickedPreferences(evil)},
	}
}

func archivePages() []shown {
	return []shown{
		{"archive", archive(articles("en"))},
		{"archive-hostile", archive(digests("en")["hostile"].Articles)},
		{"archive-empty", templates.ArchivePage{ListName: "News for our partners", Newest: true, URL: "https://post.example.org/archive/partners/en/"}},
		{"archive-zero", templates.ArchivePage{}},
		{"edition", editionPage(articles("ar"))},
		{"edition-hostile", editionPage(digests("en")["hostile"].Articles)},
		{"edition-zero", templates.EditionPage{}},
	}
}

// archive has an edition with articles, in two languages.
func archive(of []templates.DigestArticle) templates.ArchivePage {
	page := editionPage(of)
	return templates.ArchivePage{
		ListName: page.ListName, URL: page.ArchiveURL, OlderURL: page.ArchiveURL + "?before=AAAA", Newest: true, SubscribeURL: page.SubscribeURL,
		Languages: page.Languages, Feeds: page.Feeds,
		Editions: []templates.ArchiveEdition{{URL: page.URL, Rhythm: "weekly", Date: page.Date, Articles: of}, {Rhythm: "once", URL: page.URL, Date: page.Date.AddDate(0, 0, -7), Articles: of[:1]}},
	}
}

func editionPage(of []templates.DigestArticle) templates.EditionPage {
	const base = "https://post.example.org/archive/partners/"
	return templates.EditionPage{
		ListName: "News for our partners", Date: day, Subject: "A look <back>", Introduction: "# Dear *friends*\n\n<b>[x](javascript:1)</b>", IntroducedIn: "en", Articles: of, URL: base + "en/AAAA", ArchiveURL: base + "en/", SubscribeURL: "/s/partners",
		Languages: []templates.ArchiveLanguage{{Language: "ar", URL: base + "ar/AAAA"}, {Language: "zh-Hans", URL: base + "zh-Hans/AAAA"}},
		Feeds: []templates.FeedLink{
			{Type: "application/rss+xml", Title: "News for our partners", URL: base + "en/feed.rss"},
			{Type: "application/atom+xml", Title: "News for our partners", URL: base + "en/feed.atom"},
		},
	}
}

// preferences are those of somebody on lists in every state, with what can be wrong.
func preferences() templates.PreferencesPage {
	p := templates.PreferencesPage{
		Address: office, Nonce: "AAAA", TimeZone: "Europe/Rome", TimeZones: []string{"Asia/Shanghai", "Europe/Rome"}, Hour: "07:30", Hours: []string{"07:00", "07:30", "08:00"},
		Languages: templates.LanguageChoice{Offered: []string{"ar", "en", "it"}, Chosen: []string{"it", "", ""}, Default: true},
		BadDay:    true, BadAddress: true, NewAddress: "team at partner",
	}
	for i, state := range []string{"active", "paused", "paused", "pending", "unsubscribed"} {
		p.Subscriptions = append(p.Subscriptions, templates.SubscriptionForm{
			ID: fmt.Sprint(i), ListName: []string{"News for our partners", "أخبار لشركائنا", "Events", "Press", "合作伙伴通讯"}[i], State: state, Chosen: "stay", PauseFor: "fortnight",
			Rhythm: templates.RhythmChoice{Field: fmt.Sprint("rhythm-", i), Offered: []string{"daily", "weekly"}, Chosen: "daily"},
			Topics: []templates.Choice{{Value: "Events", Label: "Events", Chosen: true}, {Value: "News", Label: "News"}},
		})
	}
	p.Subscriptions[0].BadDay, p.Subscriptions[0].Chosen, p.Subscriptions[0].PauseFor, p.Subscriptions[0].Day = true, "pause", "day", "2026-11-01"
	p.Subscriptions[1].Until, p.Subscriptions[1].CatchUp = day, true
	return p
}

func wickedPreferences(evil []templates.Choice) templates.PreferencesPage {
	return templates.PreferencesPage{
		Address: hostile, Nonce: markup, TimeZone: markup, TimeZones: []string{markup}, Hour: markup, Hours: []string{markup}, NewAddress: hostile,
		Subscriptions: []templates.SubscriptionForm{
			{ID: markup, ListName: hostile, State: "active", Day: hostile, Topics: evil},
			{ID: "2", ListName: long, State: hostile, Rhythm: templates.RhythmChoice{Offered: []string{markup, markup}}},
		},
	}
}

func feedEntry(title string) templates.FeedEntry {
	at := "https://post.example.org/feeds/" + strings.ToLower(strings.Fields(title)[0])
	return templates.FeedEntry{Title: title, RSSURL: at + ".rss", AtomURL: at + ".atom", JSONURL: at + ".json"}
}

func manyFeeds(n int) (all []templates.FeedEntry) {
	names := []string{"robotics", "astronomy", "schools", "river ecology", "museums", "exchange programme", "science festivals", "open data"}
	for i := range n {
		f := feedEntry(fmt.Sprintf("%s %d", names[i%len(names)], i))
		f.Language, f.Articles, f.Tags = "en", 7*i%1301, []string{names[i%len(names)]}
		all = append(all, f)
	}
	return all
}

func statuses() []shown {
	var all []shown
	for _, status := range []int{400, 403, 405, 410, 429, 500, 503} {
		all = append(all, shown{"error", templates.ErrorPage{Status: status}})
	}
	return all
}

func catcherPages() []shown {
	entry := templates.CatcherEntry{
		ID: "1", URL: "/messages/1", From: "news@example.org", To: []string{"office@partner.example"},
		Subject: "News for our partners: A hundred schools measure the water of their river", At: day, Size: 14_231,
	}
	arabic, bare, evil := entry, entry, entry
	arabic.Subject, arabic.Size = "أخبار لشركائنا: مئة مدرسة تقيس جودة المياه", 1_200_000
	bare.Subject, bare.Size = "", 0
	evil.Subject, evil.From, evil.To = hostile, hostile, []string{hostile}
	message := templates.CatcherMessage{
		ID: "1", From: entry.From, To: entry.To, Subject: entry.Subject, At: day, Size: entry.Size, View: templates.CatcherText,
		ListURL: "/", URL: "/messages/1", HTMLURL: "/messages/1/html", RawURL: "/messages/1.eml",
		Text: "News for our partners\nTuesday, 24 November 2026\n",
	}
	headers, html, raw, hostileMessage := message, message, message, message
	headers.View = templates.CatcherHeaders
	headers.Headers = []templates.CatcherHeader{
		{Name: "Subject", Value: entry.Subject},
		{Name: "List-Unsubscribe", Value: "<https://post.example.org/unsubscribe/" + strings.Repeat("abc", 40) + ">"},
		{Name: "X-Test", Value: hostile},
	}
	html.View = templates.CatcherHTML
	raw.View, raw.Raw = templates.CatcherRaw, "Subject: News\r\n\r\n<script>alert(1)</script>\r\n"
	hostileMessage.Subject, hostileMessage.From, hostileMessage.Text, hostileMessage.HTMLURL = hostile, hostile, "<script>alert(1)</script>", ""
	return []shown{
		{"catcher", templates.CatcherList{Messages: []templates.CatcherEntry{entry, arabic, bare, evil}, Total: 204, NewerURL: "/", OlderURL: "/?before=1"}},
		{"catcher-empty", templates.CatcherList{Address: "127.0.0.1:2525"}},
		{"catcher-text", message},
		{"catcher-headers", headers},
		{"catcher-html", html},
		{"catcher-raw", raw},
		{"catcher-message-hostile", hostileMessage},
		{"catcher-message-empty", templates.CatcherMessage{}},
	}
}
