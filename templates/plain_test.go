package templates

import (
	"slices"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"
	"pgregory.net/rapid"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                          "plain",
		"  two \r\n lines\t ":            "two lines",
		"a\x00b\x1b[31m":                 "a b [31m",
		"\u202eevil\u2066 \u2069isolate": "evil isolate",
		"bad \xff byte":                  "bad \ufffd byte",
		"שלום\u200f עולם":                "שלום\u200f עולם", // a mark stays: it reaches no further than itself
	} {
		if got := line(in); got != want {
			t.Errorf("line(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParagraphs(t *testing.T) {
	t.Parallel()
	got := paragraphs("One\nline.\r\n\r\nTwo.\n\n\n \nThree.")
	if want := []string{"One line.", "Two.", "Three."}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWebAddress(t *testing.T) {
	t.Parallel()
	for in, good := range map[string]bool{
		"https://www.example.org/a?b=c&d#e": true,
		"http://[::1]:8080/":                true,
		"HTTPS://www.example.org/":          true,
		"javascript:alert(1)":               false,
		"//www.example.org/":                false,
		"/articles/river":                   false,
		"https:///nowhere":                  false,
		"https://www.example.org/\nX: y":    false,
		"https://www.example.org/a b":       false,
	} {
		if got := webAddress(in); (got == in) != good || !good && got != "" {
			t.Errorf("webAddress(%q) = %q", in, got)
		}
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"one two three four", "one two\nthree four"},
		{"exactlyten exactlyten", "exactlyten\nexactlyten"},
		{"incomprehensibilities", "incomprehe\nnsibilitie\ns"},
		{"see https://www.example.org/news/2026 now", "see\nhttps://www.example.org/news/2026\nnow"},
		{"科学节在广场举行", "科学节在广\n场举行"},
		{"科学节在广。场举行", "科学节在\n广。场举行"}, // no full stop at the beginning of a line
		{"科学节在（广场）", "科学节在\n（广场）"},
		{"The 科学节 fair", "The 科学节\nfair"},
	} {
		if got := wrap(c.in, 10); got != c.want {
			t.Errorf("wrap(%q) =\n%s\nwant\n%s", c.in, got, c.want)
		}
	}
}

// A word without an end, as somebody may send it, is no work.
func TestWrapOfAnEndlessWord(t *testing.T) {
	t.Parallel()
	if got := strings.Count(wrap(strings.Repeat("w", 720_000), 72), "\n"); got != 9_999 {
		t.Errorf("%d lines", got+1)
	}
}

// Wrapping loses nothing and keeps to the width, for any text of any scripts.
func TestWrapKeepsEverything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := line(rapid.StringOf(rapid.SampledFrom([]rune("abc  \n科学节。（）ก็ม้เعنوان–é👩🏽‍🚀한글"))).Draw(t, "text"))
		width := rapid.IntRange(4, 80).Draw(t, "width")
		wrapped := wrap(s, width)
		for l := range strings.SplitSeq(wrapped, "\n") {
			if displaywidth.String(l) > width {
				t.Fatalf("%d columns, not %d: %q", displaywidth.String(l), width, l)
			}
		}
		if strip(wrapped) != strip(s) {
			t.Fatalf("%q became %q", s, wrapped)
		}
	})
}

func strip(s string) string { return strings.Join(strings.Fields(s), "") }

func TestNamesAreIsolatedFromSentencesThatRunTheOtherWay(t *testing.T) {
	t.Parallel()
	set := mustSet(t, files)
	for _, c := range []struct{ in, name, want string }{
		{"en", "Partners", "Unsubscribe from Partners"},
		{"en", "شركاء", "Unsubscribe from \u2068شركاء\u2069"},
		{"ar", "شركاء", "إلغاء الاشتراك في شركاء"},
		{"ar", "Partners", "إلغاء الاشتراك في \u2068Partners\u2069"},
		{"ar", "2026", "إلغاء الاشتراك في 2026"},
	} {
		got, err := set.voices[c.in].words.message("digest.unsubscribe_from", "List", c.name)
		if err != nil {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.in, got, c.want)
		}
	}
}
