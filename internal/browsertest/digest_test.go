//go:build browser

package browsertest

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"silkpost/templates"
)

// digestViews are what a digest is read on: a desk, two phones, one of them narrow and old, each in light and in dark.
var digestViews = []view{
	{1280, 900, "light"},
	{1280, 900, "dark"},
	{390, 844, "light"},
	{390, 844, "dark"},
	{320, 640, "light"},
	{320, 640, "dark"},
}

// shownDigests are digests with everything that one may have.
func shownDigests() map[string]templates.Digest {
	day := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	english := templates.Digest{
		Language: "en", ListName: "News for our partners", Date: day,
		Introduction: "Dear partners,\n\nthe **river measurement** is over, and its [results](https://www.example.org/results) are open to everyone. What we ask of you now:\n\n" +
			"1. look at the samples of your own river,\n2. tell us at office@example.org what is missing.\n\n> We had never looked at our river so closely.\n\nUntil next week",
		Articles: []templates.DigestArticle{
			{
				Title: "A hundred schools measure the water of their river", URL: "https://www.example.org/river", Section: "News", Language: "en",
				Summary:  "In a single morning classes in four countries took more than three thousand samples. The results are open to everyone. The next measurement is planned for spring.\n\nSchools can sign up until the end of January.",
				ImageURL: "/picture.png", ImageAlt: "Pupils taking samples of river water", Published: day.AddDate(0, 0, -1),
			},
			{
				Title: "المتحف الجديد يفتح أبوابه للزوار", URL: "https://www.example.org/museum", Section: "Museums", Language: "ar", Fallback: true,
				Summary: "يضم المتحف ست قاعات ومرصدًا صغيرًا، والدخول مجاني في الشهر الأول.", Published: day.AddDate(0, 0, -3),
			},
			{Title: "Science night returns to the square", URL: "https://www.example.org/night", Language: "en", Summary: "The full programme comes out in January.", Brief: true},
		},
		More: []templates.DigestArticle{
			{Title: "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft lädt ein", URL: "https://www.example.org/de", Language: "de", Fallback: true},
			{Title: "Robot relay: the final in pictures", URL: "https://www.example.org/relay", Language: "en"},
		},
		SenderName: "Example Association for Science", PostalAddress: "1 Example Street\n00000 Exampletown", ReplyAddress: "office@example.org",
		Address: "sekretariat.international@very-long-name-of-a-partner.example", ViewURL: "https://news.example.org/view/1", PreferencesURL: "https://news.example.org/preferences/1",
		UnsubscribeURL: "https://news.example.org/unsubscribe/1",
	}
	themed := english
	themed.Theme = templates.Theme{
		Slug: "festival", Logo: templates.Logo{URL: "https://logo.example/logo.png", Width: 200, Alt: "Example Association for Science"},
		Colours: templates.Colours{Paper: "#fdf3f0", Accent: "#9c1c3f"}, Order: []string{"articles", "more", "introduction"},
		Footer: map[string]string{"en": "The festival is a project of twelve museums.\n\nIt is free for schools."},
	}
	arabic := english
	arabic.Language, arabic.ListName = "ar", "أخبار لشركائنا"
	arabic.Introduction = "شركاءنا الأعزاء،\n\nانتهى **قياس النهر**، و[النتائج](https://www.example.org/results) متاحة للجميع.\n\n1. انظروا إلى عينات نهركم\n2. اكتبوا إلينا\n\n> لم ننظر إلى نهرنا بهذا القرب من قبل."
	arabic.Articles = []templates.DigestArticle{
		{
			Title: "مئة مدرسة تقيس جودة المياه في نهرها", URL: "https://www.example.org/river", Section: "أخبار", Language: "ar",
			Summary:  "جمعت صفوف من أربعة بلدان أكثر من ثلاثة آلاف عينة في صباح واحد. النتائج متاحة للجميع. والقياس التالي في الربيع.",
			ImageURL: "/picture.png", ImageAlt: "تلاميذ يأخذون عينات من ماء النهر", Published: day.AddDate(0, 0, -1),
		},
		{
			Title: "New museum opens its doors", URL: "https://www.example.org/museum", Section: "Museums", Language: "en", Fallback: true,
			Summary: "It has six halls and a small observatory, and entry is free in the first month.", Published: day.AddDate(0, 0, -3),
		},
	}
	arabic.Theme = themed.Theme
	arabic.Theme.Order = nil
	single := english
	single.Articles, single.More, single.Introduction = english.Articles[:1], nil, ""
	return map[string]templates.Digest{"everything": english, "themed": themed, "arabic": arabic, "single": single}
}

// digestServer serves digests as pages, with their pictures.
func digestServer(t *testing.T) *httptest.Server {
	t.Helper()
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /picture.png", drawn(1072, 600, color.RGBA{0x8f, 0xb6, 0xc4, 0xff}))
	mux.HandleFunc("GET /logo.png", drawn(400, 96, color.RGBA{0x9c, 0x1c, 0x3f, 0xff}))
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for name, d := range shownDigests() {
		for i := range d.Articles {
			if d.Articles[i].ImageURL != "" {
				d.Articles[i].ImageURL = server.URL + "/picture.png"
			}
		}
		mail, err := set.Digest(d)
		if err != nil {
			t.Fatal(err)
		}
		page := strings.ReplaceAll(mail.HTML, "https://logo.example/", server.URL+"/")
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(page))
		})
		mux.HandleFunc("GET /without/"+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write(source.ReplaceAll([]byte(page), nil))
		})
	}
	return server
}

// source is where a picture comes from. Without it a browser shows what a mail program shows that leaves pictures out.
var source = regexp.MustCompile(` src="[^"]*"`)

// drawn answers with a picture of one colour and a lighter disc.
func drawn(width, height int, ground color.Color) http.HandlerFunc {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			dx, dy := x-width/2, y-height/2
			if dx*dx+dy*dy < height*height/9 {
				picture.Set(x, y, color.White)
			} else {
				picture.Set(x, y, ground)
			}
		}
	}
	var encoded bytes.Buffer
	_ = png.Encode(&encoded, picture)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(encoded.Bytes())
	}
}

// shownPictures are the pictures of docs/digest.md: a digest, the view and whether pictures are left out.
var shownPictures = map[string]struct {
	digest string
	view
}{
	"digest-desk":             {"themed", view{760, 1000, "light"}},
	"digest-dark":             {"themed", view{760, 1000, "dark"}},
	"digest-phone":            {"everything", view{390, 844, "light"}},
	"digest-narrow":           {"everything", view{320, 844, "light"}},
	"digest-right-to-left":    {"arabic", view{390, 844, "light"}},
	"digest-without-pictures": {"without/themed", view{390, 844, "light"}},
	"digest-single":           {"single", view{390, 844, "dark"}},
}

// TestDigestPictures makes them, if they are wanted.
func TestDigestPictures(t *testing.T) {
	if !*pictures {
		t.Skip("pictures are made with -pictures")
	}
	server, browser := digestServer(t), launch(t)
	for name, shown := range shownPictures {
		t.Run(name, func(t *testing.T) { document(open(t, browser, shown.view, "en"), server.URL+"/"+shown.digest, name) })
	}
}

// TestDigestLooks looks at digests in each view, with and without pictures.
func TestDigestLooks(t *testing.T) {
	server := digestServer(t)
	browser := launch(t)
	for name := range shownDigests() {
		for _, v := range digestViews {
			t.Run(name+"/"+v.String(), func(t *testing.T) {
				tb := open(t, browser, v, "en")
				tb.visit(server.URL + "/" + name)
				tb.picture("digest-" + name)
				tb.accessibleMail(name)
				tb.readable(name)
			})
		}
		for _, v := range digestViews[1:3] {
			t.Run(name+"/without pictures/"+v.String(), func(t *testing.T) {
				tb := open(t, browser, v, "en")
				tb.visit(server.URL + "/without/" + name)
				tb.picture("digest-" + name + "-without-pictures")
				tb.accessibleMail(name)
			})
		}
	}
}

// measures are the width of the column, the size of the smallest text and the width of the widest picture.
const measures = `(() => {
	const column = document.querySelector('.outer > table, .outer table').getBoundingClientRect();
	const sizes = [...document.querySelectorAll('h1, h2, p, li, a')].filter(e => e.checkVisibility()).map(e => parseFloat(getComputedStyle(e).fontSize));
	return [Math.round(column.width), Math.min(...sizes), Math.max(...[...document.images].map(i => Math.round(i.getBoundingClientRect().width)), 0)];
})()`

// readable fails when the column is wider than 600 px, a picture wider than the column, or text smaller than 13 px.
func (tb *tab) readable(what string) {
	tb.t.Helper()
	got := eval[[]float64](tb, measures)
	if got[0] > 600 || got[1] < 13 || got[2] > got[0] {
		tb.t.Errorf("%s: the column is %v px wide, the smallest text %v px, the widest picture %v px", what, got[0], got[1], got[2])
	}
}
