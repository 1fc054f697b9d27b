package validate_test

import "testing"

func TestHTML(t *testing.T) {
	t.Parallel()
	for _, c := range []badCase{
		{"script", "rss", inHTML("<p>A</p><script>a()</script>"), []string{
			"line 3: error: channel/item[1]/content:encoded: <script> does not belong into a feed: leave it out (W3C feed validator, SecurityRisk)",
		}},
		{"script in capitals", "rss", inHTML("<SCRIPT SRC=//www.example.org/a.js>"), []string{
			"line 3: error: channel/item[1]/content:encoded: <script> does not belong into a feed: leave it out (W3C feed validator, SecurityRisk)",
			`line 3: warning: channel/item[1]/content:encoded: address "//www.example.org/a.js" in src of <script> is relative: write the whole address (W3C feed validator, ContainsRelRef)`,
		}},
		{"event", "rss", inHTML(`<p onclick="a()">A</p><p onmouseover=a()>A</p>`), []string{
			"line 3: error: channel/item[1]/content:encoded: attribute onclick of <p> runs a script: leave it out (and 1 more of the kind) (W3C feed validator, SecurityRiskAttr)",
		}},
		{"address that is a script", "rss", inHTML("<a href=\"java\nscript:a()\">A</a>"), []string{
			`line 3: error: channel/item[1]/content:encoded: address "java\nscript:a()" in href of <a> runs a script: leave it out (W3C feed validator, SecurityRisk)`,
		}},
		{"address that is a script, with a control character before it", "rss", inHTML("<a href=\"\x01JavaScript:a()\">A</a>"), []string{
			"line 3: error: document: character U+0001 cannot be in XML: leave it out (XML 1.0, 2.2)",
			`line 3: error: channel/item[1]/content:encoded: address " JavaScript:a()" in href of <a> runs a script: leave it out (W3C feed validator, SecurityRisk)`,
		}},
		{"address that is a page", "rss", inHTML(`<a href="data:text/html,A">A</a>`), []string{
			`line 3: error: channel/item[1]/content:encoded: address "data:text/html,A" in href of <a> runs a script: leave it out (W3C feed validator, SecurityRisk)`,
		}},
		{"style element", "rss", inHTML("<style>p { color: red }</style>"), []string{
			"line 3: warning: channel/item[1]/content:encoded: <style> does not belong into a feed, readers drop it, or it changes theirs: leave it out (W3C feed validator, SecurityRisk)",
		}},
		{"style attribute", "rss", inHTML(`<p style="color: red">A</p>`), []string{
			"line 3: warning: channel/item[1]/content:encoded: attribute style of <p> is dropped or refused by readers: leave it out (W3C feed validator, DangerousStyleAttr)",
		}},
		{"frame", "rss", inHTML(`<iframe src="https://www.example.org/"></iframe>`), []string{
			"line 3: warning: channel/item[1]/content:encoded: <iframe> does not belong into a feed, readers drop frames, and they load pages of others: leave it out (W3C feed validator, SecurityRisk)",
		}},
		{"form", "rss", inHTML(`<form action="https://www.example.org/"><input name="q"></form>`), []string{
			"line 3: warning: channel/item[1]/content:encoded: <form> does not belong into a feed, readers drop forms: leave it out (and 1 more of the kind) (W3C feed validator, SecurityRisk)",
		}},
		{"page", "rss", inHTML("<html><body>A</body></html>"), []string{
			"line 3: warning: channel/item[1]/content:encoded: <html> does not belong into a feed, content is a part of a page, not a page: leave it out (and 1 more of the kind) (W3C feed validator, SecurityRisk)",
		}},
		{"relative link", "rss", inHTML(`<a href="/a">A</a>`), []string{
			`line 3: warning: channel/item[1]/content:encoded: address "/a" in href of <a> is relative: write the whole address (W3C feed validator, ContainsRelRef)`,
		}},
		{"relative image", "rss", inHTML(`<img src="a.jpg" alt="">`), []string{
			`line 3: warning: channel/item[1]/content:encoded: address "a.jpg" in src of <img> is relative: write the whole address (W3C feed validator, ContainsRelRef)`,
		}},
		{"fragment", "rss", inHTML(`<a href="#a">A</a>`), []string{
			`line 3: warning: channel/item[1]/content:encoded: address "#a" in href of <a> is relative: write the whole address (W3C feed validator, ContainsRelRef)`,
		}},
		{"address without a scheme", "rss", inHTML(`<img src="//www.example.org/a.jpg" alt="">`), []string{
			`line 3: warning: channel/item[1]/content:encoded: address "//www.example.org/a.jpg" in src of <img> is relative: write the whole address (W3C feed validator, ContainsRelRef)`,
		}},
		{"relative source", "rss", inHTML(`<img src="https://www.example.org/a.jpg" srcset="https://www.example.org/a,b.jpg 2x, a.jpg 3x" alt="">`), []string{
			`line 3: warning: channel/item[1]/content:encoded: address "a.jpg" in srcset of <img> is relative: write the whole address (W3C feed validator, ContainsRelRef)`,
		}},
		{"several", "rss", inHTML(`<a href="/a">A</a> <a href="/b">B</a> <a href="/c">C</a>`), []string{
			`line 3: warning: channel/item[1]/content:encoded: address "/a" in href of <a> is relative: write the whole address (and 2 more of the kind) (W3C feed validator, ContainsRelRef)`,
		}},
		{"pixel", "rss", inHTML(`<img src="https://www.example.org/p.gif" width="1" height="1" alt="">`), []string{
			`line 3: warning: channel/item[1]/content:encoded: <img> of one pixel from "https://www.example.org/p.gif" looks like a means of tracking readers: leave it out (privacy: no open tracking)`,
		}},
		{"pixel by style", "rss", inHTML(`<img src="https://www.example.org/p.gif" style="width:0;height:1px" alt="">`), []string{
			"line 3: warning: channel/item[1]/content:encoded: attribute style of <img> is dropped or refused by readers: leave it out (W3C feed validator, DangerousStyleAttr)",
			`line 3: warning: channel/item[1]/content:encoded: <img> of one pixel from "https://www.example.org/p.gif" looks like a means of tracking readers: leave it out (privacy: no open tracking)`,
		}},
	} {
		c.run(t)
	}
}
