package feeds

import "slices"

// Whole encodes a document at once, items and all, as gorilla/feeds does. What is put together from fragments must not differ.
func Whole(format Format, frame *Frame, items []Item, publicURL string) ([]byte, error) {
	o, content := newOutline(format, frame, publicURL), frame.Feed.Content
	cleaned := make([]Item, len(items))
	for i := range items {
		cleaned[i] = cleanItem(&items[i], publicURL)
	}
	switch format {
	case RSS:
		whole := wholeRSS{rss: o.rss()}
		whole.Channel.rssChannel = whole.rss.Channel
		for _, it := range cleaned {
			whole.Channel.Items = append(whole.Channel.Items, newRSSItem(content, it))
		}
		return writeXML(whole)
	case Atom:
		whole := wholeAtom{atom: o.atom()}
		for _, it := range cleaned {
			whole.Entries = append(whole.Entries, newAtomEntry(content, it))
		}
		return writeXML(whole)
	default:
		whole := o.json()
		for _, it := range cleaned {
			whole.Items = append(whole.Items, newJSONItem(content, it))
		}
		document, err := encodeJSON(whole, 0)
		return slices.Concat(document, []byte("\n")), err
	}
}

type wholeRSS struct {
	rss
	Channel struct {
		rssChannel
		Items []rssItem `xml:"item"`
	} `xml:"channel"`
}

func (w wholeRSS) FeedXml() any { return w }

type wholeAtom struct {
	atom
	Entries []atomEntry `xml:"entry"`
}

func (w wholeAtom) FeedXml() any { return w }
