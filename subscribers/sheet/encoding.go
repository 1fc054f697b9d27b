package sheet

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/simplifiedchinese"
	unicodetext "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"silkpost/internal/errs"
)

// The names of what is found out without being told.
const (
	utf8Name    = "utf-8"
	utf16le     = "utf-16le"
	utf16be     = "utf-16be"
	gb18030Name = "gb18030"
)

// decode returns the file's text as UTF-8 without a byte order mark, and notes its encoding. name is what the caller says that
// it is; a byte order mark says it better.
func (s *Sheet) decode(name string) (io.Reader, error) {
	if name != "" {
		canonical, err := canonicalName(name)
		if err != nil {
			return nil, err
		}
		name = canonical
	}
	if err := s.file.rewind(); err != nil {
		return nil, unreadable(0, err)
	}
	head := make([]byte, headLimit)
	n, err := io.ReadFull(s.file, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, unreadable(0, err)
	}
	if err := refuseBinary(head[:n]); err != nil {
		return nil, err
	}
	mark, length := byteOrderMark(head[:n])
	switch {
	case mark != "":
		name = mark
	case name == "":
		if name, err = s.guess(head[:n]); err != nil {
			return nil, err
		}
	}
	s.Encoding = name
	if err := s.file.rewind(); err != nil {
		return nil, unreadable(0, err)
	}
	if _, err := io.CopyN(io.Discard, s.file, length); err != nil {
		return nil, unreadable(0, err)
	}
	if name == utf8Name {
		return s.file, nil // what is no UTF-8 in it is told with its row
	}
	decoder, err := htmlindex.Get(name)
	if err != nil {
		return nil, err
	}
	return transform.NewReader(s.file, decoder.NewDecoder()), nil
}

// canonicalName returns the WHATWG's name of an encoding.
func canonicalName(name string) (string, error) {
	found, err := htmlindex.Get(strings.TrimSpace(name))
	if err == nil && found != encoding.Replacement {
		return htmlindex.Name(found)
	}
	return "", errs.New(errs.Invalid, "%q is no encoding that is known; such as utf-8, utf-16le, gbk, big5, shift_jis, euc-kr, windows-1252 "+
		"(western Europe) or windows-1251 (Cyrillic)", name)
}

// refuseBinary recognises by its first bytes what is no text but may hold a table.
func refuseBinary(head []byte) error {
	const saveAs = `save the sheet as "CSV UTF-8"`
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")) && bytes.Contains(head[:min(len(head), 300)], []byte(".csv")):
		return errs.New(errs.Invalid, "the file is a zip archive: unpack it and import the CSV files in it one by one")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return errs.New(errs.Invalid, "the file is a workbook, not CSV: "+saveAs)
	}
	return nil
}

func byteOrderMark(head []byte) (name string, length int64) {
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return utf8Name, 3
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return utf16le, 2
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return utf16be, 2
	}
	return "", 0
}

// guess finds out how a text without a byte order mark is encoded, by looking at all of it. What is neither UTF-16 nor surely Chinese
// is taken for UTF-8: if it is not, the first row that shows it is named. There are no guesses between the encodings with
// one byte for a letter, since no rule tells a Czech name from a wrongly read Swedish one.
func (s *Sheet) guess(head []byte) (string, error) {
	if name := guessUTF16(head); name != "" {
		return name, nil
	}
	if err := s.file.rewind(); err != nil {
		return "", unreadable(0, err)
	}
	_, err := io.Copy(io.Discard, transform.NewReader(s.file, encoding.UTF8Validator))
	switch {
	case err == nil:
		return utf8Name, nil
	case !errors.Is(err, encoding.ErrInvalidUTF8):
		return utf8Name, nil // met again by the one who reads, who knows the row
	}
	if err := s.file.rewind(); err != nil {
		return "", unreadable(0, err)
	}
	if isChinese(transform.NewReader(io.LimitReader(s.file, chineseSample), simplifiedchinese.GB18030.NewDecoder())) {
		return gb18030Name, nil
	}
	return utf8Name, nil
}

// guessUTF16 looks for the zero halves of ASCII characters: every comma, digit and @ has one, and always on the same side.
func guessUTF16(head []byte) string {
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	most, least := max(zeros[0], zeros[1]), min(zeros[0], zeros[1])
	if least > 0 || most < 4 || most*10 < len(head) { // a fifth of the characters, at least
		return ""
	}
	name, order := utf16le, unicodetext.LittleEndian
	if zeros[0] > 0 {
		name, order = utf16be, unicodetext.BigEndian
	}
	text, err := unicodetext.UTF16(order, unicodetext.IgnoreBOM).NewDecoder().Bytes(head[:len(head)&^1])
	if err != nil || bytes.ContainsRune(bytes.TrimSuffix(text, []byte("\ufffd")), unicode.ReplacementChar) {
		return ""
	}
	return name
}

// chineseSample is how much of a file is looked at to tell whether it is Chinese, in octets.
const chineseSample = 1 << 20

// isChinese reports whether text that was read as GB 18030 makes sense as such. That no byte is wrong proves little: much of what is
// written in other encodings can be read so, but gives characters that nobody uses. Text with kana is not taken for Chinese, since EUC-JP
// differs in nothing but its characters.
func isChinese(text io.Reader) bool {
	in := bufio.NewReader(text)
	hanzi, frequent := 0, 0
	for {
		r, _, err := in.ReadRune()
		switch {
		case err != nil:
			return hanzi >= 8 && (frequent*10 >= hanzi*6 || hanzi >= 40 && frequent*10 >= hanzi*4)
		case r == unicode.ReplacementChar || unicode.In(r, unicode.Hiragana, unicode.Katakana):
			return false
		case unicode.Is(unicode.Han, r):
			hanzi++
			if strings.ContainsRune(frequentHanzi, r) {
				frequent++
			}
		}
	}
}
