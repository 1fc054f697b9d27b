package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/htmlindex"
	"pgregory.net/rapid"

	"silkpost/internal/errs"
)

// known are the columns that have a meaning in these tests.
func known(column string) bool {
	return slices.Contains([]string{"email", "name", "country"}, strings.ToLower(strings.TrimSpace(column)))
}

// read returns the whole table.
func read(t testing.TB, file io.ReadSeeker, encoding string) (s *Sheet, rows []Row, err error) {
	t.Helper()
	s, err = Open(file, Options{Encoding: encoding, Known: known})
	for err == nil {
		var row Row
		if row, err = s.Next(); err == nil {
			rows = append(rows, row)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return s, rows, err
}

func encode(t testing.TB, name, text string) string {
	t.Helper()
	e, err := htmlindex.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := e.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestRead(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file    string
		columns []string
		rows    []Row
	}{
		"commas":              {"email,name\na,b\n", []string{"email", "name"}, []Row{{2, []string{"a", "b"}}}},
		"no last line break":  {"email,name\na,b", []string{"email", "name"}, []Row{{2, []string{"a", "b"}}}},
		"CRLF":                {"email,name\r\na,b\r\nc,d\r\n", []string{"email", "name"}, []Row{{2, []string{"a", "b"}}, {3, []string{"c", "d"}}}},
		"CR alone":            {"email,name\ra,b\rc,\"d\re\"\r", []string{"email", "name"}, []Row{{2, []string{"a", "b"}}, {3, []string{"c", "d\re"}}}},
		"semicolons":          {"email;name\na;b,c\n", []string{"email", "name"}, []Row{{2, []string{"a", "b,c"}}}},
		"tabs":                {"email\tname\na\tb,c;d\n", []string{"email", "name"}, []Row{{2, []string{"a", "b,c;d"}}}},
		"commas in the names": {"\"Name, first, last\";email\na;b\n", []string{"Name, first, last", "email"}, []Row{{2, []string{"a", "b"}}}},
		"semicolons quoted":   {"\"a;b;c;d\",email\nx,y\n", []string{"a;b;c;d", "email"}, []Row{{2, []string{"x", "y"}}}},
		"more bare commas":    {"email;a, b, c\nx;y\n", []string{"email", "a, b, c"}, []Row{{2, []string{"x", "y"}}}},
		"one column":          {"email\na\n", []string{"email"}, []Row{{2, []string{"a"}}}},
		"sep":                 {"sep=;\r\nx;email\r\na;b\r\n", []string{"x", "email"}, []Row{{2, []string{"a", "b"}}}},
		"sep of its own":      {"sep=|\nx|email\na|b\n", []string{"x", "email"}, []Row{{2, []string{"a", "b"}}}},
		"quoted sep":          {"\"sep=\t\"\nx\temail\na,c\tb\n", []string{"x", "email"}, []Row{{2, []string{"a,c", "b"}}}},
		"UTF-8 with mark":     {"\xef\xbb\xbfemail,name\na,é\n", []string{"email", "name"}, []Row{{2, []string{"a", "é"}}}},
		"blank rows":          {"\n,,\nemail,name\n\n , \na,b\n;\n", []string{"email", "name"}, []Row{{6, []string{"a", "b"}}, {7, []string{";", ""}}}},
		"line breaks in cells": {
			"email,name\na,\"b\r\nc\n\nd\"\ne,f\n",
			[]string{"email", "name"},
			[]Row{{2, []string{"a", "b\r\nc\n\nd"}}, {3, []string{"e", "f"}}},
		},
		"quotation marks":    {"email,name\na,\"b \"\"c\"\"\"\n", []string{"email", "name"}, []Row{{2, []string{"a", `b "c"`}}}},
		"spaces around":      {"email, \"name\"  ,x\na,  \"b,c\",d\n", []string{"email", "name", "x"}, []Row{{2, []string{"a", "b,c", "d"}}}},
		"smart quotes":       {"email,name\na,“b” ‘c’\n", []string{"email", "name"}, []Row{{2, []string{"a", "“b” ‘c’"}}}},
		"texts like numbers": {"email,x,y\na,=\"0123\",\"=\"\"01\"\"\"\n", []string{"email", "x", "y"}, []Row{{2, []string{"a", "0123", "01"}}}},
		"no formula":         {"email,x,y\na,'+39 06,'t Hooft\n", []string{"email", "x", "y"}, []Row{{2, []string{"a", "+39 06", "'t Hooft"}}}},
		"a formula":          {"email,x\na,=A1\n", []string{"email", "x"}, []Row{{2, []string{"a", "=A1"}}}},
		"empty columns":      {"email,name,,\na,b,,\n", []string{"email", "name", "", ""}, []Row{{2, []string{"a", "b", "", ""}}}},
		"empty cells beyond": {"email,name\na,b,\n", []string{"email", "name"}, []Row{{2, []string{"a", "b", ""}}}},
		"empty cells left out": {
			"email,name,x\na\nb,c\n", []string{"email", "name", "x"}, []Row{{2, []string{"a", "", ""}}, {3, []string{"b", "c", ""}}},
		},
		"cut off":         {"email,name,x\na,b,c\nd,e", []string{"email", "name", "x"}, []Row{{2, []string{"a", "b", "c"}}, {3, []string{"d", "e"}}}},
		"too many cells":  {"email,name\na,b,c\n", []string{"email", "name"}, []Row{{2, []string{"a", "b", "c"}}}},
		"names on a line": {"\"e\n mail\",\u00a0name \n", []string{"e mail", "name"}, nil},
		"zero":            {"email,a\x00b\na,b\x00c\n", []string{"email", "a\x00b"}, []Row{{2, []string{"a", "b\x00c"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, rows, err := read(t, strings.NewReader(tt.file), "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.columns, s.Columns); diff != "" {
				t.Errorf("columns (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.rows, rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if s.Read() != int64(len(tt.file)) {
				t.Errorf("read %d of %d", s.Read(), len(tt.file))
			}
		})
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	const chinese = "email,姓名,单位\na@example.org,王伟,北京科学中心\nb@example.org,李娜,上海自然博物馆\n"
	const japanese = "email,名前,機関\na@example.org,田中,科学博物館\nb@example.org,さとう,東京大学\n"
	for name, tt := range map[string]struct {
		text, in string // in: encoded so
		mark     string
		named    string // what the file is said to be
		found    string // "": refused
	}{
		"UTF-8":                    {chinese, "utf-8", "", "", "utf-8"},
		"UTF-8 with mark":          {chinese, "utf-8", "\xef\xbb\xbf", "", "utf-8"},
		"UTF-16 LE":                {chinese, "utf-16le", "\xff\xfe", "", "utf-16le"},
		"UTF-16 BE":                {chinese, "utf-16be", "\xfe\xff", "", "utf-16be"},
		"UTF-16 LE without mark":   {chinese, "utf-16le", "", "", "utf-16le"},
		"UTF-16 BE without mark":   {chinese, "utf-16be", "", "", "utf-16be"},
		"English in UTF-16":        {"email,name\na@example.org,Anna\n", "utf-16be", "", "", "utf-16be"},
		"GBK":                      {chinese, "gbk", "", "", "gb18030"},
		"GB 18030 beyond GBK":      {chinese + "c@example.org,𠮷田,中国\n", "gb18030", "", "", "gb18030"},
		"a mark against the name":  {chinese, "utf-16le", "\xff\xfe", "gbk", "utf-16le"},
		"Big5":                     {"email,姓名,單位\na@example.org,陳偉,臺北科學教育館\nb@example.org,李娜,國立故宮博物院\n", "big5", "", "", ""},
		"Big5 by name":             {"email,姓名,單位\na@example.org,陳偉,臺北科學教育館\n", "big5", "", "Big5", "big5"},
		"Korean":                   {"email,이름,기관\na@example.org,김민준,국립과학관\nb@example.org,이서연,서울대학교\n", "euc-kr", "", "", ""},
		"Japanese":                 {japanese, "euc-jp", "", "", ""},
		"Japanese in Shift JIS":    {japanese, "shift_jis", "", "", ""},
		"western Europe":           {"email,name\na@example.org,Jörg Müller\nb@example.org,René\n", "windows-1252", "", "", ""},
		"western Europe by name":   {"email,name\na@example.org,Jörg Müller\nb@example.org,René\n", "windows-1252", "", "latin1", "windows-1252"},
		"only Müller":              {"email,name\na@example.org,Müller\n", "windows-1252", "", "", ""},
		"central Europe":           {"email,name\na@example.org,Dvořák\nb@example.org,Žižka\n", "windows-1250", "", "", ""},
		"Russian":                  {"email,имя\na@example.org,Анна Иванова\nb@example.org,Пётр\n", "windows-1251", "", "", ""},
		"Russian capitals":         {"email,ИМЯ\na@example.org,АННА\nb@example.org,ПЁТР ИВАНОВ\n", "windows-1251", "", "", ""},
		"Russian in KOI8":          {"email,имяя\na@example.org,анна\nb@example.org,петров иван\n", "koi8-r", "", "", ""},
		"Russian by name":          {"email,имя\na@example.org,Анна\n", "windows-1251", "", "windows-1251", "windows-1251"},
		"a few Chinese characters": {"email,name\na@example.org,王伟\n", "gbk", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := tt.mark + encode(t, tt.in, tt.text)
			reader := strings.NewReader(file)
			_, _ = io.Copy(io.Discard, reader) // wherever it stands
			s, rows, err := read(t, reader, tt.named)
			if tt.found == "" {
				if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "is not UTF-8 text") {
					t.Fatalf("not refused: %v, %v", rows, err)
				}
				return
			}
			if err != nil || s.Encoding != tt.found {
				t.Fatalf("read as %+v: %v", s, err)
			}
			_, want, err := read(t, strings.NewReader(tt.text), "")
			if diff := cmp.Diff(want, rows); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// Sentences are as good a sample as names.
func TestChineseTextIsChinese(t *testing.T) {
	t.Parallel()
	text := "email,备注\na@example.org,\"机器人科普活动走进校园，孩子们在老师的带领下动手拼装、编程，体验人工智能的魅力。主办方表示，将把更多优质资源送到基层。\"\n"
	if s, _, err := read(t, strings.NewReader(encode(t, "gbk", text)), ""); err != nil || s.Encoding != "gb18030" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file     string
		encoding string
		want     string
	}{
		"empty":           {"", "", "the file is empty"},
		"blank":           {"\xef\xbb\xbf\n , \n", "", "the file is empty"},
		"sep alone":       {"sep=;\n", "", "the file is empty"},
		"workbook":        {"PK\x03\x04\x14\x00\x06\x00xl/workbook.xml", "", `the file is a workbook, not CSV: save the sheet as "CSV UTF-8"`},
		"old workbook":    {"\xd0\xcf\x11\xe0\xa1\xb1", "", "the file is a workbook"},
		"archive":         {"PK\x03\x04\x14\x00\x08\x00subscribed_members_export.csv", "", "the file is a zip archive: unpack it"},
		"no encoding":     {"email\n", "ebcdic", `"ebcdic" is no encoding that is known`},
		"no text at all":  {"email\n", "replacement", `"replacement" is no encoding that is known`},
		"open":            {"email\na\n\n\"b\nc\n", "", "row 4 cannot be read: a quotation mark is not closed"},
		"bare":            {"email,name\na,b\"c\"\n", "", "row 2 cannot be read: a quotation mark stands inside a cell that does not begin with one"},
		"single":          {"email,name\na,\"b\"c\"\n", "", "row 2 cannot be read: a quotation mark stands singly inside a quoted cell"},
		"long":            {"email,name\na,\"" + strings.Repeat("b\n", 1<<19) + "\"\n", "", "row 2 is longer than a megabyte"},
		"not UTF-8":       {"email\n" + strings.Repeat("a\n", 50_000) + "\xe9\n", "", "row 50002 is not UTF-8 text: save the file as"},
		"mark, not UTF-8": {"\xef\xbb\xbfemail\n\xe9\n", "", "row 2 is not UTF-8 text"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := read(t, strings.NewReader(tt.file), tt.encoding)
			if errs.KindOf(err) != errs.Invalid || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// broken is a file that breaks off after its text.
type broken struct {
	*strings.Reader
}

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errors.New("disk on fire")
	}
	return n, err
}

func TestFilesThatBreakOff(t *testing.T) {
	t.Parallel()
	text := "email\n" + strings.Repeat("a\n", 100_000)
	for _, tt := range []struct{ text, want string }{
		{"", "cannot read the file: disk on fire"},
		{text, "cannot read the file after row 100001: disk on fire"},
		{text + `"b`, "cannot read the file after row 100001: disk on fire"},
		{text + `b`, "cannot read the file after row 100001: disk on fire"},
	} {
		if _, _, err := read(t, broken{strings.NewReader(tt.text)}, ""); errs.KindOf(err) != errs.Unavailable || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// A file that comes in small pieces is the same file.
func TestSmallPieces(t *testing.T) {
	t.Parallel()
	text := strings.NewReader(encode(t, "gbk", "email,姓名\n\"a\"\"\r\n\",王伟\r\nb,北京科学中心\r"))
	piecemeal := struct {
		io.Reader
		io.Seeker
	}{iotest.OneByteReader(text), text}
	_, rows, err := read(t, piecemeal, "")
	if diff := cmp.Diff([]Row{{2, []string{"a\"\r\n", "王伟"}}, {3, []string{"b", "北京科学中心"}}}, rows); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}

func TestWriter(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w, err := NewWriter(&out, ';')
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range [][]string{{"email", "x;y"}, {"=HYPERLINK(1)", "+39"}, {"\t@x", "-1"}, {"＝1", "a\nb"}, {"'t", " x"}} {
		if err := w.Write(row...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	const want = "\ufeffemail;\"x;y\"\r\n'=HYPERLINK(1);'+39\r\n'\t@x;'-1\r\n'＝1;\"a\r\nb\"\r\n't;\" x\"\r\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// What Writer wrote reads as what it was given, but for how line breaks in cells are written.
func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		cell := rapid.Custom(func(rt *rapid.T) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{
				"a", "é", "王", ",", ";", "\t", `"`, "'", "=", "+", "-", "@", " ", "\n", "b", "\u00a0", "\x00", "0",
			}), 0, 6).Draw(rt, "cell"), "")
		})
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 3, 3), 1, 5).Draw(rt, "rows")
		var out bytes.Buffer
		comma := rapid.SampledFrom([]byte{',', ';', '\t'}).Draw(rt, "comma")
		w, _ := NewWriter(&out, comma)
		want := []Row{}
		_ = w.Write("email", "name", "country")
		for i, row := range rows {
			if err := w.Write(row...); err != nil {
				rt.Fatal(err)
			}
			if strings.TrimSpace(strings.Join(row, "")) != "" {
				want = append(want, Row{i + 2, row})
			}
		}
		if err := w.Flush(); err != nil {
			rt.Fatal(err)
		}
		s, got, err := read(t, strings.NewReader(strings.ReplaceAll(out.String(), "\r\n", "\n")), "")
		if err != nil || s.Comma != comma {
			rt.Fatalf("%v\n%q", err, out.String())
		}
		if diff := cmp.Diff(want, append([]Row{}, got...)); diff != "" {
			rt.Fatalf("%q (-written +read):\n%s", out.String(), diff)
		}
	})
}

// Whatever a file holds, it is read or told in one line; and what the standard library reads as records is read as the same.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"email,name\na,b\n", "\xff\xfee\x00,\x00x\x00\n\x00", "\xfe\xff\x00e\x00\n\x00a", "sep=;\nemail;b\n\"x\";=\"1\"\n", "a\rb\r\n\"\n\"\"\"\r",
		encode(f, "gbk", "email,姓名\na,王伟\nb,李娜\nc,中国科学技术\n"), "\xef\xbb\xbfemail\n'=1,,\n", "email\n\"", "x,\"a\"b\n", "\x00\n\x00", "\xe9,\n",
	} {
		f.Add([]byte(seed), "")
	}
	f.Add([]byte("email\n\x81\xff\xfe"), "gb18030")
	f.Add([]byte("email\n\xd8\x00\xd8"), "utf-16be")
	f.Fuzz(func(t *testing.T, file []byte, encoding string) {
		s, rows, err := read(t, bytes.NewReader(file), encoding)
		if err != nil && (errs.KindOf(err) != errs.Invalid || strings.ContainsAny(err.Error(), "\r\n\x00")) {
			t.Fatalf("%q", err)
		}
		last := 0
		for _, row := range rows {
			if row.Number <= last {
				t.Fatalf("row %d comes after row %d", row.Number, last)
			}
			last = row.Number
		}
		if err != nil || s.Encoding != utf8Name || bytes.ContainsAny(file, "\r=' ") {
			return
		}
		compareWithStandard(t, file, s.Comma, rows)
	})
}

// compareWithStandard compares what the standard library reads, which takes fewer liberties.
func compareWithStandard(t *testing.T, file []byte, comma byte, rows []Row) {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))))
	r.Comma, r.FieldsPerRecord = rune(comma), -1
	all, err := r.ReadAll()
	if err != nil {
		return
	}
	all = slices.DeleteFunc(all, func(cells []string) bool { return strings.TrimSpace(strings.Join(cells, "")) == "" })
	if len(rows) != len(all)-1 {
		t.Fatalf("%d rows, and a header; the standard library reads %d", len(rows), len(all))
	}
	for i, row := range rows {
		for j := range max(len(row.Cells), len(all[i+1])) {
			if got, want := at(row.Cells, j), at(all[i+1], j); got != want && strings.TrimSpace(got+want) != "" {
				t.Fatalf("row %d, cell %d: %q, the standard library reads %q", row.Number, j, got, want)
			}
		}
	}
}

func at(cells []string, i int) string {
	if i < len(cells) {
		return cells[i]
	}
	return ""
}
