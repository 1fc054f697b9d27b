package templates

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/internal/slug"
)

// Theme is how a list's digests look. The zero Theme is the usual way.
type Theme struct {
	Slug    string            `toml:"slug" json:"slug"`
	Logo    Logo              `toml:"logo" json:"logo"`
	Colours Colours           `toml:"colours" json:"colours"` // in light
	Dark    Colours           `toml:"dark" json:"dark"`       // in dark
	Footer  map[string]string `toml:"footer" json:"footer"`   // language → words of the sender's own above the usual ones
	Order   []string          `toml:"order" json:"order"`     // all of Blocks in another order; none: as they stand there
	HTML    string            `toml:"html" json:"html"`       // a template of its own; "": the usual one. See Own
	Text    string            `toml:"text" json:"text"`       // likewise
}

// Logo is a picture at the top of a digest. Its address is the sender's own: we keep no pictures. It stands on a plate of one colour in
// light and in dark, so that it is seen whatever it was drawn for.
type Logo struct {
	URL        string `toml:"url" json:"url"`               // https
	Width      int    `toml:"width" json:"width"`           // in pixels, up to 536
	Alt        string `toml:"alt" json:"alt"`               // what is shown where pictures are not
	Background string `toml:"background" json:"background"` // of the plate; "": the sheet's in light
}

// Colours are written #rrggbb or #rgb. One that is left out is the usual one.
type Colours struct {
	Paper  string `toml:"paper" json:"paper"`   // around the sheet
	Sheet  string `toml:"sheet" json:"sheet"`   // below the text
	Ink    string `toml:"ink" json:"ink"`       // text
	Soft   string `toml:"soft" json:"soft"`     // what matters less
	Accent string `toml:"accent" json:"accent"` // links, buttons, the line on top; in dark, the same made light enough
	Mark   string `toml:"mark" json:"mark"`     // what is to be noticed
	Line   string `toml:"line" json:"line"`     // between articles
}

// Blocks are the parts of a digest that a theme may order.
var Blocks = []string{"introduction", "articles", "more"}

// palette is a full set of colours.
type palette struct {
	Colours
	OnAccent string // text on a button
}

var (
	usualLight = Colours{Paper: "#f6f4ef", Sheet: "#ffffff", Ink: "#1c1b19", Soft: "#5c5a55", Accent: "#14606b", Mark: "#805300", Line: "#dedad2"}
	usualDark  = Colours{Paper: "#141518", Sheet: "#1d1f23", Ink: "#eae7e0", Soft: "#b0ada6", Accent: "#7cc5cf", Mark: "#e6b85c", Line: "#3a3d44"}
)

// UsualColours returns those of a digest without a theme, in light and in dark.
func UsualColours() (light, dark Colours) { return usualLight, usualDark }

// Each returns the colours by their names in a declaration.
func (c Colours) Each() map[string]string {
	each := map[string]string{}
	for _, field := range c.fields() {
		each[field.name] = *field.value
	}
	return each
}

// lightest and darkest are what stands on buttons.
const lightest, darkest = "#ffffff", "#141518"

func (t *Theme) light() palette { return fill(t.Colours, usualLight) }

func (t *Theme) dark() palette {
	dark := t.Dark
	if dark.Accent == "" && t.Colours.Accent != "" {
		base := fill(t.Dark, usualDark)
		dark.Accent = lightened(t.Colours.Accent, base.Sheet, base.Paper)
	}
	return fill(dark, usualDark)
}

func fill(c, usual Colours) palette {
	p := palette{Colours: usual}
	given, into := c.fields(), p.fields()
	for i := range given {
		if *given[i].value != "" {
			*into[i].value = *given[i].value
		}
	}
	p.OnAccent = lightest
	if contrast(p.Accent, darkest) > contrast(p.Accent, lightest) {
		p.OnAccent = darkest
	}
	return p
}

type colourField struct {
	name  string
	value *string
}

func (c *Colours) fields() []colourField {
	return []colourField{
		{"paper", &c.Paper},
		{"sheet", &c.Sheet},
		{"ink", &c.Ink},
		{"soft", &c.Soft},
		{"accent", &c.Accent},
		{"mark", &c.Mark},
		{"line", &c.Line},
	}
}

// lightened mixes a colour with white until it can be read on each of some dark grounds.
func lightened(colour string, grounds ...string) string {
	r, g, b := channels(colour)
	for step := 0.0; step < 1; step += 0.05 {
		mixed := hexOf(r+(255-r)*step, g+(255-g)*step, b+(255-b)*step)
		if !slices.ContainsFunc(grounds, func(ground string) bool { return contrast(mixed, ground) < readable }) {
			return mixed
		}
	}
	return lightest
}

// readable is the contrast that text needs (WCAG 2.2, 1.4.3).
const readable = 4.5

// contrast returns the contrast ratio of two colours, from 1 to 21 (WCAG 2.2).
func contrast(a, b string) float64 {
	high, low := luminance(a), luminance(b)
	return (max(high, low) + 0.05) / (min(high, low) + 0.05)
}

func luminance(colour string) float64 {
	linear := func(v float64) float64 {
		if v /= 255; v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	r, g, b := channels(colour)
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

// channels reads a canonical colour.
func channels(colour string) (r, g, b float64) {
	n, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil {
		return 0, 0, 0
	}
	return float64(n >> 16), float64(n >> 8 & 255), float64(n & 255)
}

func hexOf(r, g, b float64) string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(r)), int(math.Round(g)), int(math.Round(b)))
}

// Limits of a theme's words.
const (
	maxFooter   = 4000 // characters in one language
	maxLogoAlt  = 200
	maxPicture  = 536 // pixels: the width of the column without its margins
	maxTemplate = 64 * 1024
)

// ThemeMistake is what is wrong with one key of a theme.
type ThemeMistake struct { //nolint:errname // it is read as one
	Theme string // its slug
	Key   string // as a declaration has it: colours.ink, logo.url, footer.en, html
	Says  string // what it is and what to do, with the place when it is about a template

	Line, Column int // of a template, from 1; 0: it is about no place
}

// Error says all of it in one line.
func (m *ThemeMistake) Error() string { return fmt.Sprintf("theme %q, %s: %s", m.Theme, m.Key, m.Says) }

// themeCheck collects what is wrong with a theme.
type themeCheck struct {
	slug  string
	found []error
}

func (c *themeCheck) wrong(key, format string, args ...any) {
	c.found = append(c.found, &ThemeMistake{Theme: c.slug, Key: key, Says: fmt.Sprintf(format, args...)})
}

func (c *themeCheck) err() error {
	if len(c.found) == 0 {
		return nil
	}
	return errs.New(errs.Invalid, "%w", errors.Join(c.found...))
}

// Canonical returns a theme in the form in which it is stored: colours as #rrggbb, languages as canonical tags. What is wrong with it is an error
// of kind errs.Invalid, a ThemeMistake for each, that names the key and what to do; text must have a contrast of 4.5 with what it stands on, in
// light and in dark. Templates of its own are not looked at: see Set.CheckTheme.
func (t Theme) Canonical() (Theme, error) {
	c := &themeCheck{slug: t.Slug}
	if !slug.Valid(t.Slug) || len(t.Slug) > 63 {
		c.wrong("slug", "write small letters a to z, digits and single hyphens between them, at most 63")
	}
	for _, set := range []struct {
		name string
		*Colours
	}{{"colours", &t.Colours}, {"dark", &t.Dark}} {
		for _, field := range set.fields() {
			canonical, ok := canonicalColour(*field.value)
			if !ok {
				c.wrong(set.name+"."+field.name, "%q is no colour; write it like #14606b", *field.value)
				continue
			}
			*field.value = canonical
		}
	}
	if len(c.found) == 0 {
		t.checkContrast(c)
	}
	t.checkLogo(c)
	t.Footer = t.canonicalFooter(c)
	if sorted := slices.Sorted(slices.Values(t.Order)); len(t.Order) > 0 && !slices.Equal(sorted, slices.Sorted(slices.Values(Blocks))) {
		c.wrong("order", "name each of %s once, in the order that you want", strings.Join(Blocks, ", "))
	}
	return t, c.err()
}

func (t *Theme) canonicalFooter(c *themeCheck) map[string]string {
	footer := map[string]string{}
	for _, tag := range slices.Sorted(maps.Keys(t.Footer)) {
		words := t.Footer[tag]
		canonical, err := language.Parse(tag)
		if err != nil {
			c.wrong("footer", "%v", err)
		}
		if len([]rune(words)) > maxFooter {
			c.wrong("footer."+tag, "it is longer than %d characters: shorten it", maxFooter)
		}
		footer[canonical] = strings.Join(paragraphs(words), "\n\n")
	}
	return footer
}

func (t *Theme) checkContrast(c *themeCheck) {
	for _, set := range []struct {
		name string
		palette
		advice string
	}{{"colours", t.light(), "darker"}, {"dark", t.dark(), "lighter"}} {
		for _, pair := range []struct{ text, on string }{
			{"ink", "sheet"},
			{"soft", "sheet"},
			{"accent", "sheet"},
			{"mark", "sheet"},
			{"soft", "paper"},
		} {
			text, on := set.value(pair.text), set.value(pair.on)
			ratio := contrast(text, on)
			if ratio >= readable {
				continue
			}
			advice := set.advice
			if luminance(on) < luminance(text) {
				advice = "lighter"
			} else if luminance(on) > luminance(text) {
				advice = "darker"
			}
			c.wrong(set.name+"."+pair.text, "%s on %s (%s) has a contrast of %.2f, and text needs %.1f: choose a %s %s, or another %s",
				text, on, pair.on, math.Floor(ratio*100)/100, readable, advice, pair.text, pair.on)
		}
	}
}

func (c *Colours) value(name string) string {
	for _, field := range c.fields() {
		if field.name == name {
			return *field.value
		}
	}
	return ""
}

func (t *Theme) checkLogo(c *themeCheck) {
	l := &t.Logo
	if *l == (Logo{}) {
		return
	}
	if webAddress(l.URL) == "" || !strings.HasPrefix(l.URL, "https://") {
		c.wrong("logo.url", "%q is no address that begins with https://", l.URL)
	}
	if l.Width < 1 || l.Width > maxPicture {
		c.wrong("logo.width", "%d: give the width at which it is to be shown, from 1 to %d pixels", l.Width, maxPicture)
	}
	if l.Alt = line(l.Alt); l.Alt == "" || len([]rune(l.Alt)) > maxLogoAlt {
		c.wrong("logo.alt", "write what it shows, such as the sender's name, in at most %d characters: many readers see that alone", maxLogoAlt)
	}
	background, ok := canonicalColour(l.Background)
	if !ok {
		c.wrong("logo.background", "%q is no colour; write it like #ffffff", l.Background)
		return
	}
	l.Background = background
	plate, ink := t.plate(), t.light().Ink
	if ratio := contrast(ink, plate); ratio < readable && len(c.found) == 0 {
		c.wrong("logo.background", "%s has a contrast of %.2f with the words shown instead of the logo (ink, %s), and text needs %.1f: choose another",
			plate, math.Floor(ratio*100)/100, ink, readable)
	}
}

func (t *Theme) plate() string {
	if t.Logo.Background != "" {
		return t.Logo.Background
	}
	return t.light().Sheet
}

// canonicalColour returns a colour as #rrggbb, "" for "".
func canonicalColour(given string) (string, bool) {
	digits, marked := strings.CutPrefix(strings.ToLower(given), "#")
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	if _, err := strconv.ParseUint(digits, 16, 32); given != "" && (!marked || len(digits) != 6 || err != nil) {
		return "", false
	}
	if given == "" {
		return "", true
	}
	return "#" + digits, true
}

// blocks returns the order of a theme's blocks.
func (t *Theme) blocks() []string {
	if len(t.Order) == 0 {
		return Blocks
	}
	return t.Order
}

// footer returns a theme's own words in a language, else in English, else in any, and which that is.
func (t *Theme) footer(tag string) footerWords {
	words, in := language.In(t.Footer, tag)
	return footerWords{Language: in, Paragraphs: paragraphs(words)}
}

// footerWords are a sender's own, which may be in another language than ours.
type footerWords struct {
	Language   string
	Paragraphs []string
}

// shownLogo is a logo as the digest shows it.
type shownLogo struct {
	Logo
	Background string
	Padding    int // between the logo and the edge of its plate, where that is seen
}

func (t *Theme) logo() *shownLogo {
	if t.Logo.URL == "" {
		return nil
	}
	shown := &shownLogo{Logo: t.Logo, Background: t.plate()}
	if shown.Background != t.light().Sheet {
		shown.Padding = 8
	}
	return shown
}
