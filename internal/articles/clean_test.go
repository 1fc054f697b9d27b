package articles

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/sync/errgroup"
)

func TestClean(t *testing.T) {
	t.Parallel()
	const base = "https://www.example.org/news/2020/a.html"
	tests := []struct{ name, base, in, want string }{
		{"plain words", base, "Hello & good day", "Hello &amp; good day"},
		{"script", base, `<p>a<script>alert(1)</script>b</p>`, `<p>ab</p>`},
		{"style and class", base, `<style>p{}</style><p class="x" id="y" style="color:red">a</p>`, `<p>a</p>`},
		{
			"handlers", base, `<p onclick="x()"><img src="/i.png" onerror="x()" alt="a"/></p>`,
			`<p><img src="https://www.example.org/i.png" alt="a"/></p>`,
		},
		{"form keeps its text", base, `<form action="/x"><p>a</p><input name="q"><button>Go</button></form>`, `<p>a</p>`},
		{"frames", base, `a<iframe src="https://v.example/"></iframe><object data="x"></object>b`, `ab`},
		{"svg and math", base, `a<svg><a xlink:href="javascript:x()">t</a></svg><math><maction><mi>x</mi></maction></math>b`, `ab`},
		{"script address", base, `<a href="javascript:alert(1)">a</a> <a href=" java&#10;script:alert(1)">b</a>`, `a b`},
		{"data address", base, `<img src="data:image/png;base64,AAAA"><a href="data:text/html,x">a</a>`, `a`},
		{
			"relative", base, `<a href="../b.html?x=1&amp;y=2#z">b</a><img src="i.png">`,
			`<a href="https://www.example.org/news/b.html?x=1&amp;y=2#z">b</a><img src="https://www.example.org/news/2020/i.png"/>`,
		},
		{
			"no host", base, `<a href="https://www.example.org&quot;&gt;x">a</a><a href="https://:80/">b</a><img src="http:///i.png"><a href="http://[::1]/">c</a>`,
			`ab<a href="http://[::1]/">c</a>`,
		},
		{"scheme-relative", base, `<img src="//cdn.example.net/i.png">`, `<img src="https://cdn.example.net/i.png"/>`},
		{
			"mail and telephone", "", `<a href="mailto:a@example.org">m</a> <a href="tel:+391234">t</a>`,
			`<a href="mailto:a@example.org">m</a> <a href="tel:+391234">t</a>`,
		},
		{
			"no base", "", `<p><a href="/b.html">b</a><img src="i.png" alt="x"><a href="https://c.example/">c</a></p>`,
			`<p>b<a href="https://c.example/">c</a></p>`,
		},
		{"base is no web address", "file:///srv/x.html", `<a href="b.html">b</a>`, `b`},
		{
			"pixels", base, `<img src="/t" width="1" height="1"><img src="/t" width="0"><img src="/t" style="height: 1px">` +
				`<img src="/t" style="display:none"><img><img src="/i" width="10" height="1000"><img src="/j" style="max-width:100%">`,
			`<img src="https://www.example.org/i" width="10" height="1000"/><img src="https://www.example.org/j"/>`,
		},
		{"hidden", base, `<p hidden>a</p><p style="DISPLAY : none">b</p><p>c</p>`, `<p>c</p>`},
		{"direction and language", base, `<p dir="rtl" lang="ar">مرحبا</p><p dir="x" lang="a b">c</p>`, `<p dir="rtl" lang="ar">مرحبا</p><p>c</p>`},
		{
			"table", base, `<table border=1><tr><td colspan=2 width=5>a</td><td>b</td></tr></table>`,
			`<table><tbody><tr><td colspan="2">a</td><td>b</td></tr></tbody></table>`,
		},
		{"unclosed", base, `<p>a<p>b<ul><li>c<li>d`, `<p>a</p><p>b</p><ul><li>c</li><li>d</li></ul>`},
		{"comment", base, `a<!-- <script>x</script> -->b<!doctype html>`, `ab`},
		{"control characters", base, "a\x00\x01b\xff&#1;c&#0;", "ab\uFFFDc\uFFFD"},
		{"text that looks like markup", base, `&lt;script&gt;alert(1)&lt;/script&gt;`, `&lt;script&gt;alert(1)&lt;/script&gt;`},
		{"blank addresses", base, `<a href=" ">a</a><img src=" "><a href="">b</a>`, `ab`},
		{"empty", base, " \n ", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Clean(tt.in, tt.base); got != tt.want {
				t.Errorf("Clean(%q)\n got %q\nwant %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestCleanGivesUpMarkupNestedBeyondReason(t *testing.T) {
	t.Parallel()
	got := Clean(strings.Repeat("<div>", 2000)+"<script>x</script>words &lt;b&gt;", "")
	if want := "<p>words &lt;b&gt;</p>"; got != want {
		t.Errorf("got %.200q, want %q", got, want)
	}
}

// BenchmarkClean cleans a thousand articles of 20 KB each: the inside of a page as sites give it.
func BenchmarkClean(b *testing.B) {
	page := oldPage(20 << 10)
	b.SetBytes(int64(1000 * len(page)))
	for b.Loop() {
		var group errgroup.Group
		group.SetLimit(2)
		for range 1000 {
			group.Go(func() error {
				d := Draft{ExternalKey: "a", Title: "T", URL: "https://www.example.org/a/b.html", HTML: page}
				_, err := prepare(Source{}, d, nil, known{}, monday)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}

// oldPage returns an article of a size as an old editor wrote it.
func oldPage(size int) string {
	const piece = `<p class=MsoNormal style='text-indent:28.0pt;line-height:150%%'><span lang=EN-US style='font-size:14.0pt;font-family:"宋体"'>　　</span>` +
		`<span style='font-size:14.0pt'>科学中心将于五月一日向公众开放新展厅，<b>欢迎</b>各国伙伴前来参观，详情见<a href="../../art/2020/5/11/art_1_%d.html">通知</a>。` +
		`</span><span lang=EN-US>The hall opens in May; everybody is welcome.<o:p></o:p></span></p>` +
		`<div align="center"><font size="3" color="#333333"><img src="/picture/-1/%d.jpg" border=0 alt="hall"><br>&nbsp;&nbsp;&nbsp;&nbsp;The new hall</font></div>` + "\n"
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, piece, i, i)
	}
	return b.String()
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{
		`<p>a<b>b<i>c</b>d</i>`, `<a href="x"><a href="y">`, `<table><p>a<tr><td>b`, `<p><button><p>a`, `<svg><style><img src=x onerror=y>`,
		`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`, `<noscript><p title="</noscript><img src=x onerror=x>">`,
		`<pre>` + "\n\n" + `a</pre>`, `<select><option><b>x`, `&#13;&#10;&#x1;`, `<a href="//[::1]/%zz">`, `<img src="https://a b/">`, `<p lang="en" dir=rtl>x`,
		"<textarea></textarea><script>", `<a href="HTTPS:\\x\y">`, "<plaintext><b>", `<ruby>漢<rt>かん</ruby>`, `<li><ul><dl><p><hr>`,
		`<math><mtext><style><img title="</style><img src onerror=alert(1)>"></style></mtext></math>`, `<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">`,
		`<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>`, `<template><p><template></p><script>x</script></template>`,
		`<!--><img src=x onerror=alert(1)>--><!-- <!-- --!><script>x</script>`, `<![CDATA[<script>x</script>]]><math><![CDATA[</math><img src=x onerror=y>]]>`,
		`<math><annotation-xml encoding="text/html"><script>x</script></annotation-xml><semantics><mrow><mi>x</mi></mrow><annotation>x</annotation></semantics></math>`,
		`<math><mi><p><svg><foreignObject><iframe srcdoc="<script>x</script>">`, `<center><font size=2><b><p>a<p>b</b></font>&nbsp;&nbsp;c<br>　　d<br><br>e</center>`,
		`<p class=MsoListParagraph style="mso-list:l0 level1 lfo1"><span style="mso-list:Ignore">1.&nbsp;</span>a<o:p></o:p></p>`,
		`<a href="//a"><div>x<table><tr><td><a href="//b">y<h5>z`, `<table><tr><td><center><h6>a</h6><ul><li><div><br>　　b<h1>c`,
		`<b><a href="/x"><b><h3><i></i></h3></b></a>　</b>`, `<div><div><img data-src=/x.png src=data:image/gif;base64,xx><br>a</div>b<ol><p>c</ol></div>`,
		`<ruby><b><p>漢</b><rt><div>x</div></rt></ruby><dl><dt><p>a<dd><div>b`, `<figure><div><p><img src=/a></p></div><figcaption><br>　　c</figcaption></figure>`,
	} {
		f.Add(seed, "https://www.example.org/a/b.html")
		f.Add(seed, "")
	}
	f.Fuzz(func(t *testing.T, dirty, base string) {
		once := Clean(dirty, base)
		if again := Clean(once, base); again != once {
			t.Fatalf("cleaning twice differs:\n once %q\nagain %q", once, again)
		}
		if scrub(once) != once {
			t.Fatalf("control characters are left in %q", once)
		}
		checkHarmless(t, once)
		if text := Text(once); scrub(text) != text {
			t.Fatalf("control characters are left in the text %q", text)
		}
		Summary(dirty)
	})
}

// checkHarmless fails when a browser could run anything in text, or connect anywhere but for images, wherever the text is put: with
// scripts on or off, in a page, a cell, or what takes markup for words.
func checkHarmless(t *testing.T, text string) {
	t.Helper()
	for _, place := range []atom.Atom{atom.Body, atom.Div, atom.Td, atom.Template, atom.P} {
		for _, scripting := range []bool{true, false} {
			inside := &html.Node{Type: html.ElementNode, Data: place.String(), DataAtom: place}
			nodes, err := html.ParseFragmentWithOptions(strings.NewReader(text), inside, html.ParseOptionEnableScripting(scripting))
			if err != nil {
				t.Fatalf("%q cannot be read: %v", text, err)
			}
			for _, n := range nodes {
				checkNode(t, text, n)
				for d := range n.Descendants() {
					checkNode(t, text, d)
				}
			}
		}
	}
}

func checkNode(t *testing.T, text string, n *html.Node) {
	t.Helper()
	if n.Type == html.TextNode {
		return
	}
	_, part := formulaParts[n.Data]
	known := n.Namespace == "" && kept[n.DataAtom] && n.DataAtom != 0 || n.Namespace == "math" && (part || n.Data == "math")
	if n.Type != html.ElementNode || !known {
		t.Fatalf("%q holds %q", text, n.Data)
	}
	for _, a := range n.Attr {
		if n.Namespace == "math" && (a.Key == "lang" || a.Key == "dir" || formulaAttrs[a.Key] != nil) {
			continue
		}
		switch a.Key {
		case "href", "src":
			scheme, _, _ := strings.Cut(a.Val, ":")
			if !webScheme(scheme) && (a.Key == "src" || scheme != "mailto" && scheme != "tel") {
				t.Fatalf("%q holds the address %q", text, a.Val)
			}
		case "alt", "title", "width", "height", "lang", "dir", "colspan", "rowspan", "start":
		default:
			t.Fatalf("%q holds the attribute %q", text, a.Key)
		}
	}
}
