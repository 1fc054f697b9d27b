package catcher_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/templates"
)

const hostile = "From: \"<script>alert(1)</script>\" <a@example.org>\r\n" +
	"Subject: =?utf-8?q?=3Cscript=3Ealert(2)=3C/script=3E?=\r\n" +
	"X-Evil: \"><img src=x onerror=alert(3)>\r\n" +
	"Content-Type: multipart/alternative; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n</pre><script>alert(4)</script>\r\n" +
	"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><HEAD lang=en><title>x</title><lInK rel=preconnect href=https://tracker.example></head><body onload=alert(5)>" +
	"<script>alert(6)</script><IFRAME src=https://tracker.example></iframe><object data=https://tracker.example></object><img src=\"https://tracker.example/p.gif\"><a href=\"https://www.example.org/\">Read on</a></body></html>\r\n--b--\r\n"

// page is an answer of the pages.
type page struct {
	status int
	header http.Header
	body   string
}

// site is a catcher's pages below /catcher.
type site struct {
	t *testing.T
	http.Handler
}

func pagesOf(t *testing.T, c *catcher.Catcher) site {
	t.Helper()
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	return site{t, c.Handler(set, "/catcher")}
}

func (s site) get(path string) page {
	s.t.Helper()
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	body, err := io.ReadAll(answer.Result().Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return page{answer.Code, answer.Header(), string(body)}
}

func (p page) document(t *testing.T) *goquery.Document {
	t.Helper()
	d, err := goquery.NewDocumentFromReader(strings.NewReader(p.body))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestHostileMessageStaysInItsFrame(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{})
	if err := send(server.Addr, "a@example.org", "b@example.com", hostile); err != nil {
		t.Fatal(err)
	}
	s := pagesOf(t, server.Catcher)
	at := "/catcher/" + server.Messages()[0].ID

	for _, path := range []string{"/catcher/", at, at + "?view=text", at + "?view=headers", at + "?view=raw", at + "?view=nonsense"} {
		p := s.get(path)
		d := p.document(t)
		if p.status != http.StatusOK || d.Find("script, [onload], [onerror], img").Length() > 0 {
			t.Errorf("%s: %d, foreign markup in %s", path, p.status, p.body)
		}
		policy := p.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
	frame := s.get(at).document(t).Find("iframe")
	if src, _ := frame.Attr("src"); src != at+"/html" {
		t.Errorf("the frame shows %q", src)
	}
	if sandbox, ok := frame.Attr("sandbox"); !ok || strings.Contains(sandbox, "allow-scripts") || strings.Contains(sandbox, "allow-same-origin") {
		t.Errorf("the frame's sandbox is %q, %v", sandbox, ok)
	}

	p := s.get(at + "/html")
	policy := p.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "img-src data:;", "; sandbox allow-popups allow-popups-to-escape-sandbox", "form-action 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("policy %q is without %q", policy, part)
		}
	}
	if strings.Contains(policy, "allow-scripts") || strings.Contains(policy, "allow-same-origin") {
		t.Errorf("policy %q lets it run", policy)
	}
	if !strings.Contains(p.body, `<HEAD lang=en><base target="_blank"><title>`) || !strings.Contains(p.body, "Read on") ||
		p.document(t).Find("link, iframe, object").Length() > 0 {
		t.Errorf("the frame holds %s", p.body)
	}
	if kind := p.header.Get("Content-Type"); kind != "text/html; charset=utf-8" || p.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("Content-Type %q", kind)
	}
}

func TestViews(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{})
	if err := send(server.Addr, "a@example.org", "b@example.com", hostile); err != nil {
		t.Fatal(err)
	}
	if err := send(server.Addr, "a@example.org", "b@example.com", letter); err != nil {
		t.Fatal(err)
	}
	if err := send(server.Addr, "a@example.org", "b@example.com", "Content-Type: text/html\r\n\r\n<p>HTML alone\r\n"); err != nil {
		t.Fatal(err)
	}
	s := pagesOf(t, server.Catcher)
	at := func(n int) string { return "/catcher/" + server.Messages()[n].ID }
	first, second, third := at(0), at(1), at(2)

	if text := s.get(first + "?view=text").document(t).Find("pre").Text(); !strings.Contains(text, "</pre><script>alert(4)") {
		t.Errorf("text is %q", text)
	}
	if table := s.get(first + "?view=headers").document(t).Find("table").Text(); !strings.Contains(table, "<script>alert(2)</script>") {
		t.Errorf("headers are %q", table)
	}
	if raw := s.get(first + "?view=raw").document(t).Find("pre").Text(); !strings.Contains(raw, "=?utf-8?q?=3Cscript") {
		t.Errorf("raw is %q", raw)
	}
	d := s.get(second).document(t)
	if d.Find("iframe").Length() != 0 || !strings.Contains(d.Find("pre").Text(), "One line.") {
		t.Errorf("a message without HTML shows %s", d.Text())
	}
	if p := s.get(second + "/html"); p.status != http.StatusNotFound {
		t.Errorf("HTML that is not there: %d", p.status)
	}
	if text := s.get(third + "?view=text").document(t); text.Find("pre").Length() != 0 {
		t.Errorf("a message without text shows %s", text.Text())
	}
	saved := s.get(second + "/raw")
	if saved.body != letter || saved.header.Get("Content-Type") != "message/rfc822" ||
		!strings.HasPrefix(saved.header.Get("Content-Disposition"), "attachment;") {
		t.Errorf("saved %q, %v", saved.body, saved.header)
	}
}

func TestNoPathLeavesTheDirectory(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{})
	s := pagesOf(t, server.Catcher)
	for _, path := range []string{
		"/catcher/..%2f..%2fetc%2fpasswd", "/catcher/..%2fx/raw", "/catcher/20261122T120508.480301Z-0b185046/raw",
		"/catcher/x%00/html", "/catcher/a/b/c", "/elsewhere",
	} {
		if p := s.get(path); p.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, p.status, p.body)
		}
	}
}

func TestListHasPages(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{})
	s := pagesOf(t, server.Catcher)
	dial(t, server.Addr).expect("220") // Serve has its listener
	if p := s.get("/catcher/"); !strings.Contains(p.body, server.Addr) {
		t.Errorf("the empty list does not say where to send to: %s", p.body)
	}
	if err := sendMany(server.Addr, 0, 205); err != nil {
		t.Fatal(err)
	}
	newest := "r0-204@example.com"
	for number, want := range []struct {
		rows         int
		newer, older string
	}{
		{100, "", "/catcher/?page=2"}, {100, "/catcher/", "/catcher/?page=3"}, {5, "/catcher/?page=2", ""},
	} {
		path := fmt.Sprintf("/catcher/?page=%d", number+1)
		d := s.get(path).document(t)
		newer, _ := d.Find("a[rel=prev]").Attr("href")
		older, _ := d.Find("a[rel=next]").Attr("href")
		if rows := d.Find("tbody tr").Length(); rows != want.rows || newer != want.newer || older != want.older {
			t.Errorf("%s: %d rows, newer %q, older %q", path, rows, newer, older)
		}
		if number == 0 && !strings.Contains(d.Find("tbody tr").First().Text(), newest) {
			t.Errorf("%s does not begin with the newest", path)
		}
	}
	for _, query := range []string{"?page=0", "?page=-1", "?page=x", "?page=99999999999999999999", "?page=4"} {
		if p := s.get("/catcher/" + query); p.status != http.StatusOK {
			t.Errorf("%s: %d", query, p.status)
		}
	}
}

func TestMessagesThatAreNoMIME(t *testing.T) {
	t.Parallel()
	server := catchertest.Start(t, catcher.Config{})
	for _, message := range []string{
		"", "\r\n", "no header at all", ": \r\n\r\n", "\xff\xfe\x00", "Content-Type: multipart/mixed\r\n\r\n--\r\n",
		"Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\n--x--\r\n", "Content-Type: text/html; charset=nonsense\r\n\r\n<p>\xe9",
		"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%%", "Subject: =?gb2312?b?0MLOxQ==?=\r\n\r\n",
		strings.Repeat("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n", 500),
	} {
		if err := send(server.Addr, "a@example.org", "b@example.com", message); err != nil {
			t.Fatal(err)
		}
	}
	s := pagesOf(t, server.Catcher)
	for _, m := range server.Messages() {
		for _, view := range []string{"html", "text", "headers", "raw"} {
			if p := s.get("/catcher/" + m.ID + "?view=" + view); p.status != http.StatusOK {
				t.Errorf("%s %s: %d", m.ID, view, p.status)
			}
		}
	}
	if m := server.Messages()[9]; m.Subject != "新闻" {
		t.Errorf("the subject in GB 2312 is %q", m.Subject)
	}
}
