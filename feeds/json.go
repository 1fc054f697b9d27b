package feeds

import (
	"cmp"
	"time"

	gorilla "github.com/gorilla/feeds"

	"silkpost/internal/articles"
)

// The JSON types are gorilla's with what it lacks or leaves out when empty; encoding/json writes the outer of two fields with
// one name.
type jsonFeed struct {
	gorilla.JSONFeed
	Items []jsonItem `json:"items"`
}

type jsonItem struct {
	gorilla.JSONItem
	Published string `json:"date_published,omitempty"`
	Modified  string `json:"date_modified,omitempty"`
	Language  string `json:"language,omitempty"`
}

func (d *outline) json() jsonFeed {
	feed := jsonFeed{
		JSONFeed: gorilla.JSONFeed{
			Version:     "https://jsonfeed.org/version/1.1",
			Title:       d.title,
			Language:    d.language,
			HomePageUrl: d.home,
			FeedUrl:     d.self,
			Authors:     []*gorilla.JSONAuthor{{Name: d.publisher, Url: d.home}},
		},
		Items: make([]jsonItem, len(d.articles)),
	}
	for i := range d.articles {
		feed.Items[i] = d.jsonItem(&d.articles[i])
	}
	return feed
}

func (d *outline) jsonItem(a *articles.Article) jsonItem {
	item := jsonItem{
		JSONItem: gorilla.JSONItem{
			Id:      a.GUID,
			Url:     a.Link(d.publicURL),
			Title:   a.Title,
			Summary: a.Summary,
			Image:   a.ImageURL,
			Tags:    categories(a),
		},
		Published: stamp(time.RFC3339, a.PublishedAt),
		Modified:  stamp(time.RFC3339, a.UpdatedAt),
		Language:  a.Language,
	}
	for _, name := range a.Authors {
		item.Authors = append(item.Authors, &gorilla.JSONAuthor{Name: name})
	}
	switch { // an item must have one content or the other
	case d.content == Summary:
		item.ContentText = cmp.Or(a.Summary, a.Title)
	case a.HTML != "":
		item.ContentHTML = a.HTML
	default:
		item.ContentText = cmp.Or(a.Text, a.Summary, a.Title)
	}
	return item
}
