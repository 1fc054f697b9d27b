package articles

import (
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"
	textlanguage "golang.org/x/text/language"

	"silkpost/internal/language"
)

const (
	detectRunes  = 4000 // how much of a text is looked at
	detectEnough = 100  // letters from which on the best guess is taken even when it is not sure
)

// scripts names the script of a text. Those that belong to one language alone come out right however short the text is.
var scripts = map[*unicode.RangeTable]string{
	unicode.Latin: "Latn", unicode.Cyrillic: "Cyrl", unicode.Arabic: "Arab", unicode.Devanagari: "Deva", unicode.Hebrew: "Hebr",
	unicode.Ethiopic: "Ethi", unicode.Bengali: "Beng", unicode.Georgian: "Geor", unicode.Hangul: "Kore", unicode.Greek: "Grek",
	unicode.Kannada: "Knda", unicode.Tamil: "Taml", unicode.Thai: "Thai", unicode.Gujarati: "Gujr", unicode.Gurmukhi: "Guru",
	unicode.Telugu: "Telu", unicode.Malayalam: "Mlym", unicode.Oriya: "Orya", unicode.Myanmar: "Mymr", unicode.Sinhala: "Sinh",
	unicode.Khmer: "Khmr",
}

// DetectLanguage returns the language of a plain text as a canonical tag. Chinese comes as zh-Hans or zh-Hant, whichever of
// the characters that differ are more frequent. A text too short to tell gets the usual language of its script: Russian for
// Cyrillic, Arabic for Arabic, English for Latin; one without letters is English.
func DetectLanguage(text string) string {
	sample := firstRunes(text, detectRunes)
	if tag := eastAsian(sample); tag != "" {
		return tag
	}
	info := whatlanggo.Detect(sample)
	script := scripts[info.Script]
	if script == "" {
		return "en"
	}
	code := info.Lang.Iso6391()
	if code == "" || !info.IsReliable() && letters(sample) < detectEnough {
		return usual(script)
	}
	return withScript(code, script)
}

// usual returns the language that a script most often writes (CLDR's likely subtags).
func usual(script string) string {
	base, _ := textlanguage.Make("und-" + script).Base()
	return withScript(base.String(), script)
}

// withScript returns the tag of a language, naming the script only where another would be expected.
func withScript(code, script string) string {
	if expected, _ := textlanguage.Make(code).Script(); expected.String() != script {
		code += "-" + script
	}
	tag, err := language.Parse(code)
	if err != nil {
		return "en"
	}
	return tag
}

// Characters that are frequent in everyday texts and differ between the two ways of writing Chinese.
const (
	simplified  = "们个国这为来时会学对发经说过动现点进实与关业开机问东长车书见门无马话语电让应议环术届办员际华协组织"
	traditional = "們個國這為來時會學對發經說過動現點進實與關業開機問東長車書見門無馬話語電讓應議環術屆辦員際華協組織"
)

// eastAsian tells Chinese and Japanese, which share most of their characters; "" when the text is neither. A Han character
// says as much as several letters, so names in Latin letters among them do not count as the text's language.
func eastAsian(text string) string {
	var han, kana, other, hans, hant int
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		case unicode.Is(unicode.Han, r):
			han++
			if strings.ContainsRune(simplified, r) {
				hans++
			}
			if strings.ContainsRune(traditional, r) {
				hant++
			}
		case unicode.IsLetter(r):
			other++
		}
	}
	switch {
	case (han+kana)*4 < other || han+kana == 0:
		return ""
	case kana*10 > han+kana:
		return "ja"
	case hant > hans:
		return "zh-Hant"
	default:
		return "zh-Hans"
	}
}

func letters(text string) int {
	count := 0
	for _, r := range text {
		if unicode.IsLetter(r) {
			count++
		}
	}
	return count
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
