package sources

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	unicodetext "golang.org/x/text/encoding/unicode"
)

const (
	chinese     = "北京市科学技术协会组织科学家走进社区，与市民一起讨论人工智能的未来，并展示最新的研究成果。欢迎各界朋友参加今年的科学嘉年华活动。"
	traditional = "國立科學博物館將於五月舉辦特別展覽，邀請民眾一同認識臺灣的自然與歷史，現場並有專家導覽與親子活動。"
	japaneseSay = "科学未来館では、五月から新しい展示が始まります。子どもから大人まで楽しめるイベントを多数ご用意しています。"
	koreanSay   = "국립과천과학관은 오월부터 새로운 전시를 시작합니다. 어린이와 어른이 함께 즐길 수 있는 행사가 마련되어 있습니다."
	thai        = "พิพิธภัณฑ์วิทยาศาสตร์แห่งชาติเปิดนิทรรศการใหม่ในเดือนพฤษภาคม ขอเชิญชวนทุกท่านเข้าร่วมกิจกรรม"
	russian     = "Политехнический музей открывает новую выставку в мае. Приглашаем всех желающих познакомиться с историей науки и техники."
	ukrainian   = "Київський музей науки відкриває нову виставку у травні. Запрошуємо всіх охочих познайомитися з історією її винаходів."
	german      = "Das Deutsche Museum eröffnet im Mai eine neue Ausstellung über künstliche Intelligenz für große und kleine Gäste."
	french      = "La Cité des sciences présente dès le mois de mai une nouvelle exposition où l’on découvre l’été, la forêt et ses mystères."
	czech       = "Národní technické muzeum otevírá v květnu novou výstavu. Zveme všechny návštěvníky, kteří chtějí poznat dějiny vědy a průmyslu."
	polish      = "Centrum Nauki zaprasza w maju na nową wystawę. Zwiedzający poznają źródła energii, dowiedzą się też, skąd się bierze światło i dźwięk."
	greek       = "Το μουσείο επιστημών ανοίγει τον Μάιο μια νέα έκθεση. Προσκαλούμε όλους τους επισκέπτες να γνωρίσουν την ιστορία της επιστήμης."
	turkish     = "Bilim Müzesi mayıs ayında yeni bir sergi açıyor. Bütün ziyaretçilerimizi ışığın ve sesin dünyasını keşfetmeye çağırıyoruz."
	hebrew      = "מוזיאון המדע פותח במאי תערוכה חדשה ומזמין את כל המבקרים להכיר את תולדות המדע והטכנולוגיה"
	arabic      = "يفتتح متحف العلوم في شهر مايو معرضا جديدا ويدعو جميع الزوار إلى التعرف على تاريخ العلوم والتكنولوجيا"
	lithuanian  = "Mokslo muziejus gegužės mėnesį atidaro naują parodą. Kviečiame visus lankytojus pažinti mokslo ir technikos istoriją."
)

// scripts are real words, the encodings that they are met in, and the names that those go by.
var scripts = []struct {
	label string
	in    encoding.Encoding
	words string
	alone bool // can be told without any claim
}{
	{"GB2312", simplifiedchinese.GBK, chinese, true},
	{"gbk", simplifiedchinese.GBK, chinese, true},
	{"GB18030", simplifiedchinese.GB18030, chinese + "㐀𠀀", true},
	{"cp936", simplifiedchinese.GBK, chinese, true},
	{"Big5", traditionalchinese.Big5, traditional, true},
	{"Shift_JIS", japanese.ShiftJIS, japaneseSay, true},
	{"x-sjis", japanese.ShiftJIS, japaneseSay, true},
	{"EUC-JP", japanese.EUCJP, japaneseSay, true},
	{"ISO-2022-JP", japanese.ISO2022JP, japaneseSay, true},
	{"EUC-KR", korean.EUCKR, koreanSay, true},
	{"ks_c_5601-1987", korean.EUCKR, koreanSay, true},
	{"TIS-620", charmap.Windows874, thai, true},
	{"windows-874", charmap.Windows874, thai, true},
	{"iso-8859-11", charmap.Windows874, thai, true},
	{"KOI8-R", charmap.KOI8R, russian, true},
	{"KOI8-U", charmap.KOI8U, ukrainian, false},
	{"windows-1251", charmap.Windows1251, russian, true},
	{"windows-1251", charmap.Windows1251, ukrainian, false},
	{"iso-8859-5", charmap.ISO8859_5, russian, true},
	{"windows-1250", charmap.Windows1250, czech, false},
	{"windows-1250", charmap.Windows1250, polish, false},
	{"iso-8859-2", charmap.ISO8859_2, czech, false},
	{"windows-1252", charmap.Windows1252, french, true},
	{"iso-8859-1", charmap.ISO8859_1, german, true},
	{"iso-8859-15", charmap.ISO8859_15, german + " 5 €", false},
	{"windows-1253", charmap.Windows1253, greek, false},
	{"iso-8859-7", charmap.ISO8859_7, greek, true},
	{"windows-1254", charmap.Windows1254, turkish, false},
	{"iso-8859-9", charmap.ISO8859_9, turkish, false},
	{"windows-1255", charmap.Windows1255, hebrew, false},
	{"iso-8859-8", charmap.ISO8859_8, hebrew, false},
	{"windows-1256", charmap.Windows1256, arabic, true},
	{"iso-8859-6", charmap.ISO8859_6, arabic, false},
	{"windows-1257", charmap.Windows1257, lithuanian, false},
	{"utf-8", unicodetext.UTF8, chinese, true},
	{"UTF-16LE", unicodetext.UTF16(unicodetext.LittleEndian, unicodetext.IgnoreBOM), chinese, true},
	{"UTF-16BE", unicodetext.UTF16(unicodetext.BigEndian, unicodetext.IgnoreBOM), thai, true},
	{"utf-16", unicodetext.UTF16(unicodetext.LittleEndian, unicodetext.UseBOM), russian, true},
	{"utf-16", unicodetext.UTF16(unicodetext.BigEndian, unicodetext.UseBOM), german, true},
}

func encode(t testing.TB, in encoding.Encoding, text string) []byte {
	t.Helper()
	encoded, err := in.NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// feedOf is a feed as a site's program would write it.
func feedOf(declaration, words string) string {
	return declaration + `<rss version="2.0"><channel><title>News</title><item><title>` + words +
		`</title><link>https://www.example.org/1</link><description>` + words + words + `</description></item></channel></rss>`
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	for _, tt := range scripts {
		t.Run(tt.label+" "+tt.words[:12], func(t *testing.T) {
			t.Parallel()
			declaration := fmt.Sprintf("<?xml version='1.0' encoding='%s' ?>\n", tt.label)
			other := "utf-8"
			if tt.label == "utf-8" {
				other = "gb2312"
			}
			for name, c := range map[string]struct{ contentType, text string }{
				"declared":             {"text/xml", feedOf(declaration, tt.words)},
				"by HTTP":              {`application/rss+xml; charset="` + tt.label + `"`, feedOf("<?xml version='1.0'?>", tt.words)},
				"HTTP is stronger":     {"text/xml;charset=" + tt.label, feedOf("<?xml version='1.0' encoding='iso-8859-15'?>", tt.words)},
				"HTTP lies":            {"text/xml; charset=" + other, feedOf(declaration, tt.words)},
				"HTTP does not exist":  {"text/xml; charset=none", feedOf(declaration, tt.words)},
				"the declaration lies": {"text/xml; charset=" + tt.label, feedOf("<?xml version='1.0' encoding='"+other+"'?>", tt.words)},
			} {
				check(t, name, decodeXML(encode(t, tt.in, c.text), c.contentType), tt.words)
			}
			if tt.alone {
				check(t, "no claim", decodeXML(encode(t, tt.in, feedOf("", tt.words)), ""), tt.words)
				check(t, "all lie", decodeXML(encode(t, tt.in, feedOf("<?xml version='1.0' encoding='"+other+"'?>", tt.words)), "text/xml; charset="+other), tt.words)
			}
			page := `<!doctype html><html><head><meta http-equiv="Content-Type" content="text/html; charset=` + tt.label + `"></head><body>` + tt.words
			check(t, "page", decodePage(encode(t, tt.in, page), "text/html"), tt.words)
		})
	}
}

func check(t *testing.T, name, got, words string) {
	t.Helper()
	if !strings.Contains(got, words) || strings.ContainsAny(got, "\ufeff\x00") {
		t.Errorf("%s: %.300q", name, got)
	}
}

// Servers that call everything Latin do so to pages whose letters are not.
// Bytes of a few Chinese, Japanese and Korean words may all be letters of Thai, with its vowels where they may stand.
func TestPairsAreNotThai(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in    encoding.Encoding
		words string
	}{
		{simplifiedchinese.GBK, "省科协召开全体委员会议，部署明年工作任务，推动科普事业高质量发展"},
		{simplifiedchinese.GBK, chinese},
		{japanese.EUCJP, japaneseSay},
		{korean.EUCKR, koreanSay},
	} {
		check(t, tt.words[:12], decodeXML(encode(t, tt.in, feedOf("", tt.words)), ""), tt.words)
	}
	for _, words := range []string{thai, "ข่าว กิจกรรม พิพิธภัณฑ์ เปิดบริการ", "กรุงเทพมหานคร อมรรัตนโกสินทร์", "ดาราศาสตร์และอวกาศ ครั้งที่ ๕"} {
		if !isThai(encode(t, charmap.Windows874, words)) {
			t.Errorf("%q does not count as Thai", words)
		}
	}
}

func TestLatinByDefaultIsNotBelieved(t *testing.T) {
	t.Parallel()
	for _, tt := range scripts {
		if _, single := tt.in.(*charmap.Charmap); single && strings.ContainsAny(tt.words, "aei") {
			continue
		}
		got := decodeXML(encode(t, tt.in, feedOf("<?xml version='1.0' encoding='"+tt.label+"'?>", tt.words)), "text/xml; charset=ISO-8859-1")
		check(t, tt.label, got, tt.words)
	}
}

func TestDamageIsNoOtherEncoding(t *testing.T) {
	t.Parallel()
	body := []byte(feedOf("<?xml version='1.0' encoding='utf-8'?>", chinese))
	cut := strings.Index(string(body), "科学")
	body = append(body[:cut+1:cut+1], body[cut+3:]...) // a character that lost its end
	check(t, "damaged", decodeXML(body, "text/xml; charset=utf-8"), "技术协会")
	if got := decodeXML(encode(t, simplifiedchinese.GBK, feedOf("<?xml version='1.0' encoding='gbk'?>", chinese))[:300], ""); !strings.Contains(got, "北京") {
		t.Errorf("cut: %q", got)
	}
}

func TestMarkIsStrongest(t *testing.T) {
	t.Parallel()
	got := decodeXML([]byte("\ufeff"+feedOf("<?xml version='1.0' encoding='gbk'?>", german)), "text/xml; charset=windows-1251")
	check(t, "mark", got, german)
}

// The bytes of ASCII are the same whatever is claimed, nearly.
func TestPlainASCII(t *testing.T) {
	t.Parallel()
	for _, claim := range []string{"", "utf-8", "gbk", "koi8-r", "utf-16", "utf-7", "x-user-defined", "hz-gb-2312"} {
		if got := decodePage([]byte("<p>Hello</p>"), "text/html; charset="+claim); got != "<p>Hello</p>" {
			t.Errorf("%s: %q", claim, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, tt := range scripts {
		f.Add(encode(f, tt.in, feedOf("<?xml version='1.0' encoding='"+tt.label+"'?>", tt.words)), "text/xml; charset="+tt.label)
		f.Add(encode(f, tt.in, feedOf("", tt.words)), "")
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		for _, got := range []string{decodeXML(body, contentType), decodePage(body, contentType)} {
			if !utf8.ValidString(got) {
				t.Errorf("%q is not UTF-8", got)
			}
		}
		text := string(body)
		told := strings.HasPrefix(text, "\ufeff") || strings.Contains(text, "\x1b$") || len(text) < 4 || strings.Contains(text[:4], "\x00")
		if got := decodeForeign(body); utf8.Valid(body) && !told && got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}
