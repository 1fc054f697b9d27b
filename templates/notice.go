package templates

import (
	"bytes"
	"fmt"
	"time"
)

// Notice is a mail to one person about their own subscription or address: ConfirmationNotice, KnownNotice, WelcomeNotice,
// NewAddressNotice or OldAddressNotice; or a WordedNotice.
type Notice interface {
	notice(p *phrases) noticeView
}

// Letterhead is what every notice says of whom it is from.
type Letterhead struct {
	ListName      string // in the notice's language
	SenderName    string
	PostalAddress string // lines as they are to be printed
}

// ConfirmationNotice asks whether it was the person of an address who subscribed it.
type ConfirmationNotice struct {
	Letterhead
	Address    string // whom it is sent to
	Lists      []NoticeList
	ConfirmURL string // of all of them
}

// NoticeList is a list that was asked for, one or more in one form.
type NoticeList struct {
	Name   string // in the notice's language
	Rhythm string // immediate, daily, weekly or monthly
}

// KnownNotice says that an address is subscribed already, to whoever asked once more.
type KnownNotice struct {
	Letterhead
	Address        string
	Rhythm         string
	Paused         bool
	PausedUntil    time.Time // zero: until they come back by themselves
	PreferencesURL string
	UnsubscribeURL string
}

// WelcomeNotice says what comes when, after a subscription was confirmed.
type WelcomeNotice struct {
	Letterhead
	Address        string
	Rhythm         string
	CutOff         time.Time // of the next edition, in the list's zone; zero: there is no such time
	Comes          time.Time // the next edition, in the reader's zone
	Zone           string    // what that zone is called
	LastEdition    bool      // it comes in a mail of its own
	PreferencesURL string
	UnsubscribeURL string
}

// NewAddressNotice asks whether an address is a person's new one.
type NewAddressNotice struct {
	Letterhead
	Address    string // the new one
	OldAddress string // masked
	ConfirmURL string
}

// OldAddressNotice asks a person at their present address whether their mail shall go to a new one.
type OldAddressNotice struct {
	Letterhead
	NewAddress string // masked
	ReleaseURL string
}

// WordedNotice is a notice whose words come from elsewhere: to somebody who works with the program, in a language of its own pages.
type WordedNotice struct {
	Letterhead
	Subject string
	Title   string
	Lead    string // ends with a colon when an address stands below it; "": there is none
	Address string // "": none
	About   []string
	Label   string // of the button
	URL     string
	Besides []string
	Foot    string // says where FootURL leads; "": nothing stands at the foot
	FootURL string
}

// noticeView is what both of the notices' templates execute on: a title, what was asked or is so of which address, more about it,
// one button, what to know besides, and links at the foot.
type noticeView struct {
	Letterhead
	looks
	Subject   string
	Preheader string
	Title     string
	Lead      string // ends with a colon: the address stands below it
	Address   string
	About     []string
	Button    noticeLink
	Besides   []string
	Foot      []noticeLink
}

type noticeLink struct{ Label, URL string }

// Notice renders a notice in a catalogue's language (see Language). The same notice gives the same bytes.
func (s *Set) Notice(lang string, n Notice) (Mail, error) {
	v := s.voice(lang)
	p := &phrases{words: v.words}
	view := n.notice(p)
	view.looks = newLooks(Theme{})
	var html, text bytes.Buffer
	err := p.err
	if err == nil {
		err = v.notice.Execute(&html, &view)
	}
	if err == nil {
		err = v.noticeText.Execute(&text, &view)
	}
	if err != nil {
		return Mail{}, fmt.Errorf("templates: %T in %s: %w", n, v.words.tag, err)
	}
	return Mail{Subject: view.Subject, HTML: html.String(), Text: text.String()}, nil
}

func (n WordedNotice) notice(*phrases) noticeView {
	view := noticeView{
		Letterhead: n.Letterhead, Subject: n.Subject, Title: n.Title, Lead: n.Lead, Address: n.Address, About: n.About, Button: noticeLink{n.Label, n.URL}, Besides: n.Besides,
	}
	if n.Foot != "" {
		view.Foot = []noticeLink{{n.Foot, n.FootURL}}
	}
	return view
}

func (n ConfirmationNotice) notice(p *phrases) noticeView {
	view := noticeView{
		Letterhead: n.Letterhead,
		Title:      p.message("notice.confirmation.title"),
		Address:    n.Address,
		Button:     noticeLink{p.message("notice.confirmation.button"), n.ConfirmURL},
		Besides:    []string{p.message("notice.confirmation.ignore")},
	}
	if len(n.Lists) == 1 {
		view.Subject = p.message("notice.confirmation.subject", "List", n.Lists[0].Name)
		view.Lead = p.message("notice.confirmation.asked", "List", n.Lists[0].Name)
		view.About = []string{p.rhythm(n.Lists[0].Rhythm)}
		return view
	}
	view.Subject = p.message("notice.confirmation.subject_several")
	view.Lead = p.message("notice.confirmation.asked_several")
	for _, list := range n.Lists {
		view.About = append(view.About, p.listWith(list))
	}
	return view
}

func (n KnownNotice) notice(p *phrases) noticeView {
	view := noticeView{
		Letterhead: n.Letterhead,
		Subject:    p.message("notice.known.subject", "List", n.ListName),
		Title:      p.message("notice.known.title"),
		Lead:       p.message("notice.known.asked", "List", n.ListName),
		Address:    n.Address,
		About:      []string{p.rhythm(n.Rhythm)},
		Button:     noticeLink{p.message("notice.preferences"), n.PreferencesURL},
		Besides:    []string{p.message("notice.known.nothing")},
		Foot:       p.unsubscribe(n.ListName, n.UnsubscribeURL),
	}
	switch {
	case n.Paused && n.PausedUntil.IsZero():
		view.About = append(view.About, p.message("notice.known.paused"))
	case n.Paused:
		view.About = append(view.About, p.message("notice.known.paused_until", "Day", p.words.date(n.PausedUntil)))
	}
	return view
}

func (n WelcomeNotice) notice(p *phrases) noticeView {
	view := noticeView{
		Letterhead: n.Letterhead,
		Subject:    p.message("notice.welcome.subject", "List", n.ListName),
		Title:      p.message("notice.welcome.title"),
		Lead:       p.message("notice.welcome.goes", "List", n.ListName),
		Address:    n.Address,
		About:      []string{p.rhythm(n.Rhythm)},
		Button:     noticeLink{p.message("notice.preferences"), n.PreferencesURL},
		Foot:       p.unsubscribe(n.ListName, n.UnsubscribeURL),
	}
	if !n.CutOff.IsZero() {
		cutOff, day, hour := p.words.weekday(n.CutOff), p.words.weekday(n.Comes), p.words.hour(n.Comes)
		view.About = append(view.About,
			p.message("notice.welcome.next", "CutOff", cutOff, "Day", day, "Time", hour, "Zone", n.Zone))
	}
	if n.LastEdition {
		view.About = append(view.About, p.message("notice.welcome.last"))
	}
	return view
}

func (n NewAddressNotice) notice(p *phrases) noticeView {
	return noticeView{
		Letterhead: n.Letterhead,
		Subject:    p.message("notice.new_address.subject"),
		Title:      p.message("notice.new_address.title"),
		Lead:       p.message("notice.new_address.asked", "Old", n.OldAddress),
		Address:    n.Address,
		Button:     noticeLink{p.message("notice.new_address.button"), n.ConfirmURL},
		Besides:    []string{p.message("notice.new_address.ignore")},
	}
}

func (n OldAddressNotice) notice(p *phrases) noticeView {
	return noticeView{
		Letterhead: n.Letterhead,
		Subject:    p.message("notice.old_address.subject"),
		Title:      p.message("notice.old_address.title"),
		Lead:       p.message("notice.old_address.asked"),
		Address:    n.NewAddress,
		About:      []string{p.message("notice.old_address.effect")},
		Button:     noticeLink{p.message("notice.old_address.button"), n.ReleaseURL},
		Besides:    []string{p.message("notice.old_address.ignore")},
	}
}

// phrases gives out messages of one language and keeps the first error.
type phrases struct {
	words *words
	err   error
}

func (p *phrases) message(key string, arguments ...string) string {
	said, err := p.words.message(key, arguments...)
	if p.err == nil {
		p.err = err
	}
	return said
}

// rhythm says how often mail comes.
func (p *phrases) rhythm(rhythm string) string {
	switch rhythm {
	case "immediate":
		return p.message("notice.immediate")
	case "daily":
		return p.message("notice.daily")
	case "monthly":
		return p.message("notice.monthly")
	}
	return p.message("notice.weekly")
}

// listWith names a list and says in a word how often it comes.
func (p *phrases) listWith(l NoticeList) string {
	switch l.Rhythm {
	case "immediate":
		return p.message("notice.list.immediate", "List", l.Name)
	case "daily":
		return p.message("notice.list.daily", "List", l.Name)
	case "monthly":
		return p.message("notice.list.monthly", "List", l.Name)
	}
	return p.message("notice.list.weekly", "List", l.Name)
}

// unsubscribe is the foot of a notice to somebody who is subscribed.
func (p *phrases) unsubscribe(listName, url string) []noticeLink {
	return []noticeLink{{p.message("digest.unsubscribe_from", "List", listName), url}}
}
