package sources

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"silkpost/internal/articles"
)

func TestReadSavedPage(t *testing.T) {
	t.Parallel()
	d, err := readPath(t.Context(), "testdata/saved-page.txt")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("testdata/saved-page.txt")
	if err != nil {
		t.Fatal(err)
	}
	var paragraphs []string
	for line := range strings.Lines(string(raw)) {
		if len(line) > 200 {
			paragraphs = append(paragraphs, strings.TrimSpace(line))
		}
	}
	want := []articles.Draft{{
		ExternalKey: "saved-page.txt",
		File:        "testdata/saved-page.txt",
		Title:       "City Museums Open Their Workshops to Young Inventors from Nine Neighbouring Countries of the Region",
		Section:     "News",
		Text:        strings.Join(paragraphs, "\n\n"),
	}}
	if diff := cmp.Diff(want, d, unwritten); diff != "" || len(paragraphs) != 3 {
		t.Error(diff)
	}
	if got := articles.DetectLanguage(d[0].Text); got != "en" {
		t.Errorf("language %q", got)
	}
}

// unwritten leaves out when files were written, which is another time on every machine.
var unwritten = cmpopts.IgnoreFields(articles.Draft{}, "Written")

func TestReadSavedPageInChinese(t *testing.T) {
	t.Parallel()
	d, err := readPath(t.Context(), "testdata/saved-page-zh.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := []articles.Draft{{
		ExternalKey: "saved-page-zh.txt",
		File:        "testdata/saved-page-zh.txt",
		Title:       "示例科学中心与四国伙伴共同举办青少年机器人夏令营",
		Section:     "新闻",
		Published:   time.Date(2020, 5, 11, 1, 30, 0, 0, time.UTC),
		Text: "五月十日，示例科学中心与来自四个国家的伙伴机构共同举办的青少年机器人夏令营在本市开幕。来自各国的六十名中学生和他们的老师参加了开幕式。\n\n" +
			"在为期一周的活动中，学生们将分组设计、制作和测试自己的机器人。主办方为每个小组配备了一名工程师和一名翻译，帮助他们解决遇到的问题。\n\n" +
			"夏令营结束后，所有作品将在科学中心展出一个月，免费向公众开放。\n\n" +
			"（通讯员 李明）",
	}}
	if diff := cmp.Diff(want, d, unwritten, cmpopts.EquateApproxTime(0)); diff != "" {
		t.Error(diff)
	}
}

const (
	sentenceA = "The hall of the science museum opens on the first of May, and everybody who likes machines is invited."
	sentenceB = "There will be talks in the morning, workshops in the afternoon and a concert of home-made instruments at night."
)

func TestReadPage(t *testing.T) {
	t.Parallel()
	may := time.Date(2020, 5, 11, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		in   []string
		want page
	}{
		{
			"plain file: everything below the title stays",
			[]string{"The hall opens", "", sentenceA, "", "Programme:", "- 9:00 Talks", "- 14:00 Workshops", "", "The museum's team"},
			page{title: "The hall opens", body: []string{sentenceA, "Programme:", "- 9:00 Talks", "- 14:00 Workshops", "The museum's team"}},
		},
		{
			"title and subtitle",
			[]string{"The hall opens", "What there is to see, to hear and to build in May", "", sentenceA},
			page{title: "The hall opens", body: []string{"What there is to see, to hear and to build in May", sentenceA}},
		},
		{
			"date and source below the title",
			[]string{"The hall opens", "Date: 2020-05-11 Source: Museum Weekly", sentenceA},
			page{title: "The hall opens", published: may, body: []string{sentenceA}},
		},
		{
			"date at the end",
			[]string{"The hall opens", sentenceA, "Published: 11 May 2020"},
			page{title: "The hall opens", published: may, body: []string{sentenceA}},
		},
		{
			"date above the title",
			[]string{"May 11, 2020", "The hall opens", sentenceA},
			page{title: "The hall opens", published: may, body: []string{sentenceA}},
		},
		{
			"date in another language",
			[]string{"La nuova sala", "Pubblicato l'11 maggio 2020", sentenceA},
			page{title: "La nuova sala", published: may, body: []string{sentenceA}},
		},
		{
			"a date within a sentence is no date line",
			[]string{"The hall opens", sentenceA, "It was built by hand and finished on 2020-05-10, one day before the opening of the fair."},
			page{title: "The hall opens", body: []string{sentenceA, "It was built by hand and finished on 2020-05-10, one day before the opening of the fair."}},
		},
		{
			"a headline with a date in it",
			[]string{"Report of 2020-05-11", sentenceA},
			page{title: "Report of 2020-05-11", body: []string{sentenceA}},
		},
		{
			"longer trail whose last step is the article",
			[]string{"You are here: Home > About us > Events > The hall opens in May…", "The hall opens in May and stays open", sentenceA, "Contact"},
			page{title: "The hall opens in May and stays open", section: "Events", body: []string{sentenceA}},
		},
		{
			"trail of one step",
			[]string{"Home ›", "The hall opens", sentenceA},
			page{title: "The hall opens", body: []string{sentenceA}},
		},
		{
			"languages to choose from are no trail",
			[]string{"EN / IT / DE", "Home / News", "The hall opens", sentenceA},
			page{title: "The hall opens", section: "News", body: []string{sentenceA}},
		},
		{
			"menu above, no trail",
			[]string{"Home", "About us", "News", "Contact", "The hall of the museum opens in May", "2020-05-11", sentenceA},
			page{title: "The hall of the museum opens in May", published: may, body: []string{sentenceA}},
		},
		{
			"a greeting and subheadings belong to the text, what frames it does not",
			[]string{
				"Home / News", "The hall opens", "Share", "Dear friends of the museum:", sentenceA, "Workshops", sentenceB, "1. Bring tools", "2. Bring time",
				"See you there!", "Print", "1 2 3", "About us", "Site map", "© 2020 Example Museum, all rights reserved, no part of this may be copied.",
			},
			page{title: "The hall opens", section: "News", body: []string{
				"Dear friends of the museum:", sentenceA, "Workshops", sentenceB,
				"1. Bring tools", "2. Bring time", "See you there!",
			}},
		},
		{
			"no trail, but links and numbers below",
			[]string{"The hall opens", sentenceA, "1 2 3", "Annual conference of the m...", "About us", "Made with Example CMS"},
			page{title: "The hall opens", body: []string{sentenceA}},
		},
		{
			"short notice on a page",
			[]string{"Home / Notices", "Closed on Monday", "We open again on Tuesday", "1 2 3", "About us", "Site map"},
			page{title: "Closed on Monday", section: "Notices", body: []string{"We open again on Tuesday"}},
		},
		{
			"headline as long as a paragraph, below a trail",
			[]string{"Home / News", strings.Repeat("a very long headline ", 10) + "ends", sentenceA},
			page{title: strings.Repeat("a very long headline ", 10) + "ends", section: "News", body: []string{sentenceA}},
		},
		{
			"no title: the first sentence serves, and nothing is left out",
			[]string{sentenceA + " " + sentenceB, "Yours, the team"},
			page{title: sentenceA, body: []string{sentenceA + " " + sentenceB, "Yours, the team"}},
		},
		{
			"broken into lines of one width",
			[]string{
				"The hall opens", "",
				"The hall of the science museum opens on the first of May, and everybody", "who likes machines is invited. There will be talks in the morning,",
				"workshops in the afternoon.", "", "- Bring tools", "- Bring time",
			},
			page{title: "The hall opens", body: []string{
				"The hall of the science museum opens on the first of May, and everybody who likes machines is invited. " +
					"There will be talks in the morning, workshops in the afternoon.", "- Bring tools", "- Bring time",
			}},
		},
		{
			"Thai has no marks at the end of sentences",
			[]string{"หน้าแรก / ข่าว", "พิพิธภัณฑ์เปิดห้องใหม่", strings.Repeat("พิพิธภัณฑ์วิทยาศาสตร์เปิดห้องใหม่ ", 4), "เกี่ยวกับเรา", "ติดต่อ"},
			page{title: "พิพิธภัณฑ์เปิดห้องใหม่", section: "ข่าว", body: []string{strings.TrimSpace(strings.Repeat("พิพิธภัณฑ์วิทยาศาสตร์เปิดห้องใหม่ ", 4))}},
		},
		{
			"title alone",
			[]string{"The hall opens"},
			page{title: "The hall opens", body: []string{}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := readPage(textLines(strings.Join(tt.in, "\n")))
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(page{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDateLine(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"2020-05-11":      "2020-05-11 00:00",
		"发布日期：2020-05-11": "2020-05-11 00:00",
		"发布时间：2020年5月11日 14:05  来源：科技日报 浏览：12":                        "2020-05-11 14:05",
		"Date: 2020-05-11 Source: Museum Weekly":                      "2020-05-11 00:00",
		"Datum: 11.05.2020, 14:05":                                    "2020-05-11 14:05",
		"Published on 11th May 2020":                                  "2020-05-11 00:00",
		"Published: Sept. 3, 2020 | News":                             "2020-09-03 00:00",
		"(2020/5/11)":                                                 "2020-05-11 00:00",
		"Publié le 3 mai 2026":                                        "2026-05-03 00:00",
		"Paris, 1er août 2026":                                        "2026-08-01 00:00",
		"Mis en ligne le 3 déc. 2026":                                 "2026-12-03 00:00",
		"3. Mai 2026":                                                 "2026-05-03 00:00",
		"Veröffentlicht am 3. März 2026":                              "2026-03-03 00:00",
		"3 мая 2026":                                                  "2026-05-03 00:00",
		"Опубликовано 3 ЯНВАРЯ 2026 года":                             "2026-01-03 00:00",
		"Domenica 3 maggio 2026":                                      "2026-05-03 00:00",
		"Publicado el 3 de mayo de 2026":                              "2026-05-03 00:00",
		"Opublikowano: 3 września 2026":                               "2026-09-03 00:00",
		"3 Μαΐου 2026":                                                "2026-05-03 00:00",
		"Il 3 maggio 2026 apre la nuova sala del museo della scienza": "",
		"Am 3. Mai 2026 eröffnet das Museum seine neue große Halle":   "",
		"Saal 3 Halle 2026":                                           "",
		"3 maj 20260":                                                 "",
		"2020-13-11":                                                  "",
		"2020-02-30":                                                  "",
		"Tel: 0039-10-20":                                             "",
		"Report on the events of 2020-05-11":                          "",
		"The fair of 11 May 2020 will be remembered for long":         "",
		"nothing": "",
	}
	for line, want := range tests {
		got := ""
		if at, ok := dateLine(line); ok {
			got = at.Format("2006-01-02 15:04")
		}
		if got != want {
			t.Errorf("dateLine(%q) = %q, want %q", line, got, want)
		}
	}
}

// Were a name to mean two months, the order of the languages would decide.
func TestMonthNames(t *testing.T) {
	t.Parallel()
	for _, l := range calendars {
		for month := time.January; month <= time.December; month++ {
			for _, name := range []string{l.MonthWide(month), l.MonthAbbreviated(month)} {
				if got := monthNames[monthName(name)]; got != month {
					t.Errorf("%s: %q is %s, want %s", l.Locale(), name, got, month)
				}
			}
		}
	}
}

// Whatever comes in, what comes out stood in it, in this order, and nothing is there twice.
func FuzzReadPage(f *testing.F) {
	for _, name := range []string{"testdata/saved-page.txt", "testdata/saved-page-zh.txt"} {
		seed, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(seed))
	}
	f.Add("Home > \n>\n2020-05-11\nA\n...")
	f.Add("> > >\n\n.\n")
	f.Fuzz(func(t *testing.T, content string) {
		lines := textLines(content)
		p := readPage(lines)
		place := 0
		for _, paragraph := range p.body {
			for place < len(lines) && lines[place] != paragraph {
				place++
			}
			if place == len(lines) {
				t.Fatalf("%q is not among the lines that follow, of %q", paragraph, lines)
			}
			place++
		}
		if strings.ContainsAny(p.title+p.section, "\n\r") {
			t.Fatalf("title %q, section %q", p.title, p.section)
		}
		if len(p.body) > 0 && p.title == "" && strings.TrimSpace(content) != "" && hasLetters(p.body[0]) {
			t.Fatalf("no title for %q", p.body)
		}
	})
}
