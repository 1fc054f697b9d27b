package adminpage

import (
	"net/url"
	"strings"
	"time"
)

// Frame is what stands around every page, and the page.
type Frame struct {
	Page Page

	Language  string         // of the page; Write takes the nearest that there is
	Languages []string       // that there are; Write fills it in
	Zone      *time.Location // that times are shown in
	Path      string         // of the address, such as /admin/sources/site
	Who       string         // the address of the account that is signed in; "": nobody is, and there is no menu
	Can       func(act string) bool
	Confined  bool   // to some lists: what is of all of them is not in the menu
	Waiting   int    // how many things need a person; shown beside Home
	Plain     bool   // it came over plain http, which only the demo allows
	Done      string // the key below "done." of what was just done, to be said on top; "": nothing
	Held      bool   // the database holds everything until it is adopted
}

// May reports whether who looks may do something: see accounts.Act.
func (f Frame) May(act string) bool { return f.Can != nil && f.Can(act) }

// At reports whether the page is at or below an address of the menu.
func (f Frame) At(path string) bool {
	if path == "/admin/" {
		return f.Path == path
	}
	return f.Path == path || strings.HasPrefix(f.Path, path+"/")
}

// MenuEntry is a place of the menu.
type MenuEntry struct {
	Path string
	Key  string // of its name in the catalogue, below "menu."
	Act  string // who may not do that does not see it

	Letter string // that leads there after g; "": none does
	Whole  bool   // it is about all lists together
}

// Menu returns the places that who looks may go to, in groups.
func (f Frame) Menu() (groups [][]MenuEntry) {
	for _, group := range menu {
		var seen []MenuEntry
		for _, entry := range group {
			if f.May(entry.Act) && (!entry.Whole || !f.Confined) {
				seen = append(seen, entry)
			}
		}
		if len(seen) > 0 {
			groups = append(groups, seen)
		}
	}
	return groups
}

var menu = [][]MenuEntry{
	{
		{"/admin/", "home", "own", "h", false},
		{"/admin/editions", "editions", "read", "e", false},
	},
	{
		{"/admin/articles", "articles", "read", "a", false},
		{"/admin/sources", "sources", "read", "s", false},
		{"/admin/feeds", "feeds", "read", "f", false},
	},
	{
		{"/admin/lists", "lists", "read", "l", false},
		{"/admin/organisations", "organisations", "read_people", "o", false},
		{"/admin/contacts", "contacts", "read_people", "c", false},
		{"/admin/audiences", "audiences", "read_people", "u", false},
		{"/admin/import", "import", "people", "i", false},
	},
	{
		{"/admin/themes", "themes", "edit", "t", false},
		{"/admin/destinations", "destinations", "read", "d", true},
		{"/admin/settings", "settings", "administer", "x", true},
	},
	{
		{"/admin/accounts", "accounts", "administer", "", false},
		{"/admin/keys", "keys", "administer", "k", false},
		{"/admin/log", "log", "administer", "", false},
	},
}

// Pager leads through a long table, which is read by key and not by number: there is a way on and a way back to the beginning.
type Pager struct {
	FirstURL string // "": this is the beginning
	NextURL  string // "": this is the end
}

// Mistakes are what is wrong in a form: by the name of its field, what to say below it. The key "" is for the form as a whole.
type Mistakes map[string]string

// Add says what is wrong with a field, behind what else is.
func (m Mistakes) Add(field, says string) {
	if m[field] != "" {
		says = m[field] + "; " + says
	}
	m[field] = says
}

// Fields are what somebody put into a form, to be shown again when it is wrong.
type Fields url.Values

// Get returns the first value of a field.
func (f Fields) Get(name string) string { return url.Values(f).Get(name) }

// Has reports whether a field has a value among its values.
func (f Fields) Has(name, value string) bool {
	for _, v := range f[name] {
		if v == value {
			return true
		}
	}
	return false
}

// Message is a page with nothing but a heading and a sentence: what went wrong, for instance.
type Message struct {
	Status int    // HTTP
	Detail string // in English, of the program; may be ""
}

func (Message) template() string { return "message" }
