package sources

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"silkpost/internal/articles"
	"silkpost/internal/fetch"
	"silkpost/internal/testkit"
)

// jcmsVariant is how one version of JCMS, or one template, behaves.
type jcmsVariant struct {
	name     string
	proxy    string // path of the data proxy; "": there is none, the column page has plain links
	inline   bool   // the first records stand in the column page
	next     bool   // the column page links the next group
	params   bool   // the column page has the parameters in a script
	pages    bool   // the proxy knows page=N alone
	cap      int    // records in an answer at most
	gb       bool   // everything is in GB18030
	rows     bool   // records are table rows, not list items
	broken   bool   // CDATA is not closed, records are empty, some lead elsewhere
	escaped  bool   // entities instead of CDATA
	brackets bool   // dates stand in brackets
	post     string // what the proxy says to GET, as it answers POST alone: page, empty, refused; "": it answers GET
	marks    string // around the text of an article: zjeg, field or "" for none
}

var jcmsVariants = []jcmsVariant{
	{name: "records in the page, next group", proxy: jcmsProxy, inline: true, next: true, marks: "zjeg"},
	{name: "older proxy, parameters in a script", proxy: jcmsOldProxy, params: true, rows: true, marks: "zjeg"},
	{name: "pages are counted", proxy: jcmsProxy, inline: true, next: true, pages: true, marks: "field"},
	{name: "pages are counted, none in the page", proxy: jcmsProxy, params: true, pages: true, cap: 15, marks: "zjeg"},
	{name: "records are capped", proxy: jcmsProxy, params: true, cap: 7, brackets: true, marks: "zjeg"},
	{name: "GB18030", proxy: jcmsProxy, inline: true, next: true, gb: true, rows: true, marks: "zjeg"},
	{name: "broken CDATA, empty records", proxy: jcmsProxy, inline: true, next: true, broken: true, brackets: true, marks: "zjeg"},
	{name: "entities instead of CDATA", proxy: jcmsOldProxy, params: true, escaped: true, marks: "field"},
	{name: "nothing is named but the container", proxy: jcmsOldProxy, marks: "zjeg"},
	{name: "POST alone, GET is an error page", proxy: jcmsProxy, params: true, post: "page", marks: "zjeg"},
	{name: "POST alone, GET is refused, pages are counted", proxy: jcmsOldProxy, params: true, post: "refused", pages: true, marks: "zjeg"},
	{name: "POST alone, GET is empty, records in the page", proxy: jcmsProxy, inline: true, next: true, post: "empty", cap: 4, marks: "zjeg"},
	{name: "plain links", marks: ""},
}

// jcmsSite is a site of one variant, behaving over HTTP.
type jcmsSite struct {
	jcmsVariant
	mu       sync.Mutex
	articles []jcmsItem // the newest first
	asked    []string   // what was asked for
	etag     bool       // column pages have one
}

type jcmsItem struct {
	column, id int
	title      string
	at         time.Time
	text       string
}

func (i jcmsItem) path() string {
	return fmt.Sprintf("/art/%d/%d/%d/art_%d_%d.html", i.at.Year(), int(i.at.Month()), i.at.Day(), i.column, i.id)
}

// column29 is the column of the tests.
const column29 = 29

func startJCMS(t testing.TB, v jcmsVariant, n int) (*jcmsSite, string) {
	t.Helper()
	s := &jcmsSite{jcmsVariant: v}
	for i := range n {
		s.publish(column29, 1000+i, fmt.Sprintf("第%d届国际科学节在示例市开幕", i+1))
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return s, srv.URL
}

func (s *jcmsSite) publish(column, id int, title string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := time.Date(2020, 4, 1, 9, 30, 0, 0, chinaTime()).AddDate(0, 0, id-1000)
	item := jcmsItem{column: column, id: id, title: title, at: at, text: "　　" + title + "，来自十六个国家的合作伙伴出席了开幕式，双方就青少年科技交流达成了一致意见。"}
	s.articles = append([]jcmsItem{item}, s.articles...)
}

// took returns which addresses that contain a part were asked for since the last call.
func (s *jcmsSite) took(part string) (found []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, path := range s.asked {
		if strings.Contains(path, part) {
			found = append(found, path)
		}
	}
	return found
}

func (s *jcmsSite) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = nil
}

func (s *jcmsSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Method+" "+r.URL.RequestURI())
	charset, answer := "utf-8", ""
	switch {
	case r.URL.Path == "/":
		answer = s.page("示例市科学技术协会", `<ul><li><a href="/col/col29/index.html">工作动态</a></li><li><a href="/col/col30/index.html">通知公告</a></li></ul>`)
	case strings.HasPrefix(r.URL.Path, "/col/col"):
		column, _ := strconv.Atoi(strings.TrimPrefix(strings.Split(r.URL.Path, "/")[2], "col"))
		answer = s.page("工作动态", s.column(column))
		if tag := fmt.Sprintf(`"%d"`, len(s.articles)); s.etag {
			if r.Header.Get("If-None-Match") == tag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Header().Set("ETag", tag)
		}
	case s.proxy != "" && r.URL.Path == s.proxy && s.post == "refused" && r.Method == http.MethodGet:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case s.proxy != "" && r.URL.Path == s.proxy:
		answer = s.answer(r)
	default:
		i := slices.IndexFunc(s.articles, func(a jcmsItem) bool { return a.path() == r.URL.Path })
		if i < 0 {
			http.NotFound(w, r)
			return
		}
		answer = s.article(s.articles[i])
	}
	if s.gb {
		charset = "GBK"
		answer, _ = simplifiedchinese.GB18030.NewEncoder().String(answer)
	}
	kind := "text/html"
	if strings.HasSuffix(r.URL.Path, ".jsp") {
		kind = "text/xml"
	}
	w.Header().Set("Content-Type", kind+";charset="+charset)
	fmt.Fprint(w, answer)
}

func (s *jcmsSite) page(title, content string) string {
	charset := "utf-8"
	if s.gb {
		charset = "gb2312"
	}
	return `<!DOCTYPE html><html><head><meta charset="` + charset + `"><title>` + title + `</title></head><body><div class="nav"><a href="/col/col1/index.html">首页</a></div>` +
		content + `<div class="foot">版权所有 示例市科学技术协会 Produced By 大汉网络 大汉版通发布系统</div></body></html>`
}

func (s *jcmsSite) of(column int) (found []jcmsItem) {
	for _, a := range s.articles {
		if a.column == column {
			found = append(found, a)
		}
	}
	return found
}

func (s *jcmsSite) query(column int) string {
	return fmt.Sprintf("page=2&amp;appid=1&amp;webid=8&amp;path=/&amp;columnid=%d&amp;unitid=1737&amp;webname=%%27示例市科协%%27&amp;permissiontype=0", column)
}

// column is the part of a column page that lists articles.
func (s *jcmsSite) column(column int) string {
	all := s.of(column)
	if s.proxy == "" {
		var b strings.Builder
		for _, a := range all[:min(len(all), 20)] {
			fmt.Fprintf(&b, `<li><a href="%s" title="%s">%s…</a><span>%s</span></li>`, a.path(), a.title, string([]rune(a.title)[:6]), a.at.Format("2006-01-02"))
		}
		return "<ul>" + b.String() + "</ul>"
	}
	script := `<div id="1737"></div><script>$(function(){ $("#1737").jpage({ perPage:15, groupSize:3, showMode:'full' }); });</script>`
	if s.params {
		script = fmt.Sprintf(`<div id="1737"></div><script>$("#1737").jpage({ totalRecord:%d, proxyUrl:'%s', perPage:15,
			ajaxParam:{col:1,appid:1,webid:8,path:'/',columnid:%d,sourceContentType:1,unitid:'1737',webname:'示例市科协',permissiontype:0} });</script>`, len(all), s.proxy, column)
	}
	if !s.inline {
		return script
	}
	next := ""
	if s.next {
		next = fmt.Sprintf(`<nextgroup><![CDATA[<a href="%s?%s"></a>]]></nextgroup>`, s.proxy, s.query(column))
	}
	return script + fmt.Sprintf(`<script type="text/xml"><datastore>%s<recordset>%s</recordset></datastore></script>`, next, s.records(all[:min(len(all), 15)]))
}

func (s *jcmsSite) records(items []jcmsItem) string {
	var b strings.Builder
	for i, a := range items {
		day := a.at.Format("2006-01-02")
		if s.brackets {
			day = "[" + day + "]"
		}
		item := fmt.Sprintf(`<li><a href="%s" target="_blank" title="%s">%s</a><span>%s</span></li>`, a.path(), a.title, a.title, day)
		if s.rows {
			item = fmt.Sprintf(`<tr><td width="20">·</td><td><a href='%s' class='bt_link' target='_blank'>%s</a></td><td>%s</td></tr>`, a.path(), a.title, day)
		}
		switch {
		case s.escaped:
			fmt.Fprintf(&b, "<record>%s</record>", strings.NewReplacer("<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(item))
		case s.broken && i%3 == 1:
			fmt.Fprintf(&b, "<record><![CDATA[%s] ]></record><record></record><record><![CDATA[]]></record>", item)
		case s.broken && i%3 == 2:
			fmt.Fprintf(&b, `<record><![CDATA[%s<record><![CDATA[<li><a href="https://www.example.com/art/2024/5/6/art_9_9.html">elsewhere</a></li>]]></record>`, item)
		default:
			fmt.Fprintf(&b, "<record><![CDATA[\n%s]]></record>", item)
		}
	}
	return b.String()
}

// answer is what the data proxy says.
func (s *jcmsSite) answer(r *http.Request) string {
	q := r.URL.Query()
	if s.post != "" {
		_ = r.ParseForm()
		q = r.PostForm
		if s.post == "page" && r.Method == http.MethodGet {
			return s.page("出错了", "<h1>500</h1>")
		}
	}
	column, _ := strconv.Atoi(q.Get("columnid"))
	all := s.of(column)
	if q.Get("unitid") != "1737" {
		all = nil
	}
	from, to := 1, 15
	if s.pages {
		page, _ := strconv.Atoi(q.Get("page"))
		from = 1 + 15*max(0, page-1)
		to = from + 14
	} else if start, err := strconv.Atoi(q.Get("startrecord")); err == nil {
		from = start
		to, _ = strconv.Atoi(q.Get("endrecord"))
	}
	if s.cap > 0 {
		to = min(to, from+s.cap-1)
	}
	from, to = min(from, len(all)+1), min(to, len(all))
	return fmt.Sprintf(`<?xml version="1.0" encoding="%s"?><datastore><nextgroup></nextgroup><recordset>%s</recordset><totalrecord>%d</totalrecord></datastore>`,
		map[bool]string{true: "GBK", false: "UTF-8"}[s.gb], s.records(all[from-1:max(from-1, to)]), len(all))
}

func (s *jcmsSite) article(a jcmsItem) string {
	text := "<p>" + a.text + "</p><p>　　与会者希望明年再次相聚，共同推动科学普及。</p>"
	switch s.marks {
	case "zjeg":
		text = "<div id='zoom'><!--ZJEG_RSS.content.begin-->" + text + "<!--ZJEG_RSS.content.end--></div>"
	case "field":
		text = "<div class='c'><!--<$[信息内容]>begin-->" + text + "<!--<$[信息内容]>end--></div>"
	}
	head := fmt.Sprintf(`<meta name="ArticleTitle" content="%s"><meta name="PubDate" content="%s"><meta name="ContentSource" content="国际部"><meta name="Maketime" content="2024-08-01 10:00:00">`,
		a.title, a.at.Format("2006-01-02 15:04"))
	return strings.Replace(s.page("示例市科学技术协会 工作动态 "+a.title, `<table><tr><td><!--<$[标题]>begin-->`+a.title+`<!--<$[标题]>end--></td></tr><tr><td>`+
		`<!--<$[来源]>begin-->来源：国际部<!--<$[来源]>end--> <!--<$[时间]>begin-->`+a.at.Format("2006-01-02 15:04")+`<!--<$[时间]>end--> 字体：【大 中 小】</td></tr><tr><td>`+
		text+`</td></tr></table><p>上一篇：<a href="/art/2023/1/1/art_29_1.html">新年贺词</a></p>`), "<head>", "<head>"+head, 1)
}

// siteBench polls one source of a site without a feed.
type siteBench struct {
	*Poller
	slug string
}

func siteSetup(t testing.TB, source articles.Source) *siteBench {
	t.Helper()
	b := &siteBench{Poller: &Poller{DB: testkit.DB(t), Store: &articles.Store{}, Fetch: fetch.New("127.0.0.1")}, slug: "site"}
	t.Cleanup(b.Fetch.Close)
	source.Slug = b.slug
	b.declare(t, source, monday)
	return b
}

func (b *siteBench) declare(t testing.TB, source articles.Source, now time.Time) {
	t.Helper()
	if err := CheckSettings(source); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Store.UpsertSource(t.Context(), b.DB, source, now); err != nil {
		t.Fatal(err)
	}
}

func (b *siteBench) source(t testing.TB) articles.Source {
	t.Helper()
	source, err := b.Store.SourceBySlug(t.Context(), b.DB, b.slug)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func (b *siteBench) poll(t testing.TB, now time.Time) Outcome {
	t.Helper()
	out, err := b.Poll(t.Context(), b.source(t), now)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (b *siteBench) all(t testing.TB) []articles.Article {
	t.Helper()
	found, err := b.Store.Select(t.Context(), b.DB, articles.Selection{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestJCMS(t *testing.T) {
	t.Parallel()
	for _, v := range jcmsVariants {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			site, root := startJCMS(t, v, 20)
			b := siteSetup(t, articles.Source{Kind: articles.KindJCMS, URL: root + "/col/col29/index.html"})
			out := b.poll(t, monday)
			if out.Added != 20 || len(out.Refused) != 0 || !out.Archive {
				t.Fatalf("first poll: %+v, asked %q", out, site.took("col"))
			}
			for i, a := range b.all(t) {
				n := 20 - i
				at := time.Date(2020, 4, n, 9, 30, 0, 0, chinaTime())
				if a.Title != fmt.Sprintf("第%d届国际科学节在示例市开幕", n) || !a.PublishedAt.Equal(at) || !a.Archive || a.Language != "zh-Hans" ||
					!strings.HasPrefix(strings.TrimSpace(a.Text), "第") || !strings.HasSuffix(a.Text, "共同推动科学普及。") || strings.Contains(a.Text, "上一篇") || !slices.Equal(a.Authors, []string{"国际部"}) {
					t.Fatalf("article %d: %+v", n, a)
				}
			}

			site.forget()
			if out := b.poll(t, monday.Add(time.Hour)); out.Result != (articles.Result{}) || out.Archive {
				t.Errorf("nothing new: %+v", out)
			}
			if read := site.took("/art/"); len(read) != 0 {
				t.Errorf("nothing is new, yet %q was read", read)
			}

			if again := site.took("dataproxy"); v.post != "" && slices.ContainsFunc(again, func(at string) bool { return strings.HasPrefix(at, "GET") }) {
				t.Errorf("the proxy answers POST alone, and was asked %q", again)
			}

			site.forget()
			site.publish(column29, 1020, "新的合作协议签署")
			if out := b.poll(t, monday.Add(2*time.Hour)); out.Result != (articles.Result{Added: 1}) {
				t.Errorf("one new: %+v", out)
			}
			if read := site.took("/art/"); !slices.Equal(read, []string{"GET /art/2020/4/21/art_29_1020.html"}) {
				t.Errorf("one is new, and %q was read", read)
			}
			if newest := b.all(t)[0]; newest.Title != "新的合作协议签署" || newest.Archive {
				t.Errorf("newest: %+v", newest)
			}
		})
	}
}

// The pages of articles need not show what made them: the source is one of JCMS, and its times are China's.
func TestJCMSTimesOfPlainPages(t *testing.T) {
	t.Parallel()
	_, root := startSite(t, map[string]string{
		"/col/col29/index.html": `<html><body><ul><li><a href="/art/2020/4/12/art_29_7.html">Opening of the festival</a></li></ul></body></html>`,
		"/art/2020/4/12/art_29_7.html": `<html><head><meta name="PubDate" content="2020-04-12 09:30"><title>Opening of the festival</title></head><body>
			<h1>Opening of the festival</h1><p>The festival was opened in front of many guests from partner museums abroad, and goes on until May.</p></body></html>`,
	})
	b := siteSetup(t, articles.Source{Kind: articles.KindJCMS, URL: root + "/col/col29/index.html"})
	b.poll(t, monday)
	all, err := b.Store.Select(t.Context(), b.DB, articles.Selection{}, 0)
	if want := "2020-04-12T01:30:00Z"; err != nil || len(all) != 1 || all[0].PublishedAt.Format(time.RFC3339) != want {
		t.Errorf("%+v, %v; want %s", all, err, want)
	}
}
