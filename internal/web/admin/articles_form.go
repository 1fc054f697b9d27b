package admin

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/templates/adminpage"
)

// blockEnd ends a block of HTML: after it a line of the field can end.
var blockEnd = regexp.MustCompile(`(</(?:p|h[1-6]|ul|ol|li|table|tr|figure|blockquote|pre|div)>)(<)`)

// editable returns the text of an article as the field has it: HTML, a block a line.
func editable(html string) string { return blockEnd.ReplaceAllString(html, "$1\n$2") }

var anyTag = regexp.MustCompile(`<[a-zA-Z/][^>]*>`)

// isHTML reports whether somebody wrote HTML, not plain paragraphs.
func isHTML(text string) bool { return anyTag.MatchString(text) }

// typed returns what stands in a field, its lines ended as everywhere.
func typed(form adminpage.Fields, name string) string {
	return strings.TrimSpace(strings.ReplaceAll(form.Get(name), "\r\n", "\n"))
}

func articleFields(a *articles.Article) adminpage.Fields {
	return adminpage.Fields{
		"title": {a.Title}, "summary": {a.Summary}, "text": {editable(a.HTML)}, "section": {a.Section}, "tags": {strings.Join(a.Tags, "\n")},
		"language": {a.Language}, "authors": {strings.Join(a.Authors, "\n")}, "image": {a.ImageURL}, "image_alt": {a.ImageAlt},
	}
}

func (s *site) articleEdit(v *visit) (adminpage.Page, error) {
	a, err := s.App.Articles.BySlug(v.Context(), s.App.DB, v.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	if a.ByEditor {
		return v.leave("/admin/articles/"+a.Slug+"/translate", "")
	}
	return s.articleForm(v, &a, articleFields(&a), nil)
}

func (s *site) articleForm(v *visit, a *articles.Article, fields adminpage.Fields, mistakes adminpage.Mistakes) (page adminpage.ArticleEdit, err error) {
	edited, err := s.App.Articles.Edited(v.Context(), s.App.DB, a.ID)
	page = adminpage.ArticleEdit{
		Slug: a.Slug, Title: a.Title, Language: a.Language, Revision: strconv.FormatInt(a.Revision, 10), Fields: fields, Mistakes: mistakes, Given: adminpage.Fields{},
	}
	if edited == nil {
		return page, err
	}
	page.Edited = true
	given := articleFields(&edited.Given)
	given["text"] = []string{articles.Text(edited.Given.HTML)}
	for _, part := range edited.Parts {
		if part == "html" {
			part = "text"
		}
		page.Given[part] = []string{strings.ReplaceAll(given.Get(part), "\n", ", ")}
	}
	return page, err
}

// articleChange writes over those parts of an article that stand otherwise in the form.
func (s *site) articleChange(v *visit) (adminpage.Page, error) {
	a, err := s.App.Articles.BySlug(v.Context(), s.App.DB, v.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	again := func(err error) (adminpage.Page, error) {
		page, failed := s.articleForm(v, &a, v.fields(), articleMistakes(err))
		if failed != nil {
			return nil, failed
		}
		return v.again(page)
	}
	if v.PostForm.Get("revision") != strconv.FormatInt(a.Revision, 10) {
		return again(errs.New(errs.Conflict, "the article has changed since you opened this form: look at its versions, and save again if this still holds"))
	}
	edit, changed := editOf(&a, v.fields())
	if !changed {
		return v.leave("/admin/articles/"+a.Slug, "")
	}
	_, _, err = s.App.EditArticle(v.Context(), v.actor.Name, a.Slug, edit)
	if err != nil && told(err) {
		return again(err)
	}
	return s.left(v, a, err, "article_edited")
}

// editOf returns the parts of an article that a form has otherwise.
func editOf(a *articles.Article, form adminpage.Fields) (e articles.Edit, changed bool) {
	shown := articleFields(a)
	part := func(name string) *string {
		value := typed(form, name)
		if _, there := form[name]; !there || value == strings.TrimSpace(shown.Get(name)) {
			return nil
		}
		changed = true
		return &value
	}
	e.Title, e.Summary, e.Section, e.Language, e.ImageURL, e.ImageAlt = part("title"), part("summary"), part("section"), part("language"), part("image"), part("image_alt")
	if text := part("text"); text != nil && isHTML(*text) {
		e.HTML = text
	} else {
		e.Text = text
	}
	for name, list := range map[string]**[]string{"tags": &e.Tags, "authors": &e.Authors} {
		if text := part(name); text != nil {
			all := lined(*text)
			*list = &all
		}
	}
	return e, changed
}

// articleMistakes puts an error to the field that it is about.
func articleMistakes(err error) adminpage.Mistakes {
	text := err.Error()
	for _, f := range []struct{ field, says string }{
		{"language", "language tag"}, {"image", "image "}, {"title", "title"}, {"text", "no text"}, {"at", "time"},
	} {
		if strings.Contains(text, f.says) {
			return adminpage.Mistakes{f.field: text}
		}
	}
	return adminpage.Mistakes{"": text}
}

func (s *site) articleTranslate(v *visit) (adminpage.Page, error) {
	a, err := s.App.Articles.BySlug(v.Context(), s.App.DB, v.PathValue("slug"))
	page := translateForm(&a, adminpage.Fields{"language": {v.query("language")}})
	if a.ByEditor {
		page.Fields = adminpage.Fields{"language": {a.Language}, "title": {a.Title}, "summary": {a.Summary}}
	}
	return page, err
}

func translateForm(a *articles.Article, fields adminpage.Fields) adminpage.ArticleTranslate {
	return adminpage.ArticleTranslate{Slug: a.Slug, Title: a.Title, Summary: a.Summary, Language: a.Language, Fields: fields}
}

func (s *site) articleTranslated(v *visit) (adminpage.Page, error) {
	form := v.fields()
	made, _, err := s.App.TranslateArticle(v.Context(), v.actor.Name, v.PathValue("slug"), articles.Translation{
		Language: form.Get("language"), Title: form.Get("title"), Summary: form.Get("summary"),
	})
	if err != nil && told(err) && errs.KindOf(err) != errs.NotFound {
		a, failed := s.App.Articles.BySlug(v.Context(), s.App.DB, v.PathValue("slug"))
		if failed != nil {
			return nil, failed
		}
		page := translateForm(&a, form)
		page.Mistakes = articleMistakes(err)
		return v.again(page)
	}
	return s.left(v, made, err, "article_translated")
}

func (s *site) articleNew(*visit) (adminpage.Page, error) {
	return adminpage.ArticleWrite{Fields: adminpage.Fields{"when": {"draft"}}}, nil
}

func (s *site) articleWrite(v *visit) (adminpage.Page, error) { return s.written(v, 0, "") }

// written takes in what somebody wrote: something new, or with number and key what waits under these.
func (s *site) written(v *visit, id int64, key string) (adminpage.Page, error) {
	d, err := s.draft(v)
	d.ExternalKey = key
	var slug string
	var waiting int64
	if err == nil {
		slug, waiting, err = s.App.WriteArticle(v.Context(), d)
	}
	switch {
	case err != nil && told(err):
		return v.again(adminpage.ArticleWrite{Waiting: id, Fields: v.fields(), Mistakes: articleMistakes(err)})
	case err != nil:
		return nil, err
	case waiting > 0:
		return v.leave("/admin/waiting/"+strconv.FormatInt(waiting, 10), "saved")
	}
	return v.leave("/admin/articles/"+slug, "article_published")
}

// atFormat is how browsers write a moment.
const atFormat = "2006-01-02T15:04"

// draft reads the form of an article that is written here. Its times are in the zone of who writes.
func (s *site) draft(v *visit) (d articles.Draft, err error) {
	form := v.fields()
	d = articles.Draft{
		Title: form.Get("title"), Summary: form.Get("summary"), Section: form.Get("section"), Tags: lined(form.Get("tags")), Authors: lined(form.Get("authors")),
		Language: strings.TrimSpace(form.Get("language")), URL: strings.TrimSpace(form.Get("url")), ImageURL: strings.TrimSpace(form.Get("image")),
		ImageAlt: form.Get("image_alt"), Urgent: form.Get("urgent") != "", Pinned: form.Get("pinned") != "",
	}
	if text := typed(form, "text"); isHTML(text) {
		d.HTML = text
	} else {
		d.Text = text
	}
	switch form.Get("when") {
	case "now":
	case "at":
		d.NotBefore, err = time.ParseInLocation(atFormat, form.Get("at"), v.actor.Location())
		if err != nil || !d.NotBefore.After(s.App.Clock.Now()) {
			return d, errs.New(errs.Invalid, "say at what time it is to be published: one that is to come")
		}
	default:
		d.Unfinished = true
	}
	if strings.TrimSpace(d.Title) == "" {
		return d, errs.New(errs.Invalid, "an article has a title")
	}
	return d, nil
}

func (s *site) waits(v *visit) (adminpage.Page, error) {
	after, _ := strconv.ParseInt(v.query("after"), 10, 64)
	page := adminpage.Waits{Filter: adminpage.Fields{"source": {v.query("source")}, "state": {v.query("state")}}}
	all, err := s.App.Articles.WaitingPage(v.Context(), s.App.DB, v.query("source"), articles.State(v.query("state")), after, rows+1)
	if err != nil {
		return nil, err
	}
	for _, w := range all[:min(len(all), rows)] {
		page.Rows = append(page.Rows, waitingRow(w))
	}
	if after > 0 {
		page.Pager.FirstURL = address("/admin/waiting", "source", v.query("source"), "state", v.query("state"))
	}
	if len(all) > rows {
		page.Pager.NextURL = address("/admin/waiting", "source", v.query("source"), "state", v.query("state"), "after", strconv.FormatInt(all[rows-1].ID, 10))
	}
	sources, err := s.App.Articles.Sources(v.Context(), s.App.DB)
	for _, source := range sources {
		page.Sources = append(page.Sources, source.Slug)
	}
	return page, err
}

// waitingArticle returns what waits under the number in the address.
func (s *site) waitingArticle(v *visit) (w articles.Waiting, d articles.Draft, err error) {
	id, err := strconv.ParseInt(v.PathValue("id"), 10, 64)
	if err != nil {
		return w, d, errs.New(errs.NotFound, "nothing waits under that number")
	}
	return s.App.Articles.WaitingDraft(v.Context(), s.App.DB, id)
}

func (s *site) wait(v *visit) (adminpage.Page, error) {
	w, d, err := s.waitingArticle(v)
	return adminpage.Wait{
		WaitingRow: waitingRow(w), URL: d.URL, Language: d.Language, Section: d.Section, Tags: d.Tags, Own: w.Source == app.OwnSource,
	}, err
}

// waitBody is what a waiting article will look like.
func (s *site) waitBody(v *visit) (adminpage.Page, error) {
	_, d, err := s.waitingArticle(v)
	if err != nil {
		return nil, err
	}
	return s.foreign(v, framed(d.Language, d.Shown()))
}

func (s *site) waitEdit(v *visit) (adminpage.Page, error) {
	w, d, err := s.waitingArticle(v)
	if err != nil {
		return nil, err
	}
	if w.Source != app.OwnSource {
		return nil, errs.New(errs.Conflict, "this article is its source's: it can be edited once it is published")
	}
	text := d.Text
	if d.HTML != "" {
		text = d.HTML
	}
	fields := adminpage.Fields{
		"title": {d.Title}, "summary": {d.Summary}, "text": {text}, "section": {d.Section}, "tags": {strings.Join(d.Tags, "\n")},
		"authors": {strings.Join(d.Authors, "\n")}, "language": {d.Language}, "url": {d.URL}, "image": {d.ImageURL}, "image_alt": {d.ImageAlt}, "when": {"draft"},
	}
	for name, on := range map[string]bool{"urgent": d.Urgent, "pinned": d.Pinned} {
		if on {
			fields[name] = []string{"on"}
		}
	}
	if w.PublishAt != nil {
		fields["when"], fields["at"] = []string{"at"}, []string{w.PublishAt.In(v.actor.Location()).Format(atFormat)}
	}
	return adminpage.ArticleWrite{Waiting: w.ID, Fields: fields}, nil
}

func (s *site) waitWrite(v *visit) (adminpage.Page, error) {
	w, _, err := s.waitingArticle(v)
	if err != nil {
		return nil, err
	}
	if w.Source != app.OwnSource {
		return nil, errs.New(errs.Conflict, "this article is its source's: it can be edited once it is published")
	}
	return s.written(v, w.ID, w.ExternalKey)
}

func (s *site) waitPublish(v *visit) (adminpage.Page, error) {
	w, _, err := s.waitingArticle(v)
	if err == nil {
		_, err = s.App.PublishWaiting(v.Context(), w.ID)
	}
	if err != nil {
		return nil, err
	}
	return v.leave("/admin/waiting", "article_published")
}

func (s *site) waitDiscard(v *visit) (adminpage.Page, error) {
	w, _, err := s.waitingArticle(v)
	if err == nil {
		err = s.App.DiscardWaiting(v.Context(), w.ID)
	}
	if err != nil {
		return nil, err
	}
	return v.leave("/admin/waiting", "article_discarded")
}
