package templates_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clipperhouse/displaywidth"

	"silkpost/internal/testkit"
	"silkpost/templates"
)

// The links of the gallery's notices.
const (
	confirmLink     = "https://post.example.org/confirm/AbCdEfGhIjKlMnOpQrStUvWxYz"
	preferencesLink = "https://post.example.org/preferences/AbCdEfGhIjKlMnOpQrStUvWxYz"
	unsubscribeLink = "https://post.example.org/unsubscribe/AbCdEfGhIjKlMnOpQrStUvWxYz"
)

// notices are the shapes that notices are shown in.
func notices(lang string) map[string]templates.Notice {
	d := digest(lang)
	head := templates.Letterhead{ListName: d.ListName, SenderName: d.SenderName, PostalAddress: d.PostalAddress}
	const office, masked = "office@partner.example", "o••••@partner.example"
	confirmation := templates.ConfirmationNotice{Letterhead: head, Address: office, ConfirmURL: confirmLink, Lists: []templates.NoticeList{{Name: d.ListName, Rhythm: "weekly"}}}
	several := confirmation
	for _, rhythm := range []string{"immediate", "daily", "weekly", "monthly"} {
		several.Lists = append(several.Lists, templates.NoticeList{Name: d.ListName, Rhythm: rhythm})
	}
	several.Lists = append(several.Lists, templates.NoticeList{Name: hostile, Rhythm: hostile}, templates.NoticeList{Name: long})
	known := templates.KnownNotice{
		Letterhead: head, Address: office, Rhythm: "daily", PreferencesURL: preferencesLink, UnsubscribeURL: unsubscribeLink,
	}
	welcome := templates.WelcomeNotice{
		Letterhead: head, Address: office, Rhythm: "monthly", CutOff: day, Comes: day.Add(15 * time.Hour), Zone: "Europe/Rome",
		LastEdition: true, PreferencesURL: preferencesLink, UnsubscribeURL: unsubscribeLink,
	}
	newAddress := templates.NewAddressNotice{Letterhead: head, Address: "desk@partner.example", OldAddress: masked, ConfirmURL: confirmLink}
	oldAddress := templates.OldAddressNotice{Letterhead: head, NewAddress: "d••••@partner.example", ReleaseURL: confirmLink}

	paused, away, atOnce, lengthy, evil := known, known, welcome, welcome, welcome
	paused.Paused, away.Paused, away.PausedUntil = true, true, day
	atOnce.Rhythm, atOnce.CutOff, atOnce.LastEdition = "immediate", time.Time{}, false
	lengthy.ListName, lengthy.SenderName, lengthy.Address = long, long, strings.Repeat("office", 30)+"@partner.example"
	evil.Letterhead = templates.Letterhead{ListName: hostile, SenderName: hostile, PostalAddress: hostile}
	evil.Address, evil.Rhythm, evil.Zone = hostile+"@partner.example", hostile, hostile
	evil.PreferencesURL, evil.UnsubscribeURL = "javascript:alert(1)", `https://post.example.org/"><script>alert(1)</script>`
	evilOld := newAddress
	evilOld.OldAddress = hostile
	return map[string]templates.Notice{
		"confirmation": confirmation, "known": known, "welcome": welcome, "new-address": newAddress, "old-address": oldAddress,
		"known-paused": paused, "known-paused-until": away, "welcome-immediate": atOnce, "welcome-long": lengthy,
		"confirmation-several": several, "welcome-hostile": evil, "new-address-hostile": evilOld, "bare": templates.ConfirmationNotice{Address: office},
	}
}

// Of every language the welcome, which has dates, and how a pause ends; of four languages in four scripts and directions all notices.
func TestNoticeGoldens(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for lang := range templates.Examples {
		names := []string{"known-paused-until", "welcome"}
		if slices.Contains([]string{"ar", "en", "it", "zh-Hans"}, lang) {
			names = append(names, "confirmation", "confirmation-several", "new-address", "old-address")
		}
		for _, name := range names {
			mail, err := set.Notice(lang, notices(lang)[name])
			if err != nil {
				t.Fatal(err)
			}
			testkit.Golden(t, "testdata/notice."+name+"."+lang+".txt", []byte("Subject: "+mail.Subject+"\n\n"+mail.Text))
			if name == "welcome" && len(names) > 2 {
				testkit.Golden(t, "testdata/notice."+name+"."+lang+".html", []byte(mail.HTML))
			}
		}
	}
}

func TestNoticesOfEveryShape(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for _, lang := range set.Catalogues() {
		for name, n := range notices(lang) {
			t.Run(lang+"/"+name, func(t *testing.T) {
				t.Parallel()
				mail, err := set.Notice(lang, n)
				if err != nil {
					t.Fatal(err)
				}
				checkNotice(t, lang, mail)
			})
		}
	}
}

// checkNotice holds for every notice, whatever its data.
func checkNotice(t *testing.T, lang string, mail templates.Mail) {
	t.Helper()
	root := parse(t, mail.HTML)
	checkHarmless(t, root)
	checkOverrides(t, mail.Subject+mail.HTML+mail.Text)
	if got := attribute(find(root, "html")[0], "lang"); got != lang {
		t.Errorf("lang is %q", got)
	}
	if strings.ContainsFunc(mail.Subject, func(r rune) bool { return r < ' ' }) {
		t.Errorf("the subject %q is more than one line", mail.Subject)
	}
	if len(find(root, "img")) > 0 || len(find(root, "h1")) != 1 {
		t.Error("a picture, or not one heading")
	}
	for l := range strings.Lines(mail.Text) {
		if l = strings.TrimRight(l, "\n"); displaywidth.String(l) > 72 && !strings.Contains(l, "://") && !strings.Contains(l, "@") {
			t.Errorf("%d columns: %s", displaywidth.String(l), l)
		}
	}
	if strings.Contains(mail.Text, "..") {
		t.Errorf("two full stops in a row in\n%s", mail.Text)
	}
	if strings.Contains(mail.Text, "\n\n\n") || strings.HasSuffix(mail.Text, "\n\n") {
		t.Errorf("two empty lines in a row, or one at the end, in\n%q", mail.Text)
	}
}

// Each notice leads where it must, in both of its parts, and nowhere else: who is not subscribed has nothing to unsubscribe from.
func TestNoticesLead(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for name, want := range map[string][]string{
		"confirmation": {confirmLink}, "known": {preferencesLink, unsubscribeLink}, "welcome": {preferencesLink, unsubscribeLink},
		"new-address": {confirmLink}, "old-address": {confirmLink},
	} {
		mail, err := set.Notice("en", notices("en")[name])
		if err != nil {
			t.Fatal(err)
		}
		var links []string
		for _, n := range find(parse(t, mail.HTML), "a") {
			links = append(links, attribute(n, "href"))
		}
		if strings.Join(links, " ") != strings.Join(want, " ") {
			t.Errorf("%s leads to %v, want %v", name, links, want)
		}
		for _, link := range want {
			if strings.Count(mail.Text, "] "+link+"\n") != 1 {
				t.Errorf("%s does not lead to %s in\n%s", name, link, mail.Text)
			}
		}
		if got := strings.Count(mail.Text, "://"); got != len(want) {
			t.Errorf("%s has %d links in\n%s", name, got, mail.Text)
		}
		for _, line := range []string{"Example Association", "1 Example Street", "00000 Exampletown"} {
			if !strings.Contains(mail.HTML, line) || !strings.Contains(mail.Text, line) {
				t.Errorf("%s does not say %q", name, line)
			}
		}
	}
}

func TestNoticesSayHowOften(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for rhythm, want := range map[string]string{
		"immediate": "as soon as", "daily": "once a day", "weekly": "once a week", "monthly": "once a month",
	} {
		mail, err := set.Notice("en", templates.ConfirmationNotice{Lists: []templates.NoticeList{{Rhythm: rhythm}}})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(mail.Text, want) || !strings.Contains(mail.HTML, want) {
			t.Errorf("%s: %q is missing in\n%s", rhythm, want, mail.Text)
		}
	}
}

func FuzzNotice(f *testing.F) {
	set := newSet(f)
	f.Add(hostile, "https://www.example.org/", "en", "1 Street\nTown")
	f.Add("\u202eعنوان", "javascript:alert(1)", "ar", "\x00\xff")
	f.Fuzz(func(t *testing.T, name, url, lang, postal string) {
		head := templates.Letterhead{ListName: name, SenderName: name, PostalAddress: postal}
		mail, err := set.Notice(lang, templates.WelcomeNotice{
			Letterhead: head, Address: name, Rhythm: name, CutOff: day, Comes: day, Zone: name, PreferencesURL: url, UnsubscribeURL: url,
		})
		if err != nil {
			t.Fatal(err)
		}
		checkHarmless(t, parse(t, mail.HTML))
		checkOverrides(t, mail.Subject+mail.HTML)
	})
}
