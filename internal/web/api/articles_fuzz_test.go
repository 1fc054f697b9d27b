package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"silkpost/internal/calls"
	"silkpost/internal/web/api"
)

// articleBodies are articles as programs bring them, well and badly: every field, every type, every edge that was thought of.
func articleBodies() (all []string) {
	whole := map[string]string{
		"source": `"cms"`, "external_key": `"a"`, "title": `"A"`, "html": `"<p>b</p>"`, "summary": `"c"`, "url": `"https://www.example.org/a"`, "guid": `"urn:x:1"`,
		"language": `"en"`, "translation_key": `"t"`, "section": `"News"`, "tags": `["x", "y"]`, "authors": `["Press office"]`,
		"image": `{"url": "https://www.example.org/a.jpg", "alt": "d"}`, "published_at": `"2026-03-01T09:00:00Z"`, "updated_at": `"2026-03-01T09:00:00+08:00"`,
		"not_before": `"2026-06-01T09:00:00Z"`, "unfinished": `true`, "urgent": `true`, "pinned": `false`,
	}
	names := slices.Sorted(maps.Keys(whole))
	with := func(changed map[string]string) string {
		var fields []string
		for _, name := range names {
			value := whole[name]
			if other, there := changed[name]; there {
				value = other
			}
			if value != "" {
				fields = append(fields, fmt.Sprintf("%q: %s", name, value))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	}
	all = append(all, with(nil))
	odd := []string{
		"", "null", "7", "-1e999", "true", `""`, `" "`, "[]", "{}", `[null]`, `["", "\u00a0", 7]`, `{"url": 7}`, `"\u0000"`, `"\ud800"`, `"\u202e\u200b"`, `"\r\n"`, `"//x"`, `"javascript:alert(1)"`,
		`"http://[::1]:99999/%zz"`, `"0000-01-01T00:00:00Z"`, `"9999-12-31T23:59:59+23:59"`, `"2026-02-30T25:61:61Z"`, `"zh-Hant-x-private"`, `"&#0;&lt;script&gt;"`,
		`"<svg><style><img src=x onerror=y></style>"`, `"<table><tr><td><p>"`, `"` + strings.Repeat("<b>", 600) + `"`, `"` + strings.Repeat("ü", 501) + `"`,
	}
	for i, name := range names {
		for j := i % 4; j < len(odd); j += 4 { // all of them would take long
			all = append(all, with(map[string]string{name: odd[j]}))
		}
	}
	return append(all,
		robots, `{}`, `[]`, `null`, `"x"`, `{`, "\xff", `{"source": "cms", "source": "files", "external_key": "a", "title": "A", "text": "b"}`,
		`{"Source": "cms", "External_Key": "a", "TITLE": "A", "text": "b", "title": 7}`, `{"source": "cms", "external_key": "a", "title": "A", "html": "b", "text": "c"}`,
		`{"source": "nowhere", "external_key": "a", "title": "A", "text": "b"}`, `{"source": "cms", "external_key": "`+strings.Repeat("ü", 500)+`", "title": "A", "text": "b"}`,
		`{"source": "cms", "external_key": "../../x?y#z", "title": "A", "text": "b"}`, `{"source": "cms", "articles": [{"external_key": "a"}], "keep_going": 1}`,
		`{"source": "cms", "keep_going": true, "articles": [null, 7, {}, {"external_key": "a", "title": "A", "text": "b"}], "articles[0]": 1}`,
		`{"source": "cms", "keep_going": true, "articles": [{}], "Articles": [{}, {}, {"external_key": "a", "title": "A", "text": "b"}]}`,
	)
}

// Whatever a program sends, it is told what is wrong with it, or it is taken: nothing of it breaks anything here. Among others it keeps no good article out.
func FuzzArticleBodies(f *testing.F) {
	for _, body := range articleBodies() {
		f.Add([]byte(body))
	}
	h := openLimited(f, calls.Limit{Times: math.MaxInt32, Within: time.Minute}) // by its clock all calls come within one minute
	f.Fuzz(func(t *testing.T, body []byte) {
		ask := func(method, path string, body any) reply {
			r, err := h.try(method, path, body)
			if r.t = t; err != nil {
				t.Fatal(err)
			}
			switch {
			case r.status >= http.StatusInternalServerError:
				t.Fatalf("%d %s", r.status, r.body)
			case r.status >= http.StatusBadRequest:
				r.problem(r.status)
			}
			return r
		}
		if r := ask("POST", "/api/v1/articles", body); r.status < http.StatusMultipleChoices {
			var made api.PushedArticle
			r.into(&made)
			ask("GET", "/api/v1/sources/cms/articles/"+url.PathEscape(made.ExternalKey), nil).is(http.StatusOK)
		}
		ask("POST", "/api/v1/articles/bulk", body)
		among := `{"source": "cms", "keep_going": true, "articles": [{"external_key": "good", "title": "Good", "text": "Words."}, ` + string(body) + `]}`
		if r := ask("POST", "/api/v1/articles/bulk", among); json.Valid(body) && r.status != http.StatusBadRequest {
			var done api.PushedArticles
			if r.is(http.StatusOK).into(&done); len(done.Articles) != 2 || done.Articles[0].State != "published" {
				t.Fatalf("%s: %+v", body, done)
			}
		}
	})
}
