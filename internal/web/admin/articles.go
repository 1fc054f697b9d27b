package admin

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"silkpost/feeds"
	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/language"
	"silkpost/mailer/edition"
	"silkpost/templates/adminpage"
)

func (s *site) articlesRoutes() []route {
	return []route{
		{pattern: "GET /admin/articles", needs: accounts.Read, do: s.articles},
		{pattern: "GET /admin/articles/{slug}", needs: accounts.Read, do: s.article},
		{pattern: "GET /admin/articles/{slug}/body", needs: accounts.Read, do: s.articleBody},
		{pattern: "GET /admin/articles/{slug}/versions", needs: accounts.Read, do: s.articleVersions},
		{pattern: "GET /admin/articles/{slug}/edit", needs: accounts.Edit, do: s.articleEdit},
		{pattern: "POST /admin/articles/{slug}/edit", needs: accounts.Edit, do: s.articleChange},
		{pattern: "POST /admin/articles/{slug}/revert", needs: accounts.Edit, do: s.articleRevert},
		{pattern: "POST /admin/articles/{slug}/withdraw", needs: accounts.Edit, do: s.articleWithdraw},
		{pattern: "POST /admin/articles/{slug}/restore", needs: accounts.Edit, do: s.articleRestore},
		{pattern: "POST /admin/articles/{slug}/mark", needs: accounts.Edit, do: s.articleMark},
		{pattern: "POST /admin/articles/{slug}/link", needs: accounts.Edit, do: s.articleLink},
		{pattern: "POST /admin/articles/{slug}/unlink", needs: accounts.Edit, do: s.articleUnlink},
		{pattern: "GET /admin/articles/{slug}/translate", needs: accounts.Edit, do: s.articleTranslate},
		{pattern: "POST /admin/articles/{slug}/translate", needs: accounts.Edit, do: s.articleTranslated},

		{pattern: "GET /admin/waiting", needs: accounts.Read, do: s.waits},
		{pattern: "GET /admin/waiting/new", needs: accounts.Edit, do: s.articleNew},
		{pattern: "POST /admin/waiting", needs: accounts.Edit, do: s.articleWrite},
		{pattern: "GET /admin/waiting/{id}", needs: accounts.Read, do: s.wait},
		{pattern: "GET /admin/waiting/{id}/body", needs: accounts.Read, do: s.waitBody},
		{pattern: "GET /admin/waiting/{id}/edit", needs: accounts.Edit, do: s.waitEdit},
		{pattern: "POST /admin/waiting/{id}/edit", needs: accounts.Edit, do: s.waitWrite},
		{pattern: "POST /admin/waiting/{id}/publish", needs: accounts.Edit, do: s.waitPublish},
		{pattern: "POST /admin/waiting/{id}/discard", needs: accounts.Edit, do: s.waitDiscard},
	}
}

// filterNames are the parameters by which articles are looked for.
var filterNames = []string{"q", "source", "section", "tag", "language", "is"}

func (s *site) articles(v *visit) (adminpage.Page, error) {
	page := adminpage.Articles{Filter: adminpage.Fields{}}
	var parameters []string
	for _, name := range filterNames {
		value := strings.TrimSpace(v.query(name))
		page.Filter[name] = []string{value}
		parameters = append(parameters, name, value)
	}
	get := page.Filter.Get
	if words := get("q"); strings.Contains(words, "://") { // an address: whoever has that wants its article
		if a, err := s.App.Articles.ByReference(v.Context(), s.App.DB, words); err == nil {
			return v.leave("/admin/articles/"+a.Slug, "")
		}
	}
	q := articles.Search{
		Words: get("q"), Source: get("source"), Section: get("section"), Tag: get("tag"), Language: get("language"), Marked: articles.Marked(get("is")),
	}
	before, _ := parsePlace(v.query("before"))
	found, err := s.App.FindArticles(v.Context(), q, before, rows)
	if err != nil {
		return nil, err
	}
	page.Count, page.Many = min(found.Count, app.FoundMost), found.Count > app.FoundMost
	if page.Rows, err = s.articleRows(v, found.Articles); err != nil {
		return nil, err
	}
	if v.query("before") != "" {
		page.Pager.FirstURL = address("/admin/articles", parameters...)
	}
	if found.More {
		last := found.Articles[len(found.Articles)-1]
		page.Pager.NextURL = address("/admin/articles", append(parameters, "before", placeName(articles.Place{At: last.PublishedAt, ID: last.ID}))...)
	}
	page.Sources, page.Sections, page.Languages, err = s.values(v)
	return page, err
}

// placeName writes a place as addresses have it.
func placeName(place articles.Place) string {
	return fmt.Sprintf("%d.%d", place.At.UnixMicro(), place.ID)
}

// parsePlace reads what placeName wrote.
func parsePlace(name string) (place articles.Place, ok bool) {
	at, id, _ := strings.Cut(name, ".")
	micro, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return place, false
	}
	if place.ID, err = strconv.ParseInt(id, 10, 64); err != nil {
		return articles.Place{}, false
	}
	place.At = time.UnixMicro(micro).UTC()
	const years = 10_000 // Postgres knows as many
	return place, place.At.Year() > 0 && place.At.Year() < years
}

// values returns the sources, sections and languages that there are articles of, to choose from.
func (s *site) values(v *visit) (sources, sections, languages []string, err error) {
	const most = 300
	for _, kind := range []struct {
		of   feeds.Kind
		into *[]string
	}{{feeds.OfSource, &sources}, {feeds.OfSection, &sections}, {feeds.OfLanguage, &languages}} {
		if *kind.into, err = s.App.Feeds.Values(v.Context(), s.App.DB, kind.of, most); err != nil {
			return nil, nil, nil, err
		}
		slices.Sort(*kind.into)
	}
	return sources, sections, languages, nil
}

func (s *site) articleRows(v *visit, found []articles.Article) (all []adminpage.ArticleRow, err error) {
	slugs, err := s.App.Articles.SourceSlugs(v.Context(), s.App.DB)
	for i := range found {
		all = append(all, articleRow(&found[i], slugs))
	}
	return all, err
}

func articleRow(a *articles.Article, slugs map[int64]string) adminpage.ArticleRow {
	return adminpage.ArticleRow{
		Slug: a.Slug, Title: a.Title, Language: a.Language, Section: a.Section, Source: slugs[a.SourceID], PublishedAt: a.PublishedAt,
		Urgent: a.Urgent, Pinned: a.Pinned, Withdrawn: a.WithdrawnAt != nil, Archive: a.Archive, ByEditor: a.ByEditor,
	}
}

func (s *site) article(v *visit) (adminpage.Page, error) { return s.articlePage(v, nil) }

// articlePage shows an article; mistakes are those of the form that links a translation.
func (s *site) articlePage(v *visit, mistakes adminpage.Mistakes) (page adminpage.Article, err error) {
	ctx, db := v.Context(), s.App.DB
	a, err := s.App.Articles.BySlug(ctx, db, v.PathValue("slug"))
	if err != nil {
		return page, err
	}
	slugs, err := s.App.Articles.SourceSlugs(ctx, db)
	if err != nil {
		return page, err
	}
	page = adminpage.Article{
		ArticleRow: articleRow(&a, slugs), Summary: a.Summary, URL: a.URL, ImageURL: a.ImageURL, ImageAlt: a.ImageAlt, Tags: a.Tags, Authors: a.Authors,
		UpdatedAt: a.UpdatedAt, FirstSeenAt: a.FirstSeenAt, WithdrawnAt: a.WithdrawnAt, Mistakes: mistakes, Fields: v.fields(),
		PageURL: s.App.PublicURL() + "/articles/" + a.Slug,
	}
	group, err := s.App.Articles.Teasers(ctx, db, []int64{a.GroupID})
	if err != nil {
		return page, err
	}
	for i := range group {
		if group[i].ID != a.ID {
			page.Translations = append(page.Translations, articleRow(&group[i], slugs))
		}
	}
	if err := s.whereabouts(v, &a, &page); err != nil {
		return page, err
	}
	versions, edited, err := s.App.ArticleHistory(ctx, a.Slug)
	if err != nil {
		return page, err
	}
	for _, version := range versions {
		page.Versions = append(page.Versions, articleVersion(version))
	}
	slices.Reverse(page.Versions)
	if edited != nil {
		page.Edited = &adminpage.ArticleEdited{At: edited.At, By: edited.By, Parts: edited.Parts, SourceChangedAt: edited.SourceChangedAt}
	}
	return page, nil
}

func articleVersion(v articles.Version) adminpage.ArticleVersion {
	return adminpage.ArticleVersion{Number: v.Number, At: v.At, By: v.By, Changed: v.Changed}
}

// whereabouts says which feeds an article is in, and which editions it is or was in: of their lists alone, for who is confined to some.
func (s *site) whereabouts(v *visit, a *articles.Article, page *adminpage.Article) error {
	const most = 20
	in, err := s.App.Feeds.Of(v.Context(), s.App.DB, a, page.Source, most+1)
	if err != nil {
		return err
	}
	for _, f := range in[:min(len(in), most)] {
		page.Feeds = append(page.Feeds, feedLink(&f, v))
	}
	page.FeedsMore = len(in) > most
	names, err := s.listNames(v)
	if err != nil {
		return err
	}
	editions, err := s.App.ArticleAppearances(v.Context(), a.GroupID, v.actor.Lists, most)
	for _, e := range editions {
		page.Editions = append(page.Editions, adminpage.ArticleEdition{
			ID: e.ID.String(), List: cmp.Or(names[e.ListID], e.List), Rhythm: e.Rhythm, State: string(e.State), Date: e.LocalDate, Sent: min(e.Sent, edition.SentMost), Many: e.Sent > edition.SentMost,
		})
	}
	return err
}

func feedLink(f *feeds.Feed, v *visit) adminpage.FeedLink {
	title, _ := f.Name(v.actor.Language)
	return adminpage.FeedLink{Slug: f.Slug, Title: title}
}

// articleBody is what is shown of an article in a frame.
func (s *site) articleBody(v *visit) (adminpage.Page, error) {
	a, err := s.App.Articles.BySlug(v.Context(), s.App.DB, v.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	return s.foreign(v, framed(a.Language, a.HTML))
}

// framed puts an article's clean HTML on a page of its own, to be shown in a frame.
func framed(tag, clean string) []byte {
	direction := "ltr"
	if language.RightToLeft(tag) {
		direction = "rtl"
	}
	if _, err := language.Parse(tag); err != nil {
		tag = ""
	}
	return []byte(`<!doctype html><html lang="` + tag + `" dir="` + direction + `"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
		`<base target="_blank"><title></title><style>` + frameStyle + `</style><body>` + clean)
}

const frameStyle = `:root{color-scheme:light dark}body{margin:20px;max-width:640px;font:17px/1.6 Georgia,"PT Serif","Noto Serif","Songti SC","Noto Serif CJK SC",serif;overflow-wrap:anywhere}` +
	`img,video{max-width:100%;height:auto}figure{margin:20px 0}table{border-collapse:collapse}td,th{padding:4px 8px;border:1px solid #888}pre{overflow-x:auto}`

func (s *site) articleVersions(v *visit) (adminpage.Page, error) {
	versions, _, err := s.App.ArticleHistory(v.Context(), v.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	now := versions[len(versions)-1]
	page := adminpage.ArticleVersions{Slug: now.Article.Slug, Title: now.Article.Title, Language: now.Article.Language}
	from, to := versions[max(0, len(versions)-2)], now
	for _, version := range versions {
		page.Versions = append(page.Versions, articleVersion(version))
		if strconv.Itoa(version.Number) == v.query("from") {
			from = version
		}
		if strconv.Itoa(version.Number) == v.query("to") {
			to = version
		}
	}
	page.From, page.To = from.Number, to.Number
	kinds := map[byte]string{'-': "gone", '+': "came", ' ': "same"}
	for _, d := range articles.Compare(from, to) {
		part := adminpage.ArticleDifference{Part: d.Part}
		for _, line := range d.Lines {
			part.Lines = append(part.Lines, adminpage.DifferenceLine{Kind: kinds[line[0]], Text: line[1:]})
		}
		page.Parts = append(page.Parts, part)
	}
	return page, nil
}

func (s *site) articleWithdraw(v *visit) (adminpage.Page, error) {
	a, _, err := s.App.WithdrawArticle(v.Context(), v.actor.Name, v.PathValue("slug"))
	return s.left(v, a, err, "article_withdrawn")
}

func (s *site) articleRestore(v *visit) (adminpage.Page, error) {
	a, _, err := s.App.RestoreArticle(v.Context(), v.PathValue("slug"))
	return s.left(v, a, err, "article_restored")
}

func (s *site) articleRevert(v *visit) (adminpage.Page, error) {
	a, _, err := s.App.TakeBackArticle(v.Context(), v.actor.Name, v.PathValue("slug"))
	return s.left(v, a, err, "article_reverted")
}

// left leads to the page of an article that something was done to.
func (s *site) left(v *visit, a articles.Article, err error, done string) (adminpage.Page, error) {
	if err != nil {
		return nil, err
	}
	return v.leave("/admin/articles/"+a.Slug, done)
}

func (s *site) articleMark(v *visit) (adminpage.Page, error) {
	given := func(name string) *bool {
		if !v.PostForm.Has(name) {
			return nil
		}
		on := v.PostForm.Get(name) == "yes"
		return &on
	}
	a, _, err := s.App.MarkArticle(v.Context(), v.PathValue("slug"), given("urgent"), given("pinned"))
	return s.left(v, a, err, "saved")
}

func (s *site) articleLink(v *visit) (adminpage.Page, error) {
	one, _, change, err := s.App.LinkArticles(v.Context(), v.actor.Name, v.PathValue("slug"), strings.TrimSpace(v.PostForm.Get("other")))
	switch {
	case err != nil && told(err):
		page, failed := s.articlePage(v, adminpage.Mistakes{"other": err.Error()})
		if failed != nil {
			return nil, failed
		}
		return v.again(page)
	case change == database.Unchanged:
		return s.left(v, one, err, "")
	}
	return s.left(v, one, err, "article_linked")
}

func (s *site) articleUnlink(v *visit) (adminpage.Page, error) {
	a, _, err := s.App.UnlinkArticle(v.Context(), v.actor.Name, v.PathValue("slug"))
	return s.left(v, a, err, "article_unlinked")
}
