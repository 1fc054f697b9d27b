package templates

import "time"

// CatcherList is the mail catcher's front page: a page of the messages it holds, newest first.
type CatcherList struct {
	Messages []CatcherEntry
	Total    int    // messages held, on all pages
	Address  string // host:port where the catcher takes mail; shown while there is none
	NewerURL string // the page of newer messages; "" on the first one
	OlderURL string // the page of older messages; "" on the last one
}

// CatcherEntry is one message in a CatcherList.
type CatcherEntry struct {
	ID      string
	URL     string // of its CatcherMessage page
	From    string
	To      []string
	Subject string
	At      time.Time // when it came in; shown in its own zone
	Size    int       // bytes
}

// CatcherView is one way to look at a message.
type CatcherView string

// The views of a message.
const (
	CatcherHTML    CatcherView = "html"
	CatcherText    CatcherView = "text"
	CatcherHeaders CatcherView = "headers"
	CatcherRaw     CatcherView = "raw"
)

// CatcherMessage is one message in the mail catcher, seen in one view. Only what its view shows has to be filled in: HTMLURL
// for html, Text for text, Headers for headers, Raw for raw.
type CatcherMessage struct {
	ID      string
	From    string
	To      []string
	Subject string
	At      time.Time // when it came in; shown in its own zone
	Size    int       // bytes

	View    CatcherView
	ListURL string // back to the CatcherList
	URL     string // of this page; "?view=…" is added to it for the other views
	HTMLURL string // the HTML part by itself, shown in a sandboxed frame; "" when the message has none
	RawURL  string // the message as an .eml file

	Text    string // "" when the message has no text part
	Headers []CatcherHeader
	Raw     string
}

// CatcherHeader is one header field of a message, its value decoded and unfolded.
type CatcherHeader struct {
	Name  string
	Value string
}

func (CatcherList) template() string    { return "catcher-list" }
func (CatcherMessage) template() string { return "catcher-message" }

// Views returns the views there are of m, in the order of its tabs.
func (m CatcherMessage) Views() []CatcherView {
	if m.HTMLURL == "" {
		return []CatcherView{CatcherText, CatcherHeaders, CatcherRaw}
	}
	return []CatcherView{CatcherHTML, CatcherText, CatcherHeaders, CatcherRaw}
}
