package feeds_test

import (
	"slices"
	"time"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
)

const publicURL = "https://news.example.org"

// day is the nth day of the tests' calendar, with a zone and a fraction that no document may show.
func day(n int) time.Time {
	return time.Date(2026, time.March, n, 23, 30, 15, 123456000, time.FixedZone("somewhere", 5*3600))
}

// document is a frame with what it holds.
type document struct {
	frame feeds.Frame
	items []feeds.Item
}

// cases returns a document for each thing that a format has to say, by name.
func cases() map[string]document {
	return map[string]document{
		"multilingual": framed(all(), multilingual()...),
		"summary":      summary(),
		"empty":        framed(feeds.Feed{Slug: "lang-it", Title: all().Title, Selection: articles.Selection{Languages: []string{"it"}}}),
		"hostile":      hostile(),
		"images":       framed(all(), images()...),
		"archive":      archive(),
		"oldest":       oldest(),
		"tombstones":   tombstones(),
		"hubs":         hubs(),
		"chinese":      chinese(),
		"arabic":       arabic(),
		"private":      private(),
	}
}

func all() feeds.Feed {
	return feeds.Feed{Slug: "all", Title: database.StringMap{"en": "All articles", "it": "Tutti gli articoli"}, Content: feeds.Full}
}

// framed puts items into the subscription document of a feed.
func framed(feed feeds.Feed, items ...feeds.Item) document {
	frame := feeds.Frame{Feed: feed, Path: feed.Slug}
	for i, it := range items {
		if it.UpdatedAt.After(frame.Updated) {
			frame.Updated = it.UpdatedAt
		}
		if i == 0 {
			frame.Language = it.Language
		} else if it.Language != frame.Language {
			frame.Language = ""
		}
	}
	return document{frame, items}
}

func multilingual() []feeds.Item {
	return []feeds.Item{
		{
			Article: articles.Article{
				GUID: "https://www.example.org/2026/biennale", Slug: "biennale", URL: "https://www.example.org/2026/biennale?a=1&b=2",
				Title: "Biennale of science & art opens", Summary: "Visitors > 10,000 are expected.",
				HTML: "<p>Visitors &gt; 10,000 are expected.</p>\n<p><img src=\"https://www.example.org/hall.jpg\" alt=\"The hall\"></p>",
				Text: "Visitors > 10,000 are expected.", Language: "en", Section: "News", Tags: []string{"art", "News", "science"},
				Authors: []string{"Press office", "Ms Example"}, ImageURL: "https://www.example.org/hall.jpg", ImageAlt: "The hall",
				PublishedAt: day(3), UpdatedAt: day(5), FirstSeenAt: day(6),
			},
			Translations: []feeds.Translation{
				{Language: "it", URL: "https://www.example.org/2026/biennale?l=it&a=1"},
				{Language: "zh-Hans", URL: publicURL + "/articles/biennale-zh-hans"},
			},
		},
		{Article: articles.Article{
			GUID: "urn:uuid:0b1f6a52-4a0e-5d2b-9f0e-0d5d5bd3a001", Slug: "robots", Title: "机器人进校园", Summary: "百所学校参加。",
			HTML: "<p>百所学校参加。</p>", Text: "百所学校参加。", Language: "zh-Hans", Section: "新闻",
			PublishedAt: day(2), UpdatedAt: day(2), FirstSeenAt: day(6),
		}},
		{Article: articles.Article{
			GUID: "urn:uuid:0b1f6a52-4a0e-5d2b-9f0e-0d5d5bd3a002", Slug: "stars", Title: "ليلة النجوم", Summary: "أمسية للجميع.",
			HTML: "<p>أمسية للجميع.</p>", Text: "أمسية للجميع.", Language: "ar", Tags: []string{"فلك"}, Authors: []string{"مكتب الإعلام"},
			PublishedAt: day(1), UpdatedAt: day(1), FirstSeenAt: day(6),
		}},
	}
}

func summary() document {
	feed := all()
	feed.Content = feeds.Summary
	return framed(feed, multilingual()...)
}

// hostile has in each field what that field can be abused for.
func hostile() document {
	d := framed(feeds.Feed{Slug: "hostile", Title: database.StringMap{"und": "<Hostile>\x01 ]]> \xed\xa0\x80"}}, feeds.Item{
		Article: articles.Article{
			GUID: "post 7\x00", Slug: "post-7", URL: "https://www.example.org/?q=\"><script>alert(1)</script>\n",
			Title: "<b>Bold</b> ]]> & \x01\x0b\ufffe\xff\u2028 😀", Summary: "1 < 2 <script>alert(1)</script> ]]>\r\nnext",
			HTML: "<p>]]></p>\r\n<pre>\x02a\tb</pre>]]", Text: "]]>", Language: "en", Section: "<News>\x1f",
			Tags: []string{"a\"b", "\x03", "</category>"}, Authors: []string{"O'Example & </author> ]]>\x04"},
			ImageURL: "https://www.example.org/a b\x05.png?\"><b>", ImageAlt: "\"><b>]]>\x06",
			PublishedAt: day(4), UpdatedAt: day(4), FirstSeenAt: day(4),
		},
		Translations: []feeds.Translation{
			{Language: "en", URL: "https://www.example.org/the-same-language"},
			{Language: "it\x07", URL: "https://www.example.org/it\"/><x>"},
			{Language: "it", URL: "https://www.example.org/it-again"},
			{Language: "de"},
		},
	})
	d.frame.Path = "hostile/<before>&\"\x08"
	d.frame.Older = "hostile/]]>\x0e"
	d.frame.Archive = true
	d.frame.Hubs = []string{"https://hub.example.org/\"/><evil>\x0f&x=]]>"}
	d.frame.Gone = []feeds.Gone{{GUID: "\"/><entry>\x10", At: day(5)}, {GUID: "https://www.example.org/a b", At: day(4)}}
	return d
}

// images have addresses that tell their type, and some that do not.
func images() (items []feeds.Item) {
	for i, image := range []articles.Article{
		{ImageURL: "https://www.example.org/HALL.JPG?width=800&v=2", ImageAlt: "Visitors in the hall & before it"},
		{ImageURL: "https://www.example.org/image?file=hall.png", ImageAlt: "The hall"},
		{ImageURL: "https://www.example.org/hall.webp"},
		{ImageAlt: "of no image"},
	} {
		a := multilingual()[0].Article
		a.GUID, a.URL = "urn:example:image-"+string('a'+rune(i)), "https://www.example.org/image-"+string('a'+rune(i))
		a.Title, a.Section, a.Tags, a.Authors = "Image", "", nil, nil
		a.HTML, a.ImageURL, a.ImageAlt = "<p>An image.</p>", image.ImageURL, image.ImageAlt
		items = append(items, feeds.Item{Article: a})
	}
	return items
}

// archive is in the midst of the chain.
func archive() document {
	d := framed(all(), multilingual()[1])
	d.frame.Path, d.frame.Archive, d.frame.Older = "all/before-20260303T000000Z", true, "all/before-20260302T000000Z"
	return d
}

// oldest is the archive document at the end of the chain.
func oldest() document {
	d := archive()
	d.frame.Older = ""
	return d
}

func tombstones() document {
	d := framed(all(), multilingual()[1])
	d.frame.Gone = []feeds.Gone{
		{GUID: "https://www.example.org/2026/withdrawn", At: day(8)},
		{GUID: "post 7", At: day(7)},
	}
	d.frame.Updated = day(8)
	return d
}

// hubs are two, and the document is not the last one.
func hubs() document {
	d := framed(all(), multilingual()[1])
	d.frame.Older = "all/before-20260302T000000Z"
	d.frame.Hubs = []string{"https://hub.example.org/", "https://other.example.org/hub?a=1&b=2"}
	return d
}

func chinese() document {
	return framed(feeds.Feed{
		Slug: "lang-zh-Hans", Title: database.StringMap{"en": "News", "zh-Hans": "新闻与活动"},
		Selection: articles.Selection{Languages: []string{"zh-Hans"}},
	}, multilingual()[1])
}

// arabic mixes the directions of writing.
func arabic() document {
	it := multilingual()[2]
	it.Title = "ليلة النجوم 2026 (\u200fSTARS\u200f)"
	it.HTML = "<p dir=\"rtl\">أمسية <bdi>Stars</bdi> للجميع.</p>"
	return framed(feeds.Feed{
		Slug: "lang-ar", Title: database.StringMap{"ar": "الأخبار", "en": "News"}, Selection: articles.Selection{Languages: []string{"ar"}},
	}, it)
}

func private() document {
	d := framed(all(), multilingual()[1])
	d.frame.Path = "p/3f8yQ_m-kT"
	return d
}

// elsewhere returns the same document with its times in other zones.
func elsewhere(d document) document {
	far := time.FixedZone("far", -9*3600)
	d.items, d.frame.Gone = slices.Clone(d.items), slices.Clone(d.frame.Gone)
	d.frame.Updated = d.frame.Updated.In(far)
	for i := range d.items {
		a := &d.items[i].Article
		a.PublishedAt, a.UpdatedAt = a.PublishedAt.Local(), a.UpdatedAt.In(far)
	}
	for i := range d.frame.Gone {
		d.frame.Gone[i].At = d.frame.Gone[i].At.In(far)
	}
	return d
}
