package feeds

import (
	"cmp"
	"time"

	gorilla "github.com/gorilla/feeds"
)

// The JSON types are gorilla's with what it lacks or leaves out when empty; encoding/json writes the outer of two fields with
// one name, and those after the embedded ones: items come last.
type jsonFeed struct {
	gorilla.JSONFeed
	Items []*jsonItem `json:"items"`
}

type jsonItem struct {
	gorilla.JSONItem
	Published string `json:"date_published,omitempty"`
	Modified  string `json:"date_modified,omitempty"`
	Language  string `json:"language,omitempty"`
}

func (o *outline) json() jsonFeed {
	feed := jsonFeed{
		JSONFeed: gorilla.JSONFeed{
			Version:     "https://jsonfeed.org/version/1.1",
			Title:       o.title,
			Language:    o.language,
			HomePageUrl: o.home,
			FeedUrl:     o.self,
			NextUrl:     o.older,
			Authors:     []*gorilla.JSONAuthor{{Name: o.publisher, Url: o.home}},
		},
		Items: []*jsonItem{},
	}
	for _, hub := range o.hubs {
		feed.Hubs = append(feed.Hubs, &gorilla.JSONHub{Type: "WebSub", Url: hub})
	}
	return feed
}

func newJSONItem(content Content, it Item) *jsonItem {
	item := &jsonItem{
		JSONItem: gorilla.JSONItem{
			Id:      it.GUID,
			Url:     it.URL,
			Title:   it.Title,
			Summary: it.Summary,
			Image:   it.ImageURL,
			Tags:    categories(&it.Article),
		},
		Published: stamp(time.RFC3339, it.PublishedAt),
		Modified:  stamp(time.RFC3339, it.UpdatedAt),
		Language:  it.Language,
	}
	for _, name := range it.Authors {
		item.Authors = append(item.Authors, &gorilla.JSONAuthor{Name: name})
	}
	if kind := imageType(it.ImageURL); kind != "" { // an attachment must have a type
		item.Attachments = []gorilla.JSONAttachment{{Url: it.ImageURL, MIMEType: kind, Title: it.ImageAlt}}
	}
	switch { // an item must have one content or the other
	case content == Summary:
		item.ContentText = cmp.Or(it.Summary, it.Title)
	case it.HTML != "":
		item.ContentHTML = it.HTML
	default:
		item.ContentText = cmp.Or(it.Text, it.Summary, it.Title)
	}
	return item
}
