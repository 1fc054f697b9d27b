package articles

import (
	"hash/maphash"
	"net/url"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// likeness is what tells whether two articles are the same although their source calls them differently.
type likeness struct {
	title string // see titleKey
	url   string // see urlKey
	at    time.Time
	dated bool // the source gave the date
	text  shingles
}

// Where texts count as the same. The text that remains when a page says the same about two events is well below them.
const (
	nearlySame = 0.8 // of the pieces of two texts that either has
	partlySame = 0.5
	exactly    = 0.98
)

// sameDay is up to what two dates of one article differ: one with the hour, the other without, or in another zone. A programme that comes
// daily comes further apart.
const sameDay = 14 * time.Hour

// Same articles have one address and nearly one text or title; or one title and day, and nearly one text. An address alone says
// little, for there are pages whose content is another each week; so does a title, for there are series. Where no date was given,
// only a text of some length that did not change counts as the day.
func (a *likeness) same(b *likeness) bool {
	sameURL := a.url != "" && a.url == b.url
	sameTitle := a.title != "" && a.title == b.title
	if !sameURL && !sameTitle {
		return false
	}
	dated := a.dated && b.dated
	near := a.at.Sub(b.at).Abs() <= sameDay
	alike := a.text.like(b.text)
	switch {
	case sameURL && sameTitle:
		return alike >= partlySame || dated && near
	case sameURL:
		return alike >= nearlySame
	case dated:
		return near && alike >= nearlySame
	}
	const long = 150 // pieces of a text that nobody writes twice
	return alike >= exactly && len(a.text) >= long
}

// titleKey returns a title as it is compared: letters and digits alone, without accents' forms, width and case.
func titleKey(title string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKC.String(title))
}

// urlKey returns an address as it is compared: without scheme, www, the name of a first page, what follows where a reader came from, and
// the place within a page. Those of applications that have their pages there keep it.
func urlKey(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	host := strings.TrimPrefix(strings.ToLower(u.Host), "www.")
	host = strings.TrimSuffix(strings.TrimSuffix(host, ":80"), ":443")
	path := u.EscapedPath()
	for _, first := range []string{"index.html", "index.htm", "index.php", "index.jsp", "index.shtml", "default.aspx"} {
		path = strings.TrimSuffix(path, "/"+first)
	}
	path = strings.TrimRight(path, "/")
	query := u.Query()
	for name := range query {
		if strings.HasPrefix(name, "utm_") || trackers[name] {
			query.Del(name)
		}
	}
	key := host + path
	if encoded := query.Encode(); encoded != "" {
		key += "?" + encoded
	}
	if strings.HasPrefix(u.Fragment, "!") || strings.HasPrefix(u.Fragment, "/") {
		key += "#" + u.Fragment
	}
	return key
}

var trackers = map[string]bool{"fbclid": true, "gclid": true, "mc_cid": true, "mc_eid": true, "spm": true, "from": true, "ref": true}

// shingles are the overlapping pieces of a text, hashed.
type shingles map[uint64]struct{}

var shingleSeed = maphash.MakeSeed()

// shinglesOf returns the pieces of a text: five letters or digits each. Blanks, case and marks do not count, so that it is the same in scripts
// with and without blanks, and whatever the markup around it.
func shinglesOf(text string) shingles {
	const length, most = 5, 20_000
	runes := []rune(titleKey(firstRunes(text, most)))
	found := make(shingles, len(runes))
	if len(runes) > 0 && len(runes) < length {
		found[maphash.String(shingleSeed, string(runes))] = struct{}{}
	}
	for i := 0; i+length <= len(runes); i++ {
		found[maphash.String(shingleSeed, string(runes[i:i+length]))] = struct{}{}
	}
	return found
}

// like returns how much of two texts is the same, from 0 to 1: what both have of what either has. Two empty texts are the same.
func (s shingles) like(o shingles) float64 {
	if len(s) > len(o) {
		s, o = o, s
	}
	if len(o) == 0 {
		return 1
	}
	both := 0
	for piece := range s {
		if _, there := o[piece]; there {
			both++
		}
	}
	return float64(both) / float64(len(s)+len(o)-both)
}
