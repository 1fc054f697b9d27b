package adminpage

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// samples are all pages, each in the states that it can be in. A page that is not here is not checked: see TestEveryPageHasSamples.
var samples = slices.Concat(
	[]Page{Message{Status: 404}, Message{Status: 422, Detail: `list: "x" is no hour: write it as 08:00`}, Message{Status: 500}, Message{Status: 409}, Message{Status: 403}},
	homeSamples, sessionSamples, accountsSamples, sourcesSamples, articlesSamples,
	feedsSamples, organisationsSamples, contactsSamples, listsSamples, audiencesSamples,
	importsSamples, editionsSamples, themesSamples, settingsSamples, destinationsSamples,
)

func newSet(t testing.TB) *Set {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryPageCanBeWritten(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	for _, tag := range s.Languages() {
		for _, page := range samples {
			for _, can := range []bool{true, false} {
				var b strings.Builder
				frame := Frame{Page: page, Language: tag, Who: "owner@example.org", Path: "/admin/", Can: func(string) bool { return can }, Done: "saved", Waiting: 3}
				if err := s.Write(&b, frame); err != nil {
					t.Errorf("%T: %v", page, err)
				}
				if strings.Contains(b.String(), "<no value>") {
					t.Errorf("%T in %s has a message without its value", page, tag)
				}
			}
		}
	}
}

func TestEveryPageHasSamples(t *testing.T) {
	t.Parallel()
	sampled := map[string]bool{"layout": true}
	for _, page := range samples {
		sampled[page.template()] = true
	}
	found, err := fs.Glob(files, "html/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found {
		if name := strings.TrimSuffix(strings.TrimPrefix(file, "html/"), ".html"); !sampled[name] && !strings.HasSuffix(name, "parts") {
			t.Errorf("%s is in none of the samples", file)
		}
	}
}

// inline are what the policy of the pages refuses.
var inline = regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<script(>|[^>]*[^r]>[^<])|javascript:|(src|href)="(https?:)?//`)

func TestNothingInline(t *testing.T) {
	t.Parallel()
	found, err := fs.Glob(files, "html/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found {
		content, err := fs.ReadFile(files, file)
		if err != nil {
			t.Fatal(err)
		}
		if at := inline.Find(content); at != nil {
			t.Errorf("%s has %q, which the Content-Security-Policy refuses", file, at)
		}
	}
}
