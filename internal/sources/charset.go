package sources

import (
	"bytes"
	"mime"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gogs/chardet"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	unicodetext "golang.org/x/text/encoding/unicode"
)

// declarationLimit is how far from its beginning a document may say what it is encoded in (WHATWG HTML has 1024 bytes; old pages
// have scripts before that).
const declarationLimit = 4096

// decodeXML returns an XML document's text. The byte order mark says best what it is encoded in, then the charset of the
// Content-Type, then the XML declaration (RFC 7303, section 3); whatever the text shows to be false is passed over.
//
// The declaration is left out, for it is not true of the text any more.
func decodeXML(body []byte, contentType string) string {
	text := decodeForeign(body, httpCharset(contentType), declared(xmlEncoding, body))
	return xmlDeclaration.ReplaceAllString(text, "")
}

// decodePage returns an HTML page's text, likewise; the page itself says it in a meta element.
func decodePage(body []byte, contentType string) string {
	return decodeForeign(body, httpCharset(contentType), declared(metaCharset, body), declared(xmlEncoding, body))
}

var (
	xmlDeclaration = regexp.MustCompile(`^\s*<\?xml\s[^>]*\?>`)

	xmlEncoding = regexp.MustCompile(`^\s*<\?xml\s[^>]*?encoding\s*=\s*["']\s*([\w.:-]+)`)
	metaCharset = regexp.MustCompile(`(?i)<meta\s[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)`)
)

func declared(pattern *regexp.Regexp, body []byte) string {
	if found := pattern.FindSubmatch(body[:min(len(body), declarationLimit)]); found != nil {
		return string(found[1])
	}
	return ""
}

func httpCharset(contentType string) string {
	_, params, err := mime.ParseMediaType(contentType)
	if err == nil {
		return params["charset"]
	}
	_, after, _ := strings.Cut(strings.ToLower(contentType), "charset=")
	return strings.Trim(after, `"' ;`)
}

// decodeForeign returns a document's text as UTF-8 without a byte order mark. Of the claims, the strongest first, that counts which the
// bytes do not show to be false; when all are, the encoding is guessed. It never fails: what cannot be read becomes U+FFFD.
func decodeForeign(body []byte, claims ...string) string {
	if found, mark := byMark(body); found != nil {
		return decoded(found, body[mark:])
	}
	if found := bareUTF16(body); found != nil {
		return decoded(found, body)
	}
	if bytes.Contains(body, []byte("\x1b$B")) || bytes.Contains(body, []byte("\x1b$@")) { // nothing else has this sequence
		return decoded(japanese.ISO2022JP, body)
	}
	var possible encoding.Encoding
	for _, claim := range claims {
		named := encodingOf(claim)
		if named == nil {
			continue
		}
		if text, ok := believe(named, body); ok {
			return text
		}
		if possible == nil {
			possible = named
		}
	}
	if found := guess(body); found != nil {
		return decoded(found, body)
	}
	if possible == nil {
		possible = charmap.Windows1252
	}
	if _, bad := countUTF8(body); bad == 0 {
		possible = unicodetext.UTF8
	}
	return decoded(possible, body)
}

func decoded(from encoding.Encoding, body []byte) string {
	if from == unicodetext.UTF8 {
		return strings.TrimPrefix(strings.ToValidUTF8(string(body), "\uFFFD"), "\ufeff")
	}
	text, _ := from.NewDecoder().Bytes(body) // decoders replace what they cannot read
	return strings.TrimPrefix(strings.ToValidUTF8(string(text), "\uFFFD"), "\ufeff")
}

// byMark returns the encoding that a byte order mark tells, and the mark's length.
func byMark(body []byte) (encoding.Encoding, int) {
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return unicodetext.UTF8, 3
	case bytes.HasPrefix(body, []byte("\xff\xfe")):
		return utf16(unicodetext.LittleEndian), 2
	case bytes.HasPrefix(body, []byte("\xfe\xff")):
		return utf16(unicodetext.BigEndian), 2
	}
	return nil, 0
}

func utf16(order unicodetext.Endianness) encoding.Encoding {
	return unicodetext.UTF16(order, unicodetext.IgnoreBOM)
}

// bareUTF16 recognises UTF-16 without a mark by its first character, which in XML, HTML and JSON is ASCII.
func bareUTF16(body []byte) encoding.Encoding {
	if len(body) < 4 {
		return nil
	}
	switch {
	case body[0] != 0 && body[1] == 0 && body[2] != 0 && body[3] == 0:
		return utf16(unicodetext.LittleEndian)
	case body[0] == 0 && body[1] != 0 && body[2] == 0 && body[3] != 0:
		return utf16(unicodetext.BigEndian)
	}
	return nil
}

// aliases are names that servers use and the WHATWG's list does not have.
var aliases = map[string]string{
	"cp932": "shift_jis", "cp936": "gbk", "ms936": "gbk", "cp949": "euc-kr", "cp950": "big5", "cp874": "windows-874", "big5-hkscs-2004": "big5",
	"utf8mb4": "utf-8", "unicode-1-1": "utf-8", "koi8u": "koi8-u", "koi8r": "koi8-r", "x-windows-949": "euc-kr",
}

// encodingOf returns the encoding of a name; nil when there is none, and for UTF-16, which is recognised by its bytes alone. What calls
// itself GB2312 or GBK is read as GB18030, which holds both.
func encodingOf(name string) encoding.Encoding {
	name = strings.ToLower(strings.TrimSpace(name))
	if other := aliases[name]; other != "" {
		name = other
	}
	found, err := htmlindex.Get(name)
	switch {
	case err != nil || found == encoding.Replacement || found == charmap.XUserDefined || strings.HasPrefix(canonical(found), "utf-16"):
		return nil
	case found == simplifiedchinese.GBK:
		return simplifiedchinese.GB18030
	}
	return found
}

func canonical(e encoding.Encoding) string {
	name, _ := htmlindex.Name(e)
	return name
}

// believe returns what a document says in an encoding; false when its bytes show that it is another.
func believe(claimed encoding.Encoding, body []byte) (string, bool) {
	good, bad := countUTF8(body)
	if claimed == unicodetext.UTF8 {
		return decoded(claimed, body), bad*20 <= good
	}
	// Text of another encoding is hardly ever UTF-8 by chance: where one byte is a character two would have to fit, where two are, eight.
	_, single := claimed.(*charmap.Charmap)
	if bad == 0 && (single && good > 0 || good >= 4) {
		return "", false
	}
	text := decoded(claimed, body)
	return text, plausible(text, single)
}

// countUTF8 returns how many characters beyond ASCII a document has when it is read as UTF-8, and how many bytes are none.
func countUTF8(body []byte) (good, bad int) {
	for i := 0; i < len(body); {
		if body[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(body[i:])
		if r == utf8.RuneError && size <= 1 {
			bad++
		} else {
			good++
		}
		i += size
	}
	return good, bad
}

// plausible reports whether decoded text may be what somebody wrote. Some damage is allowed for: a text may be cut within a character.
func plausible(text string, single bool) bool {
	foreign, wrong := 0, 0
	for _, r := range text {
		if r >= utf8.RuneSelf {
			foreign++
		}
		if r == utf8.RuneError || r >= 0x80 && r < 0xa0 {
			wrong++
		}
	}
	if wrong*50 > foreign {
		return foreign >= 10 && wrong == 1
	}
	return !single || !garbled(text)
}

// garbled recognises text that was read as a single-byte encoding and is in another. Accented Latin letters seldom stand side by side, and
// within a word no capital follows a small letter.
func garbled(text string) bool {
	var latin, inRows, run, words, clashes int
	before := ' '
	for _, r := range text {
		if r >= 0xa0 && r < 0x250 { // Latin letters and what is read for other letters' bytes
			latin++
			run++
		} else {
			run = 0
		}
		switch {
		case run == 3:
			inRows += 3
		case run > 3:
			inRows++
		}
		if r >= utf8.RuneSelf && unicode.IsLetter(r) {
			if !unicode.IsLetter(before) {
				words++
			}
			if unicode.IsUpper(r) && unicode.IsLower(before) {
				clashes++
			}
		}
		before = r
	}
	return inRows >= 6 && inRows*2 > latin || clashes >= 3 && clashes*3 > words
}

// guess returns the encoding that the text shows by itself; nil when nothing speaks for any.
func guess(body []byte) encoding.Encoding {
	good, bad := countUTF8(body)
	if bad*20 <= good {
		return unicodetext.UTF8
	}
	if isThai(body) {
		return charmap.Windows874
	}
	all, err := chardet.NewHtmlDetector().DetectAll(body[:min(len(body), guessLimit)])
	if err != nil {
		return nil
	}
	for _, found := range all {
		if e := encodingOf(found.Charset); e != nil && e != unicodetext.UTF8 {
			if _, ok := believe(e, body); ok {
				return e
			}
		}
	}
	return nil
}

// guessLimit is how much of a document is looked at to guess its encoding: all of it would say no more.
const guessLimit = 256 << 10

// isThai reports whether bytes are Thai in TIS-620: there are many, nearly all are letters of it, and its vowels and tones above and below
// stand after consonants or one another, never at the beginning.
func isThai(body []byte) bool {
	letters, marks, wrong := 0, 0, 0
	before := byte(' ')
	for _, b := range body {
		switch {
		case b < 0x80:
		case b >= 0xa1 && b <= 0xda || b >= 0xdf && b <= 0xfb:
			letters++
			if !above(b) {
				break
			}
			marks++
			if (before < 0xa1 || before > 0xce) && !above(before) && before != 0xd2 {
				wrong++
			}
		default:
			wrong++
		}
		before = b
	}
	return letters >= 10 && wrong*50 <= letters && marks*10 >= letters && !inPairs(body)
}

// inPairs reports whether the bytes beyond ASCII are pairs as common Chinese, Japanese or Korean characters are in GB2312, EUC-JP and EUC-KR:
// a short text of those may by chance look like Thai. The first bytes of these are marks, kana, and what stands in the first half
// of the tables, where the common characters are; half of Thai's bytes are others.
func inPairs(body []byte) bool {
	common, other := 0, 0
	for i := 0; i < len(body); i++ {
		lead := body[i]
		if lead < 0x80 {
			continue
		}
		i++
		switch {
		case i == len(body) || body[i] < 0xa1:
			other++
		case lead == 0xa1 || lead >= 0xa3 && lead <= 0xa5 || lead >= 0xb0 && lead <= 0xd7:
			common++
		default:
			other++
		}
	}
	return other*10 <= common
}

// above reports a Thai vowel or tone that stands above or below its consonant.
func above(b byte) bool { return b == 0xd1 || b >= 0xd4 && b <= 0xda || b >= 0xe7 && b <= 0xee }
