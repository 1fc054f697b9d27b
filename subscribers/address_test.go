package subscribers_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"silkpost/internal/errs"
	"silkpost/subscribers"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for given, key := range map[string]string{
		"office@example.org":                                "office@example.org",
		"Office.Desk@Example.ORG":                           "office.desk@example.org",
		"  office@example.org \t":                           "office@example.org",
		"o.f.f.i.c.e+news@example.org":                      "o.f.f.i.c.e+news@example.org",
		"o'brien_&co=!#$%*/?^`{|}~-@example.org":            "o'brien_&co=!#$%*/?^`{|}~-@example.org",
		"büro@bücher.example":                               "büro@xn--bcher-kva.example",
		"BÜRO@xn--bcher-kva.example":                        "büro@xn--bcher-kva.example",
		"bu\u0308ro@bu\u0308cher.example":                   "büro@xn--bcher-kva.example",
		"info@straße.example":                               "info@xn--strae-oqa.example",
		"联系@例子.测试":                                          "联系@xn--fsqu00a.xn--0zwm56d",
		"联系@例子。测试":                                          "联系@xn--fsqu00a.xn--0zwm56d",
		"مكتب@مثال.إختبار":                                  "مكتب@xn--mgbh0fb.xn--kgbechtv",
		"пошта@приклад.example":                             "пошта@xn--80aikifvh.example",
		`"office"@example.org`:                              "office@example.org",
		`"O\ffice"@example.org`:                             "office@example.org",
		`"front office"@example.org`:                        `"front office"@example.org`,
		`"a@\"b\" \\"@example.org`:                          `"a@\"b\" \\"@example.org`,
		"1@2.example":                                       "1@2.example",
		strings.Repeat("a", 64) + "@example.org":            strings.Repeat("a", 64) + "@example.org",
		"a@" + strings.Repeat("b23456789.", 24) + "example": "a@" + strings.Repeat("b23456789.", 24) + "example",
	} {
		address, err := subscribers.ParseAddress(given)
		if err != nil || address.Key != key || address.Given != strings.TrimSpace(given) {
			t.Errorf("ParseAddress(%q) = %+v, %v; want key %q", given, address, err, key)
		}
	}
}

func TestParseAddressTellsTheReason(t *testing.T) {
	t.Parallel()
	for given, reason := range map[string]string{
		"":                                   "no address",
		" \n":                                "no address",
		"not-an-address":                     "no @ sign",
		"a\xff@example.org":                  "not UTF-8 text",
		"Office <office@example.org>":        "give the address alone, without a name and angle brackets",
		"<office@example.org>":               "give the address alone, without a name and angle brackets",
		"office@example.org (Office)":        "comments in parentheses are not accepted",
		"office(desk)@example.org":           "comments in parentheses are not accepted",
		"@example.org":                       "nothing before the @",
		`""@example.org`:                     "nothing before the @",
		"office@":                            "nothing after the @",
		"a@b@example.org":                    "more than one @ sign",
		"a@example.org, b@example.org":       "more than one @ sign",
		"front office@example.org":           "a space before the @",
		"office\u200b@example.org":           "an invisible character (U+200B) before the @",
		"office\r\nBcc: x@example.org":       "an invisible character (U+000D) before the @",
		"\u202eeciffo@example.org":           "an invisible character (U+202E) before the @",
		"\"a\r\nb\"@example.org":             "an invisible character (U+000D) before the @",
		"mailto:office@example.org":          "':' cannot stand before the @",
		"a;b@example.org":                    "';' cannot stand before the @",
		"a\u037eb@example.org":               "';' cannot stand before the @",
		`of"fice"@example.org`:               `'"' cannot stand before the @`,
		`"office@example.org`:                "the quotation mark is not closed",
		`"office\"@example.org`:              "the quotation mark is not closed",
		`"a"b"@example.org`:                  "text after the closing quotation mark",
		".office@example.org":                "before the @, dots only stand singly between other characters",
		"office.@example.org":                "before the @, dots only stand singly between other characters",
		"front..office@example.org":          "before the @, dots only stand singly between other characters",
		strings.Repeat("a", 65) + "@a.org":   "more than 64 octets before the @",
		strings.Repeat("ü", 33) + "@a.org":   "more than 64 octets before the @",
		"office@[192.0.2.1]":                 "an IP address in brackets; only domain names are accepted",
		"office@[IPv6:2001:db8::1]":          "an IP address in brackets; only domain names are accepted",
		"office@192.0.2.1":                   "an IP address; only domain names are accepted",
		"office@localhost":                   `the domain "localhost" has no dot`,
		"office@example.123":                 `the domain "example.123" ends in a number`,
		"office@example.org.":                "the domain ends with a dot",
		"office@example..org":                `"example..org" is not a domain name (invalid label "example..org")`,
		"office@.example.org":                `".example.org" is not a domain name (invalid label ".example.org")`,
		"office@-example.org":                `"-example.org" is not a domain name (invalid label "-example")`,
		"office@exa_mple.org":                `"exa_mple.org" is not a domain name (disallowed rune U+005F)`,
		"office@exam ple.org":                `"exam ple.org" is not a domain name (disallowed rune U+0020)`,
		"office@example.org>, <a@b.example>": "give the address alone, without a name and angle brackets",
		"a@" + strings.Repeat("b23456789.", 25) + "example": "more than 253 octets after the @",
	} {
		_, err := subscribers.ParseAddress(given)
		if err == nil || err.Error() != reason || errs.KindOf(err) != errs.Invalid {
			t.Errorf("ParseAddress(%q): %v; want %q", given, err, reason)
		}
	}
}

// Whatever is accepted can be stored, sent to and compared: its key is its own key and nothing in it breaks a header.
func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{
		"office@example.org", "Büro@Bücher.example", `"front \"office\""@example.org`, "联系@例子。测试", "İ@example.org", "a\u037eb@c.example",
		"Name <a@b.example>", "a@[127.0.0.1]", "a@xn--a.example", "\u1fef@example.org", "K@example.org", "ß@ß.example", "a@b\x00.org",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		address, err := subscribers.ParseAddress(s)
		if err != nil {
			if err.Error() == "" || strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Fatalf("%q: the reason is %q", s, err)
			}
			return
		}
		for _, form := range []string{address.Given, address.Key} {
			if !utf8.ValidString(form) || strings.ContainsFunc(form, unicode.IsControl) {
				t.Fatalf("%q: %q holds what a header cannot", s, form)
			}
			again, err := subscribers.ParseAddress(form)
			if err != nil || again.Key != address.Key {
				t.Fatalf("%q: %q gives %+v, %v; want key %q", s, form, again, err, address.Key)
			}
		}
		at := strings.LastIndexByte(address.Key, '@')
		if at > 64 || len(address.Key)-at-1 > 253 || strings.ContainsFunc(address.Key[at:], func(r rune) bool { return r > unicode.MaxASCII }) {
			t.Fatalf("%q: key %q", s, address.Key)
		}
	})
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"Office@Example.ORG":          "Office@example.org",
		"Office@Bücher.example":       "Office@xn--bcher-kva.example",
		"联系@例子。测试":                    "联系@xn--fsqu00a.xn--0zwm56d",
		`"front @ desk"@example.org `: `"front @ desk"@example.org`,
	} {
		if got, err := subscribers.Envelope(given); err != nil || got != want {
			t.Errorf("Envelope(%q) = %q, %v; want %q", given, got, err, want)
		}
	}
	if _, err := subscribers.Envelope("nobody"); errs.KindOf(err) != errs.Invalid {
		t.Errorf("got %v", err)
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"office@example.org": "o••••@example.org",
		"联系@example.org":     "联••••@example.org",
		"a@example.org":      "••••@example.org",
		"é@example.org":      "••••@example.org",
		`"a@b"@example.org`:  `"••••@example.org`,
		"nothing":            "••••",
		"":                   "••••",
	} {
		if got := subscribers.Mask(address); got != want {
			t.Errorf("Mask(%q) = %q, want %q", address, got, want)
		}
	}
}
