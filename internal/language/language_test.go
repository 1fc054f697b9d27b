package language_test

import (
	"slices"
	"strings"
	"testing"

	"silkpost/internal/errs"
	"silkpost/internal/language"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"en": "en", " EN ": "en", "en-gb": "en-GB", "en_GB": "en-GB", "zh-hans": "zh-Hans", "ZH-hant-tw": "zh-Hant-TW", "sr-latn": "sr-Latn",
		"pt-br": "pt-BR", "iw": "he", "ur": "ur", "uk": "uk", "eng": "en",
	} {
		if got, err := language.Parse(given); err != nil || got != want {
			t.Errorf("Parse(%q) = %q, %v; want %q", given, got, err, want)
		}
	}
	for _, given := range []string{"", " ", "und", "und-Latn", "und-CN", "x-own", "mul", "zxx", "xx-", "english", "en;de", "zz", "e", "\x00", "en-\xff", "en\nde", strings.Repeat("en-", 50)} {
		if got, err := language.Parse(given); errs.KindOf(err) != errs.Invalid {
			t.Errorf("Parse(%q) = %q, %v; want an error of kind Invalid", given, got, err)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("Parse(%q): the error %q is more than a line", given, err)
		}
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"en": "en-Latn", "en-GB": "en-Latn", "zh": "zh-Hans", "zh-CN": "zh-Hans", "zh-Hans": "zh-Hans", "zh-TW": "zh-Hant", "zh-HK": "zh-Hant",
		"zh-Hant": "zh-Hant", "sr": "sr-Cyrl", "sr-Latn": "sr-Latn", "sr-Cyrl": "sr-Cyrl", "pt": "pt-Latn", "pt-BR": "pt-Latn", "no": "nb-Latn", "nb": "nb-Latn", "nn": "nn-Latn", "uk": "uk-Cyrl",
		"ru": "ru-Cyrl", "ur": "ur-Arab", "ar": "ar-Arab", "ar-EG": "ar-Arab", "ja": "ja-Jpan", "th": "th-Thai", "he": "he-Hebr",
	} {
		if got := language.Key(tag); got != want {
			t.Errorf("Key(%q) = %q, want %q", tag, got, want)
		}
	}
	if got := language.Keys([]string{"zh-TW", "sr"}); !slices.Equal(got, []string{"zh-Hant", "sr-Cyrl"}) {
		t.Errorf("Keys = %v", got)
	}
	if got := language.Keys(nil); got == nil || len(got) != 0 {
		t.Errorf("Keys(nil) = %#v, want an empty slice: nil would be NULL in the database", got)
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, wanted, available, want string
	}{
		{"the very tag", "en-GB", "en en-GB en-US", "en-GB"},
		{"one of the same language", "en-GB", "de en-US", "en-US"},
		{"the reader's order decides, not the article's", "it en", "en it", "it"},
		{"the second language when the first is not there", "sr it", "en it", "it"},
		{"an equal of the first before the very second", "pt-BR en", "en pt", "pt"},
		{"Portuguese for a reader of Portuguese", "pt", "pt-BR", "pt-BR"},
		{"Russian is not for a reader of Ukrainian", "uk", "ru", ""},
		{"Ukrainian is not for a reader of Russian", "ru", "uk", ""},
		{"a reader of Ukrainian gets their own second language", "uk en", "ru en", "en"},
		{"English is not for a reader of Urdu", "ur", "en", ""},
		{"Arabic is not for a reader of Urdu", "ur", "ar", ""},
		{"Hindi is not for a reader of Urdu", "ur", "hi", ""},
		{"Cyrillic letters are not for a reader of Latin ones", "sr-Latn", "sr", ""},
		{"nor Latin letters for a reader of Cyrillic ones", "sr", "sr-Latn", ""},
		{"Croatian is not for a reader of Serbian", "sr-Latn", "hr bs", ""},
		{"Serbian in Cyrillic by its usual tag", "sr-Cyrl", "sr-Latn sr", "sr"},
		{"Chinese without a script is simplified", "zh", "zh-Hant zh-Hans", "zh-Hans"},
		{"Taiwan reads traditional characters", "zh-TW", "zh-Hans zh-Hant", "zh-Hant"},
		{"Taiwan does not read simplified ones", "zh-TW", "zh zh-Hans", ""},
		{"traditional ones by region", "zh-Hant", "zh-Hans zh-HK", "zh-HK"},
		{"mainland China", "zh-CN", "zh-Hant zh", "zh"},
		{"Danish is not Norwegian", "nb", "da sv", ""},
		{"nothing wanted", "", "en", ""},
		{"nothing there", "en", "", ""},
	}
	for _, tt := range tests {
		if got := language.Choose(strings.Fields(tt.wanted), strings.Fields(tt.available)); got != tt.want {
			t.Errorf("%s: Choose(%q, %q) = %q, want %q", tt.name, tt.wanted, tt.available, got, tt.want)
		}
	}
}

func TestIn(t *testing.T) {
	t.Parallel()
	names := map[string]string{"ar": "فعاليات", "en": "Events", "zh-Hans": "活动"}
	for _, tt := range []struct {
		names      map[string]string
		wanted     string
		name, want string
	}{
		{names, "zh-CN en", "活动", "zh-Hans"},
		{names, "it ar-EG", "فعاليات", "ar"},
		{names, "it", "Events", "en"},
		{names, "", "Events", "en"},
		{map[string]string{"uk": "б", "th": "ก"}, "ru", "ก", "th"},
		{map[string]string{"und": "Notices"}, "ru", "Notices", "und"},
		{nil, "en", "", ""},
	} {
		if name, tag := language.In(tt.names, strings.Fields(tt.wanted)...); name != tt.name || tag != tt.want {
			t.Errorf("In(%v, %q) = %q, %q", tt.names, tt.wanted, name, tag)
		}
	}
}

func TestRightToLeft(t *testing.T) {
	t.Parallel()
	for _, tag := range []string{"ar", "ar-EG", "ur", "fa", "he", "yi", "ps", "sd", "dv", "ckb", "az-Arab", "pa-Arab", "syr", "nqo"} {
		if !language.RightToLeft(tag) {
			t.Errorf("%s runs from left to right", tag)
		}
	}
	for _, tag := range []string{"en", "zh-Hans", "ja", "th", "ru", "az", "pa", "ku", "tr", "", "nonsense-tag"} {
		if language.RightToLeft(tag) {
			t.Errorf("%s runs from right to left", tag)
		}
	}
}

// What is canonical stays so, and is chosen for itself.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"en", "zh-hant-TW", "sr-Latn-RS", "i-klingon", "x-own", "und-Latn", "de-1996", "en-u-ca-gregory", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		tag, err := language.Parse(given)
		if err != nil {
			return
		}
		again, err := language.Parse(tag)
		if err != nil || again != tag {
			t.Errorf("Parse(%q) = %q, but that gives %q, %v", given, tag, again, err)
		}
		if got := language.Choose([]string{tag}, []string{"en", "ru", "zh-Hans", tag}); got != tag {
			t.Errorf("a reader of %q gets %q", tag, got)
		}
		language.RightToLeft(tag)
	})
}
