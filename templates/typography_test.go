package templates

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// wrongEverywhere is what no language's words have, and why.
var wrongEverywhere = map[string]*regexp.Regexp{
	"a straight quotation mark":                  regexp.MustCompile(`["']`),
	"three full stops":                           regexp.MustCompile(`\.\.`),
	"an exclamation mark":                        regexp.MustCompile(`[!！]`),
	"two spaces":                                 regexp.MustCompile(`[\s\x{a0}\x{202f}]{2}`),
	"a space at an end":                          regexp.MustCompile(`^\s|\s$`),
	"a bidirectional control":                    regexp.MustCompile(`[\x{202a}-\x{202e}\x{2066}-\x{2069}]`),
	"an unseen character":                        regexp.MustCompile(`[\x{200b}\x{feff}\x{ad}]`),
	"a letter of another alphabet within a word": regexp.MustCompile(`\p{Latin}\p{Cyrillic}|\p{Cyrillic}\p{Latin}|\p{Greek}`),
	"a space before a full stop or comma":        regexp.MustCompile(`\s[.,،。、](\s|$)`),
}

const cjk = `[\p{Han}\p{Hiragana}\p{Katakana}]`

// wrongIn is what the words of one language do not have. A language that is not here is held to wrongEverywhere alone.
var wrongIn = map[string]map[string]*regexp.Regexp{
	"en": {"quotation marks": regexp.MustCompile(`[«»„「」]`)},
	"fr": {
		"a colon without a no-break space":              regexp.MustCompile(`[^\x{a0}]:`),
		"a double mark without a narrow no-break space": regexp.MustCompile(`[^\x{202f}][;?]`),
		"guillemets without no-break spaces":            regexp.MustCompile(`«[^\x{a0}]|[^\x{a0}]»`),
		"quotation marks":                               regexp.MustCompile(`[“”„]`),
	},
	"de":      {"quotation marks": regexp.MustCompile(`[«»”]|“[^ .,:?)]`)},
	"cs":      {"quotation marks": regexp.MustCompile(`[«»”]|“[^ .,:?)]`)},
	"ro":      {"quotation marks": regexp.MustCompile(`[«»“]`), "a cedilla": regexp.MustCompile(`[şţŞŢ]`)},
	"es":      {"quotation marks": regexp.MustCompile(`[“”„]`), "a question without its beginning": regexp.MustCompile(`^[^¿]*\?`)},
	"it":      {"quotation marks": regexp.MustCompile(`[“”„]`), "an e without its accent": regexp.MustCompile(`perchè|poichè|\bE’`)},
	"pt":      {"quotation marks": regexp.MustCompile(`[«»„]`)},
	"nl":      {"quotation marks": regexp.MustCompile(`[«»“”„]`)},
	"sr-Cyrl": {"quotation marks": regexp.MustCompile(`[«»“]`), "a foreign letter": regexp.MustCompile(`[ёйщъыьэюяіїєґ]`)},
	"sr-Latn": {"quotation marks": regexp.MustCompile(`[«»“]`), "Cyrillic": regexp.MustCompile(`\p{Cyrillic}`)},
	"ru":      {"quotation marks": regexp.MustCompile(`[“”„]`), "a foreign letter": regexp.MustCompile(`[іїєґђћџљњј]`)},
	"uk":      {"quotation marks": regexp.MustCompile(`[“”„]`), "a foreign letter": regexp.MustCompile(`[ёъыэђћџљњј]`)},
	"ar":      {"Latin marks": regexp.MustCompile(`[,;?]`), "a foreign letter": regexp.MustCompile(`[یکہےۃ]`), "a foreign full stop": regexp.MustCompile(`۔`)},
	"ur":      {"Latin marks": regexp.MustCompile(`[,;?]|\p{Arabic}\.`), "a foreign letter": regexp.MustCompile(`[يىكهة]`)},
	"ja":      {"Latin marks beside Japanese": regexp.MustCompile(cjk + `[,.:;?()]|[,:;?()]` + cjk), "quotation marks": regexp.MustCompile(`[“”]`)},
	"zh-Hans": {"Latin marks beside Chinese": regexp.MustCompile(cjk + `[,.:;?()]|[,:;?()]` + cjk), "traditional characters": regexp.MustCompile(
		`[們這說對會時為發後個來過還現將從讀訂閱郵處頁標題連關閉錯誤請間語設單總動確認儲電傳選擇變頻暫復寄給點]`), "quotation marks": regexp.MustCompile(`[「」]`)},
	"zh-Hant": {"Latin marks beside Chinese": regexp.MustCompile(cjk + `[,.:;?()]|[,:;?()]` + cjk), "simplified characters": regexp.MustCompile(
		`[们这说对会时为发后个来过还现将从读订阅邮处页标题链关闭错误请间语设单总动确认储电传选择变频暂复给点里网]`), "quotation marks": regexp.MustCompile(`[“”]`)},
}

// The words are set as their readers' printers set them.
func TestTypography(t *testing.T) {
	t.Parallel()
	set := mustSet(t, files)
	for _, tag := range set.tags {
		for key, m := range set.voices[tag].words.messages {
			if key == "list_separator" || strings.HasPrefix(key, "number.") || strings.HasPrefix(key, "date.") {
				continue
			}
			for _, form := range forms(m) {
				said := strings.ReplaceAll(placeholder.ReplaceAllString(form, "X"), "name@example.org", "X")
				for _, wrong := range []map[string]*regexp.Regexp{wrongEverywhere, wrongIn[tag]} {
					for _, what := range slices.Sorted(maps.Keys(wrong)) {
						if found := wrong[what].FindString(said); found != "" {
							t.Errorf("%s: message %s has %s (%q): %s", tag, key, what, found, form)
						}
					}
				}
				if !norm.NFC.IsNormalString(form) {
					t.Errorf("%s: message %s is not in NFC: %+q", tag, key, form)
				}
			}
		}
	}
}

// Serbian has the same words in both of its scripts, letter by letter.
func TestSerbianIsTheSameInBothScripts(t *testing.T) {
	t.Parallel()
	set := mustSet(t, files)
	latin := set.voices["sr-Latn"].words.messages
	for key, m := range set.voices["sr-Cyrl"].words.messages {
		for name, form := range forms(m) {
			if want := serbianInLatin.Replace(form); forms(latin[key])[name] != want {
				t.Errorf("%s.%s is %q in Latin letters, want %q", key, name, forms(latin[key])[name], want)
			}
		}
	}
}

var serbianInLatin = strings.NewReplacer(
	"а", "a", "б", "b", "в", "v", "г", "g", "д", "d", "ђ", "đ", "е", "e", "ж", "ž", "з", "z", "и", "i", "ј", "j", "к", "k", "л", "l",
	"љ", "lj", "м", "m", "н", "n", "њ", "nj", "о", "o", "п", "p", "р", "r", "с", "s", "т", "t", "ћ", "ć", "у", "u", "ф", "f", "х", "h",
	"ц", "c", "ч", "č", "џ", "dž", "ш", "š",
	"А", "A", "Б", "B", "В", "V", "Г", "G", "Д", "D", "Ђ", "Đ", "Е", "E", "Ж", "Ž", "З", "Z", "И", "I", "Ј", "J", "К", "K", "Л", "L",
	"Љ", "Lj", "М", "M", "Н", "N", "Њ", "Nj", "О", "O", "П", "P", "Р", "R", "С", "S", "Т", "T", "Ћ", "Ć", "У", "U", "Ф", "F", "Х", "H",
	"Ц", "C", "Ч", "Č", "Џ", "Dž", "Ш", "Š",
)
