package admin_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"silkpost/mailer/edition"
)

// englishSentence finds four English words in a row: what is no sentence, such as an example to be typed, has fewer.
var englishSentence = regexp.MustCompile(`[a-z]{2,}( [a-z]{2,}){3,}`)

// Forms that are wrong in all rooms say so in the language of who looks, and none of it is left in English.
func TestMistakesAreSaidInTheLanguageOfThePage(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare(twoLists)
	chinese := everything()
	chinese.Language = "zh-Hans"
	h.as(chinese)
	for name, c := range map[string]struct {
		path   string
		fields []string
		want   string
	}{
		"a list":          {"/admin/lists/new", []string{"slug", "No slug", "min_articles", "-5", "not_on", "someday"}, "由小写字母 a 至 z、数字和单个连字符组成"},
		"its words":       {"/admin/lists/new", []string{"slug", "x", "min_articles", "many"}, "“many”不是整数，应如 20"},
		"an address":      {"/admin/contacts/new", []string{"email", "nobody", "list", "partners"}, "缺少 @"},
		"a suppression":   {"/admin/contacts/suppressions", []string{"whom", "a@b@example.org", "why", "他们要求的"}, "@ 不止一个"},
		"an organisation": {"/admin/organisations/new", []string{"name", "Museum", "country", "Italy", "web_site", "no site", "agreed_on", "soon"}, "不是 ISO 3166-1 的国家代码"},
		"a feed":          {"/admin/feeds", []string{"slug", "section-x", "limit", "7000", "title-language", "en", "title", "X", "content", "full"}, "订阅源“section-x”：以 section-、"},
		"a hub":           {"/admin/hubs", []string{"url", "nowhere"}, "不是网址"},
		"a private feed":  {"/admin/private-feeds", []string{"organisation", "Nobody", "list", "partners"}, "没有机构"},
		"a filter":        {"/admin/audiences", []string{"filter", `country = IT and colour = red`, "name", "Red"}, "筛选条件：没有字段“colour”；可用的有 attribute, country, joined"},
		"a limit":         {"/admin/settings/limits/new", []string{"name", "x", "relay", "a.example", "sender", "b@example.org"}, "一个限额只能针对"},
		"a theme":         {"/admin/themes/new", []string{"slug", "x", "colours_accent", "red"}, "强调色：“red”不是颜色"},
		"a draft":         {"/admin/waiting", []string{"title", "", "text", "x", "when", "draft"}, "文章须有标题"},
		"an account":      {"/admin/accounts", []string{"email", "x@example.org", "language", "en"}, "没有选择角色：可选的角色是 所有者，编辑，批准人，列表管理员，查看者"},
		"a key":           {"/admin/keys", []string{"name", "", "days", "30", "role", "reader"}, "密钥没有名称"},
		"a source":        {"/admin/sources/new", []string{"address", "http://127.0.0.1/"}, "内部地址"},
		"an edition":      {"/admin/editions/new", []string{"list", "partners"}, "其中没有内容：请选择文章，或写引言"},
		"a test":          {"/admin/settings/relay/test", []string{"list", "partners", "to", "nobody"}, "缺少 @"},
	} {
		got := h.send(c.path, c.fields...)
		said := got.text(".mistakes") + got.text(".mistake") + got.text(".detail")
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(said, c.want) {
			t.Errorf("%s: status %d, and it says %q", name, got.status, said)
		}
		if left := englishSentence.FindString(said); left != "" {
			t.Errorf("%s: %q is in English: %s", name, left, said)
		}
		if n := got.Find(`.mistakes [lang="en"], .mistake[lang="en"]`).Length(); n > 0 {
			t.Errorf("%s: %d mistakes count as English", name, n)
		}
	}
}

// What was stored in English is said when it is shown; what a server answered stays as it came.
func TestWhatIsStoredIsSaidInTheLanguageOfThePage(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare(twoLists)
	id := h.edition("partners", edition.Held, "nobody approved it until 2026-11-23 10:00 UTC: release it to send it, or cancel it")
	page := "/admin/editions/" + id.String()
	english := h.get(page)
	if got := english.text(".reason"); !strings.Contains(got, "nobody approved it until 2026-11-23 10:00 UTC: release it") {
		t.Errorf("in English it is %q", got)
	}
	chinese := everything()
	chinese.Language = "zh-Hans"
	h.as(chinese)
	for _, path := range []string{page, "/admin/editions", "/admin/"} {
		if got := h.get(path).text(".reason, .why"); !strings.Contains(got, "到 2026-11-23 10:00 UTC 为止无人批准：放行即发送，否则可取消") {
			t.Errorf("%s says %q", path, got)
		}
	}
	h.exec(`UPDATE mailer.editions SET reason = 'The minister asked to wait' WHERE id = $1`, id)
	if got := h.get(page).Find(`.reason[lang="en"]`).Text(); got != "The minister asked to wait" {
		t.Errorf("a person's own words became %q", got)
	}
}

// On English pages, too, a page's button stands where the command line names its command.
func TestPagesNameNoCommands(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare(twoLists)
	got := h.send("/admin/editions/new", "list", "partners")
	if said := got.text(".mistakes"); !strings.Contains(said, "choose articles, or write an introduction") || strings.Contains(said, "--") {
		t.Errorf("it says %q", said)
	}
}
