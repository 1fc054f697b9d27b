package templates

import (
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// mail renders a full digest.
func fullMail(t *testing.T, tag string, theme Theme) Mail {
	t.Helper()
	d := fullSample(tag, theme)
	d.Articles[2].Brief = true
	mail, err := mustSet(t, files).Digest(d)
	if err != nil {
		t.Fatal(err)
	}
	return mail
}

// onlyMSO is what Outlook on Windows alone reads.
var onlyMSO = regexp.MustCompile(`(?s)<!--\[if mso\]>(.*?)<!\[endif\]-->`)

// settings are XML.
var settings = regexp.MustCompile(`(?s)<xml>.*?</xml>`)

// Outlook on Windows lays mail out with Word: what it reads is whole tables of a fixed width, and nothing's place hangs on CSS that it does not know.
func TestDigestForWord(t *testing.T) {
	t.Parallel()
	for _, tag := range []string{"en", "ar"} {
		for name, d := range map[string]Digest{"full": fullSample(tag, Theme{}), "single": {Language: tag, Articles: fullSample(tag, Theme{}).Articles[:1]}} {
			mail, err := mustSet(t, files).Digest(d)
			if err != nil {
				t.Fatal(err)
			}
			seenByWord := settings.ReplaceAllString(onlyMSO.ReplaceAllString(mail.HTML, "$1"), "")
			if _, err := inspect(seenByWord, nil); err != nil {
				t.Errorf("%s %s: %v", tag, name, err)
			}
			if strings.Count(seenByWord, `width="600"`) != 1 {
				t.Errorf("%s %s: the column has no width", tag, name)
			}
			z := html.NewTokenizer(strings.NewReader(seenByWord))
			for z.Next() != html.ErrorToken {
				checkForWord(t, z.Token())
			}
		}
	}
}

var (
	unknownToWord = regexp.MustCompile(`(?:^|;)(?:position|float|display:(?:flex|grid|inline-flex)|background-image|transform|gap)`)
	padding       = regexp.MustCompile(`(?:^|;)padding:([^;]*)`)
)

func checkForWord(t *testing.T, token html.Token) {
	t.Helper()
	style, class := attributeIn(token, "style"), attributeIn(token, "class")
	if unknownToWord.MatchString(style) {
		t.Errorf("<%s style=%q>", token.Data, style)
	}
	if p := padding.FindStringSubmatch(style); p != nil && strings.Trim(p[1], "0 px") != "" && token.Data != "td" && class != "buttonlink" && class != "quote" {
		t.Errorf("<%s> has padding, which Word leaves out: %s", token.Data, style)
	}
	if class == "button" && (!strings.Contains(style, "mso-padding-alt:") || attributeIn(token, "bgcolor") == "") {
		t.Errorf("a button that Word shows as words alone: %s", style)
	}
	if token.Data == "img" && attributeIn(token, "width") == "" {
		t.Error("a picture without width: Word shows it as large as it is")
	}
	if token.Data == "table" && (attributeIn(token, "cellpadding") != "0" || attributeIn(token, "role") != "presentation") && token.Type == html.StartTagToken {
		t.Errorf("a table with %v", token.Attr)
	}
}

// Gmail drops a whole style element for one rule that it does not like, and what goes beyond some kB; whatever it drops, what stands in the tags remains.
func TestDigestForGmail(t *testing.T) {
	t.Parallel()
	mail := fullMail(t, "en", Theme{})
	styles := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindAllStringSubmatch(mail.HTML, -1)
	all := 0
	for _, style := range styles {
		all += len(style[1])
		if strings.Contains(style[1], "[data-") && strings.Contains(style[1], "@media") {
			t.Error("selectors of Outlook stand among rules that Gmail is to keep")
		}
	}
	if len(styles) != 3 || all > 8192 {
		t.Errorf("%d style elements of %d bytes", len(styles), all)
	}
	z := html.NewTokenizer(strings.NewReader(mail.HTML))
	for z.Next() != html.ErrorToken {
		token := z.Token()
		if token.Type == html.StartTagToken && (token.Data == "p" || token.Data == "h1" || token.Data == "h2" || token.Data == "td") &&
			attributeIn(token, "style") == "" {
			t.Errorf("<%s %v> has its looks from the head alone", token.Data, token.Attr)
		}
	}
}

// The colours of a theme are all there are, in light and in dark.
func TestDigestWearsItsTheme(t *testing.T) {
	t.Parallel()
	theme := Theme{
		Slug:    "all",
		Colours: Colours{Paper: "#fffff0", Sheet: "#fffff1", Ink: "#000001", Soft: "#000002", Accent: "#000003", Mark: "#000004", Line: "#cccccc"},
		Dark:    Colours{Paper: "#000005", Sheet: "#000006", Ink: "#fffff2", Soft: "#fffff3", Accent: "#fffff4", Mark: "#fffff5", Line: "#444444"},
		Logo:    Logo{URL: "https://www.example.org/logo.png", Width: 100, Alt: "Logo", Background: "#eeeeee"},
	}
	canonical, err := theme.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	mail := fullMail(t, "en", canonical)
	for _, usual := range []Colours{usualLight, usualDark} {
		for _, field := range usual.fields() {
			if strings.Contains(mail.HTML, *field.value) && *field.value != lightest && *field.value != darkest {
				t.Errorf("the usual %s, %s, is still there", field.name, *field.value)
			}
		}
	}
	for _, set := range []Colours{theme.Colours, theme.Dark} {
		for _, field := range set.fields() {
			if !strings.Contains(mail.HTML, *field.value) {
				t.Errorf("%s %s is not there", field.name, *field.value)
			}
		}
	}
	if !strings.Contains(mail.HTML, `bgcolor="#eeeeee" style="padding:8px`) {
		t.Error("the logo has no plate")
	}
}

// Colours that a theme leaves out fit those that it has: an accent for light is made light enough for dark.
func TestAccentsInDark(t *testing.T) {
	t.Parallel()
	for _, accent := range []string{"#000000", "#9c1c3f", "#14606b", "#0000ff", "#767676"} {
		theme := Theme{Slug: "a", Colours: Colours{Accent: accent}}
		dark := theme.dark()
		if _, err := theme.Canonical(); err != nil {
			t.Errorf("%s: %v", accent, err)
		}
		if contrast(dark.Accent, dark.Sheet) < readable || contrast(dark.OnAccent, dark.Accent) < readable || dark.Accent == usualDark.Accent {
			t.Errorf("%s becomes %s with %s on it", accent, dark.Accent, dark.OnAccent)
		}
	}
}

func TestContrast(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want float64
	}{{"#000000", "#ffffff", 21}, {"#777777", "#ffffff", 4.48}, {"#767676", "#ffffff", 4.54}, {"#ff0000", "#ffffff", 4.00}, {"#123456", "#123456", 1}} {
		if got := contrast(c.a, c.b); got < c.want-0.005 || got > c.want+0.005 || got != contrast(c.b, c.a) {
			t.Errorf("%s on %s: %.3f, want %.2f", c.a, c.b, got, c.want)
		}
	}
}

// The line between what can be read and what cannot is 4.5.
func TestThemesAreReadable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		colours Colours
		want    string
	}{
		{Colours{Accent: "#767676"}, ""},
		{Colours{Accent: "#777777"}, "colours.accent: #777777 on #ffffff (sheet) has a contrast of 4.47, and text needs 4.5"},
		{Colours{Ink: "#777"}, "colours.ink"},
		{Colours{Mark: "#777"}, "colours.mark"},
		{Colours{Soft: "#757575"}, "colours.soft: #757575 on #f6f4ef (paper)"},
		{Colours{Line: "#ffffff"}, ""}, // no text
		{Colours{Sheet: "#000000"}, "choose a lighter ink, or another sheet"},
	} {
		_, err := Theme{Slug: "a", Colours: c.colours}.Canonical()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.colours, err, c.want)
		}
	}
}

// A theme's order holds in both parts, and where the introduction comes later it is set off like an article.
func TestDigestKeepsTheOrderOfItsTheme(t *testing.T) {
	t.Parallel()
	for _, order := range [][]string{nil, {"articles", "more", "introduction"}, {"more", "introduction", "articles"}} {
		mail := fullMail(t, "en", Theme{Slug: "a", Order: order})
		theme := Theme{Order: order}
		for part, shown := range map[string]string{"HTML": mail.HTML, "text": mail.Text} {
			_, shown, _ = strings.Cut(shown, "3 articles") // behind the title and the preheader
			last := 0
			for _, block := range theme.blocks() {
				at := strings.Index(shown, map[string]string{"introduction": "Introduction with", "articles": "Section", "more": "Fourth"}[block])
				if at < last {
					t.Errorf("%v, %s: %s stands too early", order, part, block)
				}
				last = at
			}
		}
		before, _, _ := strings.Cut(mail.HTML, "Introduction with")
		cell := before[strings.LastIndex(before, "<td"):]
		if strings.Contains(cell, "border-top") == (order == nil) {
			t.Errorf("%v: the introduction stands in %s", order, cell)
		}
		before, _, _ = strings.Cut(mail.Text, "Introduction with")
		if strings.HasSuffix(before, strings.Repeat("-", columns)+"\n\n") == (order == nil) {
			t.Errorf("%v: the introduction stands behind %q", order, before[len(before)-100:])
		}
	}
}
