package articles

import "testing"

func TestCleanMakesOldMarkupPlain(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{
			"indented lines", "　　第一段。<br>　　第二段。<BR>&nbsp;&nbsp;&nbsp; 第三段。",
			"<p>第一段。</p><p>第二段。</p><p>第三段。</p>",
		},
		{"a line within an address", "<p>1 Example Street<br>00000 Exampletown</p>", "<p>1 Example Street<br/>00000 Exampletown</p>"},
		{"blank lines", "<div>one<br><br>two<br>still two<br>&nbsp;<br>three</div>", "<p>one</p><p>two<br/>still two</p><p>three</p>"},
		{
			"boxes in boxes", `<center><div><div><font size="2">One.</font></div><div>&nbsp;</div><div><p>Two.</p>Three.</div></div></center>`,
			"<p>One.</p><p>Two.</p><p>Three.</p>",
		},
		{
			"a word processor", `<p class=MsoNormal style='text-indent:2em'><b style='mso-bidi-font-weight:normal'><span lang=EN-US>Hall<o:p></o:p></span></b></p>` +
				`<p class=MsoNormal><o:p>&nbsp;</o:p></p><xml><w:WordDocument>x</w:WordDocument></xml>`,
			"<p><b>Hall</b></p>",
		},
		{
			"its lists", `<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>·&nbsp;&nbsp;</span>one</p>` + "\n" +
				`<p style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>·</span>two</p><p>end</p>` +
				`<p style='mso-list:l1 level1 lfo2'><![if !supportLists]><span style='mso-list:Ignore'>1.<span>&nbsp;</span></span><![endif]>first</p>`,
			"<ul><li>one</li><li>two</li></ul>\n<p>end</p><ol><li>first</li></ol>",
		},
		{
			"emphasis by style", `<p><span style="font-weight: 700">a</span><span style="mso-bidi-font-weight:bold">b</span><font style="font-style:italic">c</font></p>`,
			"<p><strong>a</strong>b<em>c</em></p>",
		},
		{"the same twice", "<p><b><span><b>a</b></span></b><i> </i><u></u>b</p>", "<p><b>a</b> b</p>"},
		{"blanks", "<p>a &nbsp;&nbsp; b 10&nbsp;km, 王　芳　　到</p>", "<p>a b 10\u00a0km, 王　芳 到</p>"},
		{"preformatted", "<pre>a\u00a0\u00a0b\n\n\n<b> </b>c</pre>", "<pre>a\u00a0\u00a0b\n\n\n<b> </b>c</pre>"},
		{"headings", "<h4>a</h4><h1>b</h1><h3>c</h3><h6>d</h6><h2>e</h2><h5> </h5>", "<h2>a</h2><h2>b</h2><h3>c</h3><h4>d</h4><h3>e</h3>"},
		{
			"a phrase around paragraphs", `<a href="https://x.example/"><div><h3>t</h3><p>a</p></div></a><b><p>c</p></b>`,
			`<h2><a href="https://x.example/">t</a></h2><p><a href="https://x.example/">a</a></p><p><b>c</b></p>`,
		},
		{
			"a table for the layout", `<table width="100%"><tr><td><p>a</p>b</td></tr><tr><td><table><tr><th>x</th><td>1</td></tr></table></td></tr></table>`,
			"<p>a</p><p>b</p><table><tbody><tr><th>x</th><td>1</td></tr></tbody></table>",
		},
		{"cells", "<table><tr><td><div>&nbsp;a</div></td><td></td></tr></table>", "<table><tbody><tr><td>a</td><td></td></tr></tbody></table>"},
		{
			"figure", `<figure><div><img src="https://x.example/i.png" alt="Hall"></div><figcaption><p> The hall </p></figcaption></figure>`,
			`<figure><img src="https://x.example/i.png" alt="Hall"/><figcaption>The hall</figcaption></figure>`,
		},
		{"ruby and direction", `<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby> <bdi dir="rtl">مرحبا</bdi>`, `<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby> <bdi dir="rtl">مرحبا</bdi>`},
		{"the language of a box", `<div lang="ar" dir="rtl"><p>مرحبا</p><p lang="en">Hi</p></div>`, `<p lang="ar" dir="rtl">مرحبا</p><p lang="en" dir="rtl">Hi</p>`},
		{
			"formula", `<p>So <math display="block" onclick="x" xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mrow><mi mathvariant="bold">E</mi><mo>=</mo>` +
				`<msup><mi>c</mi><mn>2</mn></msup></mrow><annotation encoding="application/x-tex">E=c^2</annotation></semantics></math></p>`,
			`<p>So <math display="block"><mrow><mi mathvariant="bold">E</mi><mo>=</mo><msup><mi>c</mi><mn>2</mn></msup></mrow></math></p>`,
		},
		{"late images", `<img src="/img/blank.gif" data-original="https://x.example/a.jpg"><img srcset="https://x.example/b.jpg 2x, /c.jpg">`, `<img src="https://x.example/a.jpg"/><img src="https://x.example/b.jpg"/>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Clean(tt.in, "")
			if got != tt.want {
				t.Errorf("Clean(%q)\n got %q\nwant %q", tt.in, got, tt.want)
			}
			if again := Clean(got, ""); again != got {
				t.Errorf("cleaned again it is %q", again)
			}
		})
	}
}
