package templates

import (
	"time"

	xlanguage "golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"silkpost/internal/errs"
)

// The pages of those who read: they subscribe, confirm, choose and leave. Each posts to its own address. A page on which a press changes
// something carries a Nonce, which comes back with the press.

// SubscribePage is the form to subscribe to a list, which anybody can fill in.
type SubscribePage struct {
	ListName  string
	Sender    string // "" for nobody named
	Email     string // as it was typed
	Name      string // likewise
	BadEmail  bool   // what was typed is no address
	BadName   bool
	Rhythm    RhythmChoice
	Languages LanguageChoice
	Topics    []Choice
	Others    []Choice // other lists
}

// SubscribedPage answers to every form alike, whoever's address was written into it.
type SubscribedPage struct{ ListName string }

// LinksPage asks whether the links by which a subscription is changed and ended shall be sent to its person, and says so once they are.
// It stands where the digest as a page has no such links, since anybody may look at that.
type LinksPage struct {
	ListName string
	Sent     bool
}

// DroppedPage says that a digest is not kept any more.
type DroppedPage struct{}

// Choice is one of several things that a form offers to tick.
type Choice struct {
	Value  string
	Label  string
	Chosen bool
}

// RhythmChoice offers the rhythms of a list: immediate, daily, weekly or monthly.
type RhythmChoice struct {
	Field   string // of the form
	Offered []string
	Chosen  string
}

// LanguageChoice offers languages in an order.
type LanguageChoice struct {
	Offered []string // tags
	Chosen  []string // one for each place, the best first; "" where none is chosen
	Default bool     // the first place, too, may stay empty
}

// ConfirmPage asks whether an address shall get a list, or several that were asked for together, and says so once it does.
type ConfirmPage struct {
	ListName       string
	Address        string // shown as given
	Together       []Choice
	Rhythm         string
	Topics         []string
	Languages      []string
	Nonce          string
	Done           bool
	PreferencesURL string
}

// ChangePage asks the owner of an address whether a contact's mail shall go there, and says what became of it. Before that it asks the owner
// of the present address.
type ChangePage struct {
	OldAddress string // shown as given
	NewAddress string // likewise
	Nonce      string
	Release    bool // the owner of the present address is asked
	Asked      bool // they have agreed, and the owner of the new one is asked by mail
	Done       bool
	Taken      bool // the new address is another contact's
	Stale      bool // the contact has another address by now
}

// UnsubscribePage asks whether an address shall leave a list, or all of them, and says so once it has. A press on it says with Do what is to
// be done; a mail program posts List-Unsubscribe=One-Click to the same address.
type UnsubscribePage struct {
	ListName       string
	Address        string // shown as given
	Nonce          string
	Others         bool   // the address is on other lists, too
	Done           bool   // it left the list
	All            bool   // it left all lists
	Undo           string // what takes the press back, for the form; "" when it was not just now
	Undone         bool   // a press was taken back
	Mailed         bool   // they want to come back, and are asked by mail whether that was them
	PreferencesURL string
}

// PreferencesPage shows what a contact has chosen and lets them change it.
type PreferencesPage struct {
	Address       string // shown as given
	Nonce         string
	Languages     LanguageChoice
	TimeZone      string   // "" is each list's
	TimeZones     []string // offered
	Hour          string   // "15:04"; "" is each list's
	Hours         []string // offered
	Subscriptions []SubscriptionForm
	NewAddress    string // as it was typed
	Saved         bool
	Asked         bool // a change of address was asked for
	Mailed        bool // a subscription was asked for, and they are asked by mail whether that was them
	BadDay        bool // of a pause, in one of the subscriptions
	BadAddress    bool // NewAddress is none
}

// SubscriptionForm is one subscription among the preferences.
type SubscriptionForm struct {
	ID       string // at the end of the names of its fields
	ListName string
	State    string    // pending, active, paused or unsubscribed
	Until    time.Time // of a pause; zero: until they come back
	Rhythm   RhythmChoice
	Topics   []Choice
	Chosen   string // of what shall become of it: one of the Do… words
	PauseFor string // one of Pauses
	Day      string // of a pause until a day
	CatchUp  bool   // after a pause
	BadDay   bool
}

// AgainPage asks for one more press. Its form carries all that was posted the first time.
type AgainPage struct {
	Fields []Field
	Label  string // of the button
}

// Field is one of a form that is posted again.
type Field struct{ Name, Value string }

func (SubscribePage) template() string   { return "subscribe" }
func (SubscribedPage) template() string  { return "subscribed" }
func (LinksPage) template() string       { return "links" }
func (DroppedPage) template() string     { return "dropped" }
func (ConfirmPage) template() string     { return "confirm" }
func (ChangePage) template() string      { return "change" }
func (PreferencesPage) template() string { return "preferences" }
func (AgainPage) template() string       { return "again" }

// What a press or a choice on these pages is for: the values of the field "do", and of the "state" of a subscription among the preferences.
const (
	DoSubscribe = "subscribe" // by the form
	DoConfirm   = "confirm"   // a subscription that waits
	DoTogether  = "together"  // several that wait
	DoRelease   = "release"   // the present address
	DoChange    = "change"    // the address
	DoLeave     = "leave"     // a list
	DoLeaveAll  = "leave-all" // every list
	DoUndo      = "undo"      // leaving
	DoReturn    = "return"    // to a list that was left
	DoPause     = "pause"
	DoBack      = "back" // from a pause
	DoStay      = "stay" // as it is
	DoSave      = "save" // preferences
	DoAsk       = "ask"  // for a mail to a new address
)

// For how long a pause lasts.
const (
	Fortnight = "fortnight"
	Month     = "month"
	Quarter   = "quarter"
	UntilDay  = "day"
	Open      = "open" // until they come back
)

// Pauses are all of them in the order in which they are offered.
var Pauses = []string{Fortnight, Month, Quarter, UntilDay, Open}

// Words returns the words on the button or beside the choice of one of the Do… words, for the record of what a person said. listName is the
// list that it is about.
func (s *Set) Words(lang, do, listName string) (string, error) {
	return s.voice(lang).words.press(do, listName)
}

// PauseWords returns the words with which a pause is chosen.
func (s *Set) PauseWords(lang, pause string) (string, error) {
	w := s.voice(lang).words
	length, err := w.pause(pause)
	if err != nil {
		return "", err
	}
	choice, err := w.press(DoPause, "")
	return choice + ": " + length, err
}

func (w *words) press(do, listName string) (string, error) {
	switch do {
	case DoSubscribe:
		return w.message("subscribe.button")
	case DoConfirm:
		return w.message("confirm.button", "List", listName)
	case DoTogether:
		return w.message("confirm.several_button")
	case DoRelease:
		return w.message("change.release_button")
	case DoChange:
		return w.message("change.button")
	case DoLeave:
		return w.message("unsubscribe.button", "List", listName)
	case DoLeaveAll:
		return w.message("unsubscribe.all_button")
	case DoUndo:
		return w.message("unsubscribe.undo")
	case DoReturn:
		return w.message("unsubscribe.again", "List", listName)
	case DoPause:
		return w.message("preferences.pause")
	case DoBack:
		return w.message("preferences.back")
	case DoSave:
		return w.message("preferences.save")
	case DoAsk:
		return w.message("preferences.ask")
	}
	return "", errs.New(errs.Internal, "templates: no words for %q", do)
}

func (w *words) pause(pause string) (string, error) {
	switch pause {
	case Fortnight:
		return w.message("pause.fortnight")
	case Month:
		return w.message("pause.month")
	case Quarter:
		return w.message("pause.quarter")
	case UntilDay:
		return w.message("pause.day")
	}
	return w.message("pause.open")
}

func (w *words) rhythm(rhythm string) (string, error) {
	switch rhythm {
	case "immediate":
		return w.message("rhythm.immediate")
	case "daily":
		return w.message("rhythm.daily")
	case "monthly":
		return w.message("rhythm.monthly")
	}
	return w.message("rhythm.weekly")
}

// ownName returns what a language is called by those who speak it; the tag itself when that is not known.
func (w *words) ownName(tag string) string {
	if name, ok := w.ownNames[tag]; ok {
		return name
	}
	t, err := xlanguage.Parse(tag)
	if err != nil {
		return line(tag)
	}
	if name := display.Self.Name(t); name != "" {
		return name
	}
	return line(tag)
}
