package sources

import (
	"cmp"
	"net/url"
	"regexp"
	"strings"

	readability "codeberg.org/readeck/go-readability/v2"
	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"silkpost/internal/articles"
)

// body is the text of an article: HTML, or plain text where a page has no other. words is what it says, in one line.
type body struct{ html, plain, words string }

// empty reports whether there is nothing to read or see.
func (b body) empty() bool {
	const few = 12 // letters, or half as many characters, that say something
	return len(b.words) < 10*few && columns(b.words) < few && !strings.Contains(b.html, "<img")
}

// text finds the article's text: where the reading says; between the marks of a publishing system; in the element that systems use for
// it; else where the most prose is (readability). A page that only scripts would fill may have it in its JSON-LD. It takes the page apart.
func (p *webPage) text(r Reading, d *articles.Draft) body {
	showLazyImages(p.doc)
	if r.Content != "" {
		return p.trimmed(outermost(p.doc.Find(r.Content)), r, d)
	}
	if part := p.marked(); part != nil {
		return p.trimmed(part, r, d)
	}
	declutter(p.doc)
	found := p.trimmed(p.container(), r, d)
	if found.empty() {
		found = p.trimmed(p.readable(), r, d)
	}
	found = p.withLead(found, d.Title)
	if told := toldBody(p.story.body); len(told.words) > 2*len(found.words) {
		return told
	}
	if found.empty() {
		found = p.trimmed(mainPart(p.doc), r, d)
	}
	return found
}

// wordsOf returns what readers see of a part, in one line.
func wordsOf(part *goquery.Selection) string {
	var b strings.Builder
	for _, block := range textBlocks(part) {
		b.WriteString(block.text + " ")
	}
	return strings.TrimSpace(b.String())
}

// toldBody returns the text of JSON-LD, in which some write HTML.
func toldBody(text string) body {
	if strings.Contains(text, "</") {
		return body{html: text, words: articles.Line(text)}
	}
	return body{plain: text, words: articles.OneLine(text)}
}

// containers are the elements in which publishing systems put the text of an article, the surest first.
var containers = []string{
	`[itemprop~="articleBody"]`, "#zoom", ".TRS_Editor", ".TRS_UEDITOR", "#vsb_content", ".v_news_content", "#UCAP-CONTENT", ".entry-content",
	".field--name-body", ".field-name-body", ".news-text-wrap", ".article__body", ".article-body", ".article-content", ".article_content",
	".post-content", ".post-body", ".td-post-content", ".news-detail-text", ".news-content", ".wp_articlecontent", "#article-content", "#articleContent",
	".con_text", ".bt_content", ".bt-content", "#js_content", ".single-content", ".ce-bodytext",
}

// container returns the element of the page that is known to hold an article's text, nil when none is there, or several are that could.
func (p *webPage) container() *goquery.Selection {
	for _, selector := range containers {
		found := outermost(p.doc.Find(selector))
		if found.Length() == 1 && columns(words(found)) >= 100 {
			return found
		}
	}
	return nil
}

// leads is how sites call the paragraph that stands before an article's text.
var leads = regexp.MustCompile(`(?i)(?:^|[\s_-])(?:lead|lede|teaser|intro|introduction|standfirst|chapeau|vorspann|daoyu)(?:$|[\s_-])`)

// withLead puts the paragraph before a text that the page shows between title and text, in an element of its own.
func (p *webPage) withLead(found body, title string) body {
	at := p.titleBlock(title)
	if found.empty() || at < 0 {
		return found
	}
	text := found.words
	for _, b := range p.blocks[at+1 : min(len(p.blocks), at+1+linesBelow)] {
		if strings.HasPrefix(text, b.text) {
			return found
		}
		if b.isLead() && prose(b.text) && !strings.Contains(text, b.text) {
			return body{html: "<p>" + html.EscapeString(b.text) + "</p>" + found.html, words: b.text + " " + text}
		}
	}
	return found
}

func (b textBlock) isLead() bool {
	for outer, depth := b.nodes[0].Parent, 0; outer != nil && depth < 3; outer, depth = outer.Parent, depth+1 {
		if leads.MatchString(attribute(outer, "class")+" "+attribute(outer, "id")) || attribute(outer, "itemprop") == "description" {
			return true
		}
	}
	return false
}

// outermost leaves out elements that lie within others of the selection.
func outermost(s *goquery.Selection) *goquery.Selection {
	return s.FilterFunction(func(_ int, e *goquery.Selection) bool { return e.ParentsMatcher(inSelection{s}).Length() == 0 })
}

type inSelection struct{ s *goquery.Selection }

func (m inSelection) Match(n *html.Node) bool { return m.s.IndexOfNode(n) >= 0 }
func (m inSelection) MatchAll(n *html.Node) []*html.Node {
	return m.Filter([]*html.Node{n})
}

func (m inSelection) Filter(nodes []*html.Node) (kept []*html.Node) {
	for _, n := range nodes {
		if m.Match(n) {
			kept = append(kept, n)
		}
	}
	return kept
}

// mostElements bounds what readability looks at.
const mostElements = 20000

// readable returns the part of the page that has the most prose, nil when there is none.
func (p *webPage) readable() *goquery.Selection {
	parser := readability.NewParser()
	parser.MaxElemsToParse = mostElements
	parser.DisableJSONLD = true // read already
	parser.CharThresholds = 200 // short notices are articles too
	found, err := parser.ParseDocument(p.doc.Get(0), p.address)
	if err != nil || found.Node == nil {
		return nil
	}
	return goquery.NewDocumentFromNode(found.Node).Selection
}

// showLazyImages puts the address of images that a script would load where all others have theirs.
func showLazyImages(doc *goquery.Document) {
	for _, img := range doc.Find("img").EachIter() {
		src := strings.TrimSpace(img.AttrOr("src", ""))
		lazy := ""
		for _, key := range []string{"data-src", "data-original", "data-lazy-src", "data-url", "oldsrc"} {
			lazy = cmp.Or(lazy, strings.TrimSpace(img.AttrOr(key, "")))
		}
		if lazy != "" && (src == "" || strings.HasPrefix(src, "data:") || strings.Contains(src, "loading") || strings.Contains(src, "blank") || strings.Contains(src, "placeholder")) {
			img.SetAttr("src", lazy)
		}
	}
}

// clutter are names that sites give to what stands around and within an article and is none of it.
var clutter = regexp.MustCompile(`(?i)(?:^|[\s_-])(?:` +
	`share|sharing|shares|sharebar|social|socials|addtoany|addthis|bdshare|bshare|jiathis|breadcrumbs?|crumbs?|location|position|pagination|pager|` +
	`related\w*|relates|recommend(?:ed|s)?|xgwz|xgxw|xgyd|prevnext|prev-next|post-navigation|nav-links|newsletter|subscribe|subscription|cookies?|consent|` +
	`comments?|comment-form|respond|disqus|print|printer|toolbar|tool-bar|fontsize|font-size|sidebar|widget|advert|advertisement|ads|popup|modal|skip-link|` +
	`site-footer|site-header|copyright|qrcode|ewm|hot-news|most-read|author-box|feedback|search|menu|navbar|navigation|topnav|footer-?\w*` +
	`)(?:$|[\s_-])`)

// declutter takes out what frames articles. What holds most of the page's text stays, whatever it is called.
func declutter(doc *goquery.Document) {
	doc.Find("script, style, noscript, template, iframe, form input, form select, button, nav, aside, [role=navigation], [role=banner], [role=contentinfo], [role=search], [aria-hidden=true]").
		Not("body, html").Remove()
	sizes := map[*html.Node]int{}
	total := measure(doc.Get(0), sizes)
	for _, e := range doc.Find("div, ul, ol, section, p, span, table, td, dl, footer, header").EachIter() {
		name := e.AttrOr("class", "") + " " + e.AttrOr("id", "")
		frame := (goquery.NodeName(e) == "footer" || goquery.NodeName(e) == "header") && e.Closest("article, main").Length() == 0
		if (frame || clutter.MatchString(name)) && sizes[e.Get(0)]*3 < total && e.Find("h1").Length() == 0 {
			e.Remove()
		}
	}
}

// measure notes how many bytes of text are in each element and returns how many there are.
func measure(n *html.Node, sizes map[*html.Node]int) (sum int) {
	if n.Type == html.TextNode {
		return len(strings.TrimSpace(n.Data))
	}
	for child := range n.ChildNodes() {
		sum += measure(child, sizes)
	}
	if n.Type == html.ElementNode {
		sizes[n] = sum
	}
	return sum
}

// trimmed returns a part without what repeats the page's facts at its beginning and what leads on at its end. nil gives nothing.
func (p *webPage) trimmed(part *goquery.Selection, r Reading, d *articles.Draft) body {
	if part == nil || part.Length() == 0 {
		return body{}
	}
	for _, selector := range r.Remove {
		part.Find(selector).Remove()
	}
	part.Find("script, style").Remove()
	absoluteLinks(part, p.baseOf())
	p.cutAbove(part, d.Title)
	trimStart(part, d)
	trimEnd(part)
	unwrapTables(part)
	var text strings.Builder
	for _, one := range part.EachIter() {
		inner, err := one.Html()
		if err != nil {
			return body{}
		}
		text.WriteString(inner)
	}
	return body{html: strings.TrimSpace(text.String()), words: wordsOf(part)}
}

// cutAbove takes away the lines with which a text begins that the page shows above its title only.
func (p *webPage) cutAbove(part *goquery.Selection, title string) {
	at := p.titleBlock(title)
	if at <= 0 {
		return
	}
	framing := map[string]bool{}
	for _, b := range p.blocks[:at] {
		framing[b.text] = true
	}
	for _, b := range p.blocks[at:] {
		delete(framing, b.text)
	}
	for _, b := range textBlocks(part) {
		if !framing[b.text] {
			return
		}
		removeBlock(part, b)
	}
}

// unwrapTables takes apart tables that only place things on the page: in each of their rows at most one cell says anything.
func unwrapTables(part *goquery.Selection) {
	for range 50 { // and no more: each may hold further ones
		table := part.Find("table").FilterFunction(func(_ int, t *goquery.Selection) bool { return t.Find("th, table").Length() == 0 && oneCell(t) }).First()
		if table.Length() == 0 {
			return
		}
		for _, cell := range table.Find("td, caption").EachIter() {
			if !blank(cell.Get(0)) {
				inner := cell.Contents().Clone()
				table.BeforeSelection(inner)
			}
		}
		table.Remove()
	}
}

// oneCell reports whether no row of a table has more than one cell with something in it.
func oneCell(table *goquery.Selection) bool {
	for _, row := range table.Find("tr").EachIter() {
		full := row.Find("td").FilterFunction(func(_ int, cell *goquery.Selection) bool { return !blank(cell.Get(0)) })
		if full.Length() > 1 {
			return false
		}
	}
	return true
}

// trimStart takes away what stands above the title, and the lines with which a text begins that say again what its title, date and source
// are, or are tools of the page.
func trimStart(part *goquery.Selection, d *articles.Draft) {
	const most = 8
	blocks := textBlocks(part)
	if at := repeatedTitle(blocks, d.Title); at > 0 {
		for _, b := range blocks[:at] {
			removeBlock(part, b)
		}
		blocks = blocks[at:]
	}
	below := false // the date
	for i, b := range blocks[:min(len(blocks), most)] {
		line := b.text
		again := line == d.Title || d.Section != "" && line == d.Section || len(d.Authors) == 1 && line == d.Authors[0]
		date := columns(line) <= 160 && dated(line)
		byline := below && !b.heading && columns(line) <= 50 && !sentence(line) && !strings.ContainsAny(line, ":：,，") && i+1 < len(blocks) && prose(blocks[i+1].text)
		if !again && !date && !byline && !toolLine(line) {
			return
		}
		below = date
		removeBlock(part, b)
	}
}

// repeatedTitle returns where in a text its title stands: as a heading anywhere, as a line before the first paragraph; -1 when it does not.
func repeatedTitle(blocks []textBlock, title string) int {
	for i, b := range blocks {
		if b.text == title && b.heading {
			return i
		}
	}
	for i, b := range blocks {
		if b.text == title {
			return i
		}
		if prose(b.text) {
			break
		}
	}
	return -1
}

// trimEnd takes away the lines with which a text ends that lead elsewhere.
func trimEnd(part *goquery.Selection) {
	blocks := textBlocks(part)
	first := len(blocks)
	for i, b := range blocks {
		leads := leadsOn.MatchString(b.text) && columns(b.text) <= 60
		if i > 0 && (leads || b.ruled && !prose(b.text) && sentence(blocks[i-1].text)) && tailOnly(blocks[i:]) {
			first = i
			break
		}
	}
	for _, b := range blocks[first:] {
		removeBlock(part, b)
	}
	blocks = blocks[:first]
	for i := len(blocks) - 1; i > 0 && (toolLine(blocks[i].text) || leadsOn.MatchString(blocks[i].text) && columns(blocks[i].text) <= 200 && !prose(blocks[i].text)); i-- {
		removeBlock(part, blocks[i])
	}
}

// tailOnly reports whether no prose comes any more.
func tailOnly(blocks []textBlock) bool {
	for _, b := range blocks[1:] {
		if prose(b.text) && sentence(b.text) {
			return false
		}
	}
	return true
}

// removeBlock takes a line out of a part, with the elements that are empty without it.
func removeBlock(part *goquery.Selection, b textBlock) {
	for _, n := range b.nodes {
		for parent := n.Parent; parent != nil; n, parent = parent, parent.Parent {
			parent.RemoveChild(n)
			if parent.FirstChild != nil && !blank(parent) || part.IndexOfNode(parent) >= 0 || parent.DataAtom == atom.Td {
				break
			}
		}
	}
}

// blank reports whether an element has neither words nor pictures.
func blank(n *html.Node) bool {
	for d := range n.Descendants() {
		if d.DataAtom == atom.Img || d.Type == html.TextNode && strings.TrimSpace(d.Data) != "" {
			return false
		}
	}
	return true
}

// toolLine reports whether a line is one of the page's tools: the size of letters, printing, sharing, counting readers.
func toolLine(line string) bool {
	return columns(line) <= 100 && (tools.MatchString(line) || !hasLetters(line) && columns(line) <= 20)
}

var tools = regexp.MustCompile(`(?i)^[\s【\[(（]*(?:(?:友善列印|列印|打印|分享).{0,12}$|` +
	`(?:字体|字号|字號|文字大小|浏览次数|浏览量|阅读次数|阅读量|阅读|点击数|点击量|点击次数|访问量|打印|关闭|关闭窗口|分享到?|分享到：|友善列印|分享至|點閱次數|點閱率|點閱數|瀏覽人次|瀏覽數|發布日期|發布單位|更新日期|來源|来源|信息来源|文章来源|稿件来源|责任编辑|编辑|审核|作者|发布时间|发布日期|时间|日期)\s*(?:[:：】\])）]|$|本页|此页|大|【)` +
	`|(?:share(?: this)?(?: on| via| article| page)?|print(?: this)?(?: page| article)?|e-?mail(?: this)?|tweet|facebook|twitter|whatsapp|linkedin|back to (?:top|list|news|overview)|reading time|views?|font size|text size|skip to [\w ]+)\b[^.!?]{0,40}$` +
	`|(?:teilen|drucken|seite drucken|zurück(?: zur übersicht)?|condividi|stampa|partager|imprimer|compartir|imprimir|поделиться|распечатать|версия для печати|просмотров|поділитися|друкувати|sdílet|vytisknout|podeli|štampaj|シェアする|印刷する|ページトップへ?|印刷|แชร์|พิมพ์|شارك|مشاركة|طباعة|شیئر کریں|پرنٹ)\b?[^.!?。]{0,40}$` +
	`)`)

// leadsOn matches lines that lead to other pages.
var leadsOn = regexp.MustCompile(`(?i)^[\s【\[(（<>«»←→›‹·•-]*(?:` +
	`上一[篇条頁页则]|下一[篇条頁页则]|相关(?:链接|新闻|文章|阅读|信息|附件)|相關(?:連結|新聞|文章)|返回(?:列表|首页|上一级|顶部)|回上一頁|回列表|上一則|下一則|扫一扫|更多(?:新闻|>>)|前の記事|次の記事|関連(?:記事|リンク)|一覧(?:へ|に)戻る|` +
	`(?:previous|next|older|newer)(?: (?:post|article|story|news|entry|page))?\s*[:：»«→]|(?:previous|next) (?:post|article|story)\b|related (?:articles?|news|posts?|stories|links|content)|read (?:more|also|next)\b|see also\b|more (?:news|stories|articles)\b|you (?:may|might) also like|` +
	`(?:tags?|categories|category|filed under|posted in|topics)\s*[:：]|leave a (?:reply|comment)|\d+ comments?$|` +
	`weitere (?:nachrichten|meldungen|artikel|informationen)|verwandte artikel|lesen sie auch|leggi anche|articoli correlati|notizie correlate|lire aussi|articles (?:liés|similaires)|à lire aussi|noticias relacionadas|lea también|artículos relacionados|` +
	`читайте также|возврат к|вернуться|назад к|все новости|похожие (?:новости|статьи)|по теме|другие новости|читайте також|схожі новини|související články|čtěte také|прочитајте још|повезане вести|povezane vesti|` +
	`ข่าวที่เกี่ยวข้อง|ข่าวอื่น|مقالات ذات صلة|أخبار ذات صلة|اقرأ أيضا|مواضيع ذات صلة|مزید (?:خبریں|پڑھیں)|متعلقہ خبریں` +
	`)`)

// baseOf returns the address that a page's links are relative to.
func (p *webPage) baseOf() string {
	href, ok := p.doc.Find("base[href]").First().Attr("href")
	if !ok {
		return p.address.String()
	}
	to, err := p.address.Parse(strings.TrimSpace(href))
	if err != nil || to.Scheme != "http" && to.Scheme != "https" {
		return p.address.String()
	}
	return to.String()
}

// absoluteLinks makes the links and images of a part absolute, for the part's own address is not the base of all pages.
func absoluteLinks(part *goquery.Selection, base string) {
	from, err := url.Parse(base)
	if err != nil {
		return
	}
	for _, key := range []string{"href", "src"} {
		for _, e := range part.Find("[" + key + "]").EachIter() {
			if to, err := from.Parse(strings.TrimSpace(e.AttrOr(key, ""))); err == nil && to.Scheme != "javascript" {
				e.SetAttr(key, to.String())
			}
		}
	}
}
