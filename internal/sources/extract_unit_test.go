package sources

import (
	"cmp"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

func TestFindDate(t *testing.T) {
	t.Parallel()
	china := chinaTime()
	for line, want := range map[string]string{
		"2024-05-06":   "2024-05-06T00:00:00+08:00",
		"[2024-05-06]": "2024-05-06T00:00:00+08:00",
		"发布时间：2024-05-06 09:30:15 来源：办公室":  "2024-05-06T09:30:15+08:00",
		"2024年5月6日 下午3:05":                 "2024-05-06T15:05:00+08:00",
		"2024/5/6":                         "2024-05-06T00:00:00+08:00",
		"二〇二四年十二月二十一日":                     "2024-12-21T00:00:00+08:00",
		"二○一二年六月十八日":                       "2012-06-18T00:00:00+08:00",
		"民國113年5月6日":                       "2024-05-06T00:00:00+08:00",
		"令和6年5月6日":                         "2024-05-06T00:00:00+08:00",
		"令和元年10月1日":                        "2019-10-01T00:00:00+08:00",
		"2024년 5월 6일":                      "2024-05-06T00:00:00+08:00",
		"6 พฤษภาคม 2567":                   "2024-05-06T00:00:00+08:00",
		"๖ พ.ค. ๒๕๖๗":                      "2024-05-06T00:00:00+08:00",
		"١٤ مايو ٢٠٢٤":                     "2024-05-14T00:00:00+08:00",
		"6 أيار 2024":                      "2024-05-06T00:00:00+08:00",
		"22 جنوری 2024":                    "2024-01-22T00:00:00+08:00",
		"28 फ़रवरी 2024":                   "2024-02-28T00:00:00+08:00",
		"6 мая 2024 г., 10:30":             "2024-05-06T10:30:00+08:00",
		"06.05.2024 um 9:05 Uhr":           "2024-05-06T09:05:00+08:00",
		"29/02/2024 - 15:00":               "2024-02-29T15:00:00+08:00",
		"12/31/2023":                       "2023-12-31T00:00:00+08:00",
		"05/03/2024 16h42":                 "2024-03-05T16:42:00+08:00",
		"mercredi 1er février 2023":        "2023-02-01T00:00:00+08:00",
		"21 de mayo de 2023":               "2023-05-21T00:00:00+08:00",
		"May 6th, 2024 at 5:04 pm":         "2024-05-06T17:04:00+08:00",
		"Thứ Hai, ngày 6 tháng 5 năm 2024": "2024-05-06T00:00:00+08:00",
		"2023. október 5.":                 "2023-10-05T00:00:00+08:00",
		"2024 m. gegužės 6 d.":             "2024-05-06T00:00:00+08:00",
		"2024-05-06T08:00:00Z":             "2024-05-06T08:00:00Z",
		"2024-05-06 08:00 +0300":           "2024-05-06T08:00:00+03:00",
		"2024-02-30":                       "",
		"13.13.2024":                       "",
		"Room 2024":                        "",
		"1 of 20":                          "",
		"1024-05-06":                       "",
	} {
		got, _, _, ok := findDate(line, china)
		at, _ := time.Parse(time.RFC3339, want)
		if ok != (want != "") || ok && !got.Equal(at) {
			t.Errorf("%s: %s, %t, want %s", line, got, ok, want)
		}
	}
}

// The names of months that are read mean one month each.
func TestPageMonths(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]time.Month{"may": time.May, "مايو": time.May, "พฤษภาคม": time.May, "gegužės": time.May, "mars": time.March} {
		if got := pageMonths[name]; got != want {
			t.Errorf("%s is month %d, want %d", name, got, want)
		}
	}
	for name, month := range monthNames {
		if pageMonths[name] != month {
			t.Errorf("%s is month %d, and was %d", name, pageMonths[name], month)
		}
	}
}

func TestReadStamp(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Mon May 06 10:00:00 CST 2024":    "2024-05-06T10:00:00+08:00",
		"Mon, 06 May 2024 10:00:00 +0200": "2024-05-06T10:00:00+02:00",
		"20240506":                        "2024-05-06T00:00:00+08:00",
		"20240506101112":                  "2024-05-06T10:11:12+08:00",
		"20240822T101500Z":                "2024-08-22T10:15:00Z",
		"soon":                            "",
		"0000-00-00":                      "",
	} {
		got, ok := readStamp(text, chinaTime())
		at, _ := time.Parse(time.RFC3339, want)
		if ok != (want != "") || ok && !got.Equal(at) {
			t.Errorf("%s: %s, %t, want %s", text, got, ok, want)
		}
	}
}

func TestTranslationKey(t *testing.T) {
	t.Parallel()
	const en, it, own = "https://www.example.org/en/hall", "https://www.example.org/it/sala", "https://www.example.org/en/hall/"
	for _, tt := range []struct {
		name string
		all  []alternate
		want string
	}{
		{"two languages", []alternate{{"it", it}, {"en", en}}, en},
		{"with a default", []alternate{{"x-default", en}, {"it", it}, {"en", en}}, en},
		{"the first page as default", []alternate{{"x-default", "https://www.example.org/"}, {"it", it}, {"en", en}}, en},
		{"one language", []alternate{{"en", en}}, ""},
		{"the page is not among them", []alternate{{"it", it}, {"fr", "https://www.example.org/fr/salle"}}, ""},
		{"first pages of languages", []alternate{{"en", en}, {"it", "https://www.example.org/it/"}}, ""},
		{"the first page of the site", []alternate{{"en", en}, {"it", "https://www.example.it/"}}, ""},
		{"no language", []alternate{{"en", en}, {"zxx", it}}, ""},
	} {
		if got := translationKey(tt.all, own); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestZoneOf(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://www.example.gov.cn/": "Asia/Shanghai", "https://www.example.it/": "Europe/Rome", "https://www.example.org/": "UTC",
		"https://www.example.org/jcms": "CST", "https://www.example.org/chinese": "Asia/Shanghai", "https://www.example.org/says": "Asia/Tokyo", "https://www.example.de/chinese": "Europe/Berlin",
	} {
		u, _ := url.Parse(address)
		page := cmp.Or(map[string]string{
			"/jcms":    `<body><div>Produced By 大汉网络 大汉版通发布系统</div></body>`,
			"/chinese": `<html lang="en"><body><p>科学节开幕</p><p>来自十六个国家的合作伙伴出席了开幕式。</p></body></html>`,
			"/says":    `<html lang="ja"><body>Text</body></html>`,
		}[u.Path], "<body>Text</body>")
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		if got := zoneOf(u, doc, textBlocks(doc.Find("body"))).String(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
