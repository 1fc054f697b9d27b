package articles

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestSummary(t *testing.T) {
	t.Parallel()
	english := strings.Repeat("The museum opens its new hall on the first day of May. ", 10)
	chinese := strings.Repeat("科学中心将于五月一日向公众开放新展厅。", 30)
	thai := strings.Repeat("พิพิธภัณฑ์วิทยาศาสตร์เปิดห้องใหม่ ", 20)
	tests := []struct{ name, in, want string }{
		{"short", "Only one.", "Only one."},
		{"paragraphs", "First paragraph.\n\nSecond\none.", "First paragraph. Second one."},
		{"whole sentences", english, strings.TrimSpace(strings.Repeat("The museum opens its new hall on the first day of May. ", 5))},
		{"chinese", chinese, strings.Repeat("科学中心将于五月一日向公众开放新展厅。", 15)},
		{"japanese", "新館が開きます。\n\nぜひお越しください。", "新館が開きます。ぜひお越しください。"},
		{"thai", thai, strings.TrimSpace(strings.Repeat("พิพิธภัณฑ์วิทยาศาสตร์เปิดห้องใหม่ ", 8)) + "…"},
		{"one long sentence", "It " + strings.Repeat("went on and ", 40) + "stopped.", "It " + strings.TrimSpace(strings.Repeat("went on and ", 24)) + " went on…"},
		{"no blanks at all", strings.Repeat("字", 400), strings.Repeat("字", 299) + "…"},
		{"decimal", "Version 2.5 costs 3.000 euros. It is here.", "Version 2.5 costs 3.000 euros. It is here."},
		{"a full stop within a word", "Write to {{.Secret}} or Node.Js. It is here.", "Write to {{.Secret}} or Node.Js. It is here."},
		{"quotes", `"It is." So it is.He "said." (Yes.) No.`, `"It is." So it is.He "said." (Yes.) No.`},
		{"hindi", "यह है।वह है। हाँ", "यह है।वह है। हाँ"},
		{"nothing", " \n\n ", ""},
	}
	for _, tt := range tests {
		if got := Summary(tt.in); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

func TestSummaryIsShortAndOneLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("ab .!?。，\n字กा\u0301é"))).Draw(t, "text")
		got := Summary(strings.Repeat(text, 20))
		if utf8.RuneCountInString(got) > summaryLimit || strings.Contains(got, "\n") || !utf8.ValidString(got) {
			t.Fatalf("summary %q", got)
		}
	})
}
