package sources

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/articles"
)

func TestReadMarkdown(t *testing.T) {
	t.Parallel()
	full := articles.Draft{
		ExternalKey: "42", TranslationKey: "hall", URL: "https://www.example.org/hall", Title: "The hall: opening", Summary: "It opens.",
		Language: "zh-Hans", Section: "News", Tags: []string{"robots", "may"}, Authors: []string{"Press office"}, ImageURL: "hall.jpg",
		ImageAlt: "A hall", Published: time.Date(2020, 5, 11, 0, 0, 0, 0, time.UTC), Updated: time.Date(2020, 5, 12, 6, 0, 0, 0, time.UTC),
		HTML: "<p>Text with <em>weight</em> and <a href=\"b\">a link</a>.</p>\n",
	}
	const text = "\nText with *weight* and [a link](b).\n"
	tests := []struct {
		name, in string
		want     articles.Draft
	}{
		{"YAML", `---
id: 42
title: "The hall: opening"
date: 2020-05-11
updated: 2020-05-12 08:00:00 +0200
lang: zh-Hans
section: News
tags: [robots, may]
authors:
  - Press office
url: https://www.example.org/hall
image: hall.jpg
image_alt: A hall
summary: It opens.
translation_key: hall
layout: {wide: true}
---
` + text, full},
		{"TOML", `+++
id = 42
title = "The hall: opening"
date = 2020-05-11
updated = 2020-05-12T08:00:00+02:00
language = "zh-Hans"
section = "News"
tags = ["robots", "may"]
author = "Press office"
url = "https://www.example.org/hall"
image = "hall.jpg"
image_alt = "A hall"
summary = "It opens."
translation_key = "hall"
+++
` + text, full},
		{"heading as title", "Before.\n\n# The *new* hall & `more`\n\nText.", articles.Draft{Title: "The new hall & more", HTML: "<p>Before.</p>\n<p>Text.</p>\n"}},
		{"heading repeats the title", "---\ntitle: Hall\n---\n# Hall\n\nText.", articles.Draft{Title: "Hall", HTML: "<p>Text.</p>\n"}},
		{"another heading stays", "---\ntitle: Hall\n---\n# Today\n\nText.", articles.Draft{Title: "Hall", HTML: "<h1>Today</h1>\n<p>Text.</p>\n"}},
		{"byte order mark and CRLF", "\ufeff---\r\ntitle: Hall\r\ntags: a, b\r\n---\r\nText.", articles.Draft{Title: "Hall", Tags: []string{"a", "b"}, HTML: "<p>Text.</p>\n"}},
		{"no front matter but a line", "---\n\n# Hall\n\nText.", articles.Draft{Title: "Hall", HTML: "<hr>\n<p>Text.</p>\n"}},
		{"a note below a line", "---\nNote: *new*\n\n# Hall\n\nText.", articles.Draft{Title: "Hall", HTML: "<hr>\n<p>Note: <em>new</em></p>\n<p>Text.</p>\n"}},
		{"table and raw HTML", "# Hall\n\n|a|b|\n|-|-|\n|1|2|\n\n<p onclick=x>raw</p>", articles.Draft{
			Title: "Hall",
			HTML:  "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td>2</td>\n</tr>\n</tbody>\n</table>\n<p onclick=x>raw</p>",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := readMarkdown(file{body: []byte(tt.in)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadMarkdownRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"---\ntitle: [a\n---\nText.":                 "front matter cannot be read",
		"---\n- a\n- b\n---\nText.":                  "front matter cannot be read",
		"+++\ntitle = a\n+++\nText.":                 "front matter cannot be read",
		"+++\ntitle = 'a'\nText.":                    "has no end; close it with a line of +++",
		"---\ntitle: a\n\nText.":                     "has no end; close it with a line of ---",
		"---\r\nlang: en\r\ntitle: a\r\n\r\n# b\r\n": "has no end; close it with a line of ---",
		"---":                                       "has no title",
		"---\ntitle: [a]\n---\nText.":               "title must be a text",
		"---\ntitle: a\ntags: {a: b}\n---\nT":       "tags must be a list",
		"---\ntitle: a\ntags: [{a: b}]\n---\nT":     "tags must be a list",
		"---\ntitle: a\ndate: soon\n---\nText.":     `date "soon" is not a date such as`,
		"---\ntitle: a\nlang: elvish!\n---\nText.":  `"elvish!" is not a language tag`,
		"---\ntitle: a\nurl: /a/b\n---\nText.":      `url "/a/b" is not a web address`,
		"---\ntitle: a\ndraft: true\n---\nText.":    "draft = true",
		"Text.":                                     "has no title",
		"---\ntitle: a\nurl: 'javascript:x'\n---\n": "is not a web address",
	}
	for in, says := range tests {
		_, err := readMarkdown(file{body: []byte(in)})
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %v, want %q", in, err, says)
		}
	}
}

func FuzzReadMarkdown(f *testing.F) {
	f.Add("---\ntitle: a\ndate: 2020-05-11\ntags: [a, 1, null]\n---\n# b\n\nText.")
	f.Add("+++\ntitle = 'a'\ndate = 2020-05-11T08:00:00\n+++\n<p>Text")
	f.Fuzz(func(t *testing.T, content string) {
		if d, err := readMarkdown(file{body: []byte(content)}); err == nil && d.Title == "" {
			t.Fatalf("no title and no error: %q", content)
		}
	})
}
