package compose

import (
	"bytes"
	"fmt"
	"mime"
	"net/mail"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/language"
	"silkpost/internal/testkit"
	"silkpost/templates"
)

// listNames and titles are in the scripts of everyday.
var (
	listNames = map[string]string{
		"en": "News for our partners", "it": "Notizie per i partner", "zh-Hans": "合作伙伴通讯", "zh-Hant": "合作夥伴通訊", "ar": "أخبار لشركائنا",
		"de": "Nachrichten für unsere Partner", "fr": "Nouvelles de l’académie", "ru": "Новости для партнёров", "uk": "Новини для партнерів",
		"th": "ข่าวสารสำหรับพันธมิตร", "ja": "パートナーへのお知らせ", "ur": "ہمارے شراکت داروں کے لیے خبریں",
	}
	titles = map[string]string{
		"en": "A hundred schools measure the water of their river, and the results are open to everyone who asks for them", "it": "Cento scuole misurano la qualità dell’acqua",
		"zh-Hans": "一百所学校共同测量身边河流的水质，结果向所有人公开", "ar": "مئة مدرسة تقيس جودة المياه في نهرها (Robotics 2026)", "ru": "Сто школ измеряют воду своей реки",
		"th": "โรงเรียนหนึ่งร้อยแห่งวัดคุณภาพน้ำ", "ja": "百の学校が川の水質を測定",
	}
)

// digestLetter is a letter with everything in a language.
func digestLetter(tag string) Letter {
	day := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	name, _ := language.In(listNames, tag)
	title, titleTag := language.In(titles, tag)
	return Letter{
		EditionID: uuid.MustParse("0190a000-0000-7000-8000-000000000001"),
		Masthead: Masthead{
			ListSlug: "partners", ListName: name, SenderName: "Académie \"des\" sciences, 科学院", SenderAddress: "news@example.org", ReplyTo: "office@example.org",
		},
		Digest: templates.Digest{
			Language: tag, ListName: name, Date: day, SenderName: "Académie des sciences", PostalAddress: "1 Example Street\n00000 Exampletown",
			ReplyAddress: "office@example.org",
			Articles: []templates.DigestArticle{
				{Title: title, URL: "https://www.example.org/river", Section: "News", Summary: title + ".", Language: titleTag, Published: day},
				{Title: "Ночь звёзд", URL: "https://www.example.org/night", Summary: "Телескопы открыты до полуночи.", Language: "ru", Fallback: tag != "ru"},
			},
		},
	}
}

// boundary follows from the letter, and changes with its struct.
var boundary = regexp.MustCompile(`silkpost-[0-9A-F]{32}`)

// The head of a digest in each language that there is a catalogue of, byte for byte.
func TestHeadersGoldens(t *testing.T) {
	t.Parallel()
	set := newTemplates(t)
	for _, tag := range catalogues(t) {
		raw := sent(t, set, digestLetter(tag))
		head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		head = boundary.ReplaceAll(bytes.ReplaceAll(head, []byte("\r\n"), []byte("\n")), []byte("silkpost-…"))
		testkit.Golden(t, "testdata/headers."+tag+".txt", append(head, '\n'))

		header, _, _ := parts(t, raw)
		l := digestLetter(tag)
		for name, want := range map[string]string{
			"Subject": "", "From": l.SenderName, "To": recipient().Name, "List-Id": l.ListName,
		} {
			got, err := new(mime.WordDecoder).DecodeHeader(header.Get(name))
			if name == "From" || name == "To" {
				address, failed := mail.ParseAddress(header.Get(name))
				if err = failed; err == nil {
					got = address.Name
				}
			}
			if err != nil || !strings.Contains(got, want) || got == "" {
				t.Errorf("%s: %s is %q, want %q, %v", tag, name, got, want, err)
			}
		}
		if got := header.Get("Content-Language"); !strings.HasPrefix(got, tag) || !strings.Contains(got, "ru") {
			t.Errorf("%s: Content-Language %q", tag, got)
		}
	}
}

// What would turn round the text behind it is dropped from names, wherever it came from.
func TestNamesKeepTheirDirection(t *testing.T) {
	t.Parallel()
	l := digestLetter("en")
	l.SenderName, l.ListName = "\u202eAcademy", "News\u2066"
	stored, err := Render(newTemplates(t), l)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(stored)
	if err != nil {
		t.Fatal(err)
	}
	r := recipient()
	r.Name = "\u202bBüro"
	header, _, _ := parts(t, m.For(r))
	for name, want := range map[string]string{"From": `"Academy" <news@example.org>`, "To": "Büro <o'brien+x@example.net>", "List-Id": `"News" <partners.example.org>`} {
		got, err := new(mime.WordDecoder).DecodeHeader(header.Get(name))
		if err != nil || got != want {
			t.Errorf("%s: %q, want %q, %v", name, got, want, err)
		}
	}
}

// A digest of many articles stays within what Gmail shows whole: those at the end become title and link. The next article more, or a longer
// link, changes nothing in that.
func TestBudget(t *testing.T) {
	t.Parallel()
	set := newTemplates(t)
	for _, tag := range []string{"en", "zh-Hans", "ar"} {
		for _, n := range []int{1, 10, 40, 100} {
			l := digestLetter(tag)
			summary := strings.Repeat(l.Digest.Articles[0].Title+". ", 3)
			l.Digest.Articles = nil
			for i := range n {
				l.Digest.Articles = append(l.Digest.Articles, templates.DigestArticle{
					Title: fmt.Sprintf("%s %d", titles[tag], i), URL: fmt.Sprintf("https://www.example.org/%d", i), Language: tag, Summary: summary, Section: "News",
				})
			}
			raw := sent(t, set, l)
			_, text, html := parts(t, raw)
			size := htmlSize(t, raw)
			whole := strings.Count(html, "href=\"https://www.example.org/") // two links for an article, one for a brief one
			told := whole - n
			t.Logf("%s: %d articles, %d with their summary, %d bytes as sent, %d decoded", tag, n, told, size, len(html))
			if size > Budget || whole < n {
				t.Errorf("%s: %d articles are %d bytes, and have %d links", tag, n, size, whole)
			}
			if n <= 10 && told != n || n == 100 && (told == 0 || told >= n || size < Budget-6000) {
				t.Errorf("%s: %d of %d articles have their summary, in %d bytes", tag, told, n, size)
			}
			for i := range n {
				if !strings.Contains(text, fmt.Sprintf("https://www.example.org/%d\r\n", i)) {
					t.Errorf("%s: article %d is not in the text", tag, i)
				}
			}
			unspaced := func(s string) string { return strings.Join(strings.Fields(s), "") }
			if got := strings.Count(unspaced(text), unspaced(titles[tag])); got < 4*n { // the title, and thrice in the summary
				t.Errorf("%s: the text of %d articles has the words of %d", tag, n, got/4)
			}
		}
	}
}

// htmlSize is how long the HTML part is on its way.
func htmlSize(t *testing.T, raw []byte) int {
	t.Helper()
	_, after, found := bytes.Cut(raw, []byte("Content-Type: text/html"))
	if !found {
		t.Fatalf("no HTML in\n%s", raw)
	}
	_, body, _ := bytes.Cut(after, []byte("\r\n\r\n"))
	body, _, _ = bytes.Cut(body, []byte("\r\n--silkpost-"))
	return len(body)
}

func newTemplates(t *testing.T) renderer {
	t.Helper()
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// catalogues returns the languages that the product speaks.
func catalogues(t *testing.T) (tags []string) {
	t.Helper()
	files, err := os.ReadDir("../../templates/catalogues")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		tags = append(tags, strings.TrimSuffix(file.Name(), ".toml"))
	}
	return tags
}

func sent(t *testing.T, set renderer, l Letter) []byte {
	t.Helper()
	stored, err := Render(set, l)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Render(set, l)
	if err != nil || !bytes.Equal(stored, again) {
		t.Fatalf("the same letter gives other bytes, %v", err)
	}
	m, err := Parse(stored)
	if err != nil {
		t.Fatal(err)
	}
	return m.For(recipient())
}
