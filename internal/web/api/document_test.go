package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/testkit"
)

func TestTheOpenAPIDocumentIsWhatWeKnow(t *testing.T) {
	t.Parallel()
	h := open(t)
	got := h.ask("GET", "/api/openapi.json", nil, "Authorization", "").is(http.StatusOK)
	if kind := got.header.Get("Content-Type"); kind != "application/openapi+json" {
		t.Error(kind)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, got.body, "", "  "); err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "testdata/openapi.json", append(indented.Bytes(), '\n'))
	if yaml := string(h.ask("GET", "/api/openapi.yaml", nil, "Authorization", "").is(http.StatusOK).body); !strings.Contains(yaml, "openapi: 3.1.0") {
		t.Errorf("%.200s", yaml)
	}
}

func TestTheManualHasEveryOperationAndLoadsNothingOfOthers(t *testing.T) {
	t.Parallel()
	h := open(t)
	r := h.ask("GET", "/api/docs", nil, "Authorization", "").is(http.StatusOK)
	page, err := goquery.NewDocumentFromReader(bytes.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	for id := range wanted {
		if page.Find("article h3#"+id).Length() != 1 {
			t.Errorf("%s is not in it", id)
		}
	}
	page.Find("[src], link[href], a[href]").Each(func(_ int, e *goquery.Selection) {
		at := e.AttrOr("href", e.AttrOr("src", ""))
		if !strings.HasPrefix(at, "#") && !strings.HasPrefix(at, "/api/") {
			t.Errorf("it leads to %s", at)
		}
		if id, here := strings.CutPrefix(at, "#"); here && page.Find(`[id="`+id+`"]`).Length() != 1 {
			t.Errorf("%s leads nowhere", at)
		}
	})
	if page.Find("script, style, [style], [onclick]").Length() > 0 {
		t.Error("it has scripts or inline styles")
	}
	if css := h.ask("GET", "/api/docs.css", nil, "Authorization", "").is(http.StatusOK); strings.Contains(string(css.body), "url(") || css.header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%v", css.header)
	}
}
