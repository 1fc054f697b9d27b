package templates

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var someSaid = map[string]string{
	"; ": "；", ": ": "：", "\n": "；", `"%s"`: "“%s”",
	"no @ sign":                         "缺少 @",
	"address %q: %w":                    "地址 %q：%w",
	"row %d says %q of the same %s":     "第 %[1]d 行对同一%[3]s写的是 %[2]q",
	"organisation":                      "机构",
	"%d characters, more than %d":       "有 %d 个字符，超过 %d 个",
	"list %q: %w":                       "列表 %q：%w",
	"no %s":                             "无%s",
	"no %s of that name":                "没有这个名称的%s",
	"100%% of it":                       "全部",
	"%d %ss":                            "%d 个%s",
	"filter: %w":                        "筛选条件：%w",
	"filter: no field %q; there are %s": "筛选条件：没有字段 %q；可用的有 %v",
	"a contrast of %.2f":                "对比度为 %.2f",
}

func TestASentenceIsReadBack(t *testing.T) {
	t.Parallel()
	book := readPhrases(someSaid)
	for english, want := range map[string]string{
		"no @ sign":              "缺少 @",
		`address "a": no @ sign`: "地址 “a”：缺少 @",
		`row 7 says "x" of the same organisation`:               "第 7 行对同一机构写的是 “x”",
		`row 7 says "a \"b\" c" of the same address`:            "第 7 行对同一address写的是 “a \"b\" c”",
		"no organisation of that name":                          "没有这个名称的机构", // and not "no %s"
		`list "x": address "y": 9 characters, more than 5`:      "列表 “x”：地址 “y”：有 9 个字符，超过 5 个",
		"no @ sign; 9 characters, more than 5":                  "缺少 @；有 9 个字符，超过 5 个",
		"no @ sign\n9 characters, more than 5":                  "缺少 @；有 9 个字符，超过 5 个",
		"mail.example.org: no @ sign":                           "mail.example.org：缺少 @",
		`filter: no field "x"; there are organisation, country`: "筛选条件：没有字段 “x”；可用的有 organisation, country",
		"100% of it":         "全部",
		"3 organisations":    "3 个机构",
		"a contrast of 4.50": "对比度为 4.50",
	} {
		if got, able := book.say(english); got != want || !able {
			t.Errorf("%q is %q (%v), want %q", english, got, able, want)
		}
	}
}

// What is none of the program's sentences, such as a server's answer, stays as it came.
func TestOtherSentencesStay(t *testing.T) {
	t.Parallel()
	book := readPhrases(someSaid)
	for _, foreign := range []string{
		"", "550 5.1.1 unknown user", "3 apples", "no", `address "a" is wrong`, "a characters, more than 5", "row 7 says x of the same address", "a: b; c, d",
		strings.Repeat("no @ sign; ", 1000),
	} {
		if got, able := book.say(foreign); got != foreign || able {
			t.Errorf("%.40q became %.40q", foreign, got)
		}
	}
}

// Whatever is said keeps what it was given, and any text is taken.
func TestValuesSurvive(t *testing.T) {
	t.Parallel()
	book := readPhrases(someSaid)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z é中"\\:;,%]{0,40}`).Draw(t, "text")
		got, _ := book.say("list " + strconv.Quote(text) + ": no @ sign")
		if want := "列表 “" + text + "”：缺少 @"; got != want {
			t.Fatalf("%q, want %q", got, want)
		}
		book.say(rapid.StringMatching(`(no |address "|": |; |, | or |\n|[a-z%"]){0,200}`).Draw(t, "anything"))
	})
}
