package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/internal/sources"
	"silkpost/templates/adminpage"
)

// lookTime is for how long a person waits for what is at an address.
const lookTime = 20 * time.Second

func (s *site) sourceNew(v *visit) (adminpage.Page, error) {
	return adminpage.SourceNew{Address: v.query("address")}, nil
}

// sourceLook looks what is at an address.
func (s *site) sourceLook(v *visit) (adminpage.Page, error) {
	page := adminpage.SourceNew{Address: strings.TrimSpace(v.PostForm.Get("address"))}
	if page.Address == "" {
		page.Mistakes = adminpage.Mistakes{"address": "Write the address of a page or a feed, such as https://www.example.org/news"}
		return v.again(page)
	}
	ctx, stop := context.WithTimeout(v.Context(), lookTime)
	defer stop()
	found, err := s.App.CheckSource(ctx, webAddress(page.Address))
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && err != nil:
		err = errs.New(errs.Unavailable, "%s did not answer within %d seconds: try again later, or another address of the site", page.Address, int(lookTime.Seconds()))
		fallthrough
	case err != nil && told(err):
		page.Mistakes = adminpage.Mistakes{"address": err.Error()}
		return v.again(page)
	case err != nil:
		return nil, err
	}
	page.Looked, page.Problems = true, found.Problems
	for i, c := range found.Found {
		page.Found = append(page.Found, sourceFound(i+1, c))
	}
	if len(found.Found) > 0 {
		page.Fields = newSourceFields(found.Found[0])
	}
	return page, nil
}

// webAddress completes an address that was written without https://, as people write them.
func webAddress(given string) string {
	if !strings.Contains(given, "://") {
		return "https://" + given
	}
	return given
}

// told reports whether an error is for who asked, and not for the log.
func told(err error) bool { return errs.KindOf(err) != errs.Internal }

func newSourceFields(c sources.Candidate) adminpage.Fields {
	every := max(c.Source.Every, articles.DefaultEvery)
	return adminpage.Fields{"found": {"1"}, "slug": {c.Source.Slug}, "section": {c.Source.Section}, "every": {spell(every)}, "first": {string(articles.FirstPollArchive)}}
}

// spell writes an interval as forms have it.
func spell(every time.Duration) string {
	text := every.String()
	text, _ = strings.CutSuffix(text, "0s")
	if strings.Contains(text, "h") {
		text, _ = strings.CutSuffix(text, "0m")
	}
	return text
}

func sourceFound(number int, c sources.Candidate) adminpage.SourceFound {
	found := adminpage.SourceFound{Number: strconv.Itoa(number), Kind: c.Kind, URL: c.URL, About: c.About, Declared: carry(c.Source)}
	for _, a := range c.Articles {
		found.Articles = append(found.Articles, adminpage.SourceArticle{
			Title: a.Title, URL: a.URL, Language: a.Language, Section: a.Section, Image: a.Image, Words: a.Words, Published: a.Published,
			HTML: a.HTML,
		})
	}
	return found
}

// carried is what a form carries of a source that was found: what nobody would want to type.
type carried struct {
	Kind    string           `json:"kind"`
	URL     string           `json:"url"`
	Listing articles.Listing `json:"listing,omitzero"`
}

func carry(source articles.Source) string {
	text, _ := json.Marshal(carried{source.Kind, source.URL, source.Settings.Listing}) // strings alone
	return string(text)
}

// sourceAdd makes a source of what was found.
func (s *site) sourceAdd(v *visit) (adminpage.Page, error) {
	form := v.fields()
	want, err := wanted(form)
	if err == nil {
		err = s.App.AddSource(v.Context(), want)
	}
	if err == nil {
		return v.leave("/admin/sources/"+want.Slug, "source_added")
	}
	if !told(err) {
		return nil, err
	}
	page := adminpage.SourceNew{Address: form.Get("address"), Fields: form, Mistakes: sourceMistakes(err), Looked: true}
	for number := 1; form.Get("found-"+strconv.Itoa(number)) != ""; number++ { // without what they hold: for that there would have to be another look
		var c carried
		if json.Unmarshal([]byte(form.Get("found-"+strconv.Itoa(number))), &c) == nil {
			source := articles.Source{Kind: c.Kind, URL: c.URL, Settings: articles.Settings{Listing: c.Listing}}
			page.Found = append(page.Found, sourceFound(number, sources.Candidate{Kind: c.Kind, URL: c.URL, About: form.Get("about-" + strconv.Itoa(number)), Source: source}))
		}
	}
	return v.again(page)
}

// wanted reads the form of a new source. It makes what has an address alone: a folder would be the server's.
func wanted(form adminpage.Fields) (want articles.Source, err error) {
	var c carried
	if err := json.Unmarshal([]byte(form.Get("found-"+form.Get("found"))), &c); err != nil || c.URL == "" {
		return want, errs.New(errs.Invalid, "choose what is to be the source")
	}
	want = articles.Source{
		Slug: strings.TrimSpace(form.Get("slug")), Kind: c.Kind, URL: c.URL, Settings: articles.Settings{Listing: c.Listing},
	}
	if articles.FirstPoll(form.Get("first")) == articles.FirstPollDue {
		want.Settings.FirstPoll = articles.FirstPollDue
	}
	return want, common(&want, form)
}

// common reads what the forms of new and old sources both have.
func common(want *articles.Source, form adminpage.Fields) error {
	want.Section, want.Language, want.Every = form.Get("section"), strings.TrimSpace(form.Get("language")), interval(form.Get("every"))
	if want.Every == 0 {
		return errs.New(errs.Invalid, "every %q: choose how often it is looked at", form.Get("every"))
	}
	return nil
}

// sourceMistakes puts an error to the field that it is about.
func sourceMistakes(err error) adminpage.Mistakes {
	text := err.Error()
	for _, f := range []struct{ field, says string }{
		{"slug", "slug"}, {"language", ": language "}, {"every", "every "}, {"url", ": url "}, {"url", "address"}, {"slug", "choose another slug"},
	} {
		if strings.Contains(text, f.says) {
			return adminpage.Mistakes{f.field: text}
		}
	}
	return adminpage.Mistakes{"": text}
}

func (s *site) sourceEdit(v *visit) (adminpage.Page, error) {
	source, err := s.App.Articles.PresentSource(v.Context(), s.App.DB, v.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	set := source.Settings
	return adminpage.SourceEdit{Slug: source.Slug, Kind: source.Kind, URL: source.URL, Fields: adminpage.Fields{
		"url": {source.URL}, "section": {source.Section}, "language": {source.Language}, "every": {spell(source.Every)},
		"images": {string(set.Images)}, "full_text": {string(set.FullText)}, "content": {set.Content},
		"include": {strings.Join(set.Include, "\n")}, "exclude": {strings.Join(set.Exclude, "\n")}, "columns": {strings.Join(set.Columns, "\n")},
		"item": {set.Listing.Item}, "link": {set.Listing.Link}, "title": {set.Listing.Title}, "date": {set.Listing.Date}, "next": {set.Listing.Next},
		"remove": {strings.Join(set.Remove, "\n")}, "time_zone": {set.TimeZone},
	}}, nil
}

// sourceChange takes the form of a source. What it does not show stays.
func (s *site) sourceChange(v *visit) (adminpage.Page, error) {
	source, err := s.App.Articles.PresentSource(v.Context(), s.App.DB, v.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	want := source
	change(&want, v.fields())
	if err = common(&want, v.fields()); err == nil {
		err = s.App.ChangeSource(v.Context(), want)
	}
	if err == nil {
		return v.leave("/admin/sources/"+source.Slug, "saved")
	}
	if !told(err) {
		return nil, err
	}
	return v.again(adminpage.SourceEdit{Slug: source.Slug, Kind: source.Kind, URL: source.URL, Fields: v.fields(), Mistakes: sourceMistakes(err)})
}

// change lays the fields of a form over a source, as far as they are those of its kind.
func change(want *articles.Source, form adminpage.Fields) {
	set := &want.Settings
	if want.URL != "" {
		want.URL = webAddress(strings.TrimSpace(form.Get("url")))
	}
	set.Images = articles.Images(form.Get("images"))
	switch want.Kind {
	case articles.KindFeed:
		set.FullText, set.TimeZone = articles.FullText(form.Get("full_text")), strings.TrimSpace(form.Get("time_zone"))
	case articles.KindJCMS, articles.KindHTML, articles.KindSitemap:
		set.Include, set.Exclude, set.Content = lined(form.Get("include")), lined(form.Get("exclude")), strings.TrimSpace(form.Get("content"))
		set.Remove, set.TimeZone = lined(form.Get("remove")), strings.TrimSpace(form.Get("time_zone"))
	}
	if want.Kind == articles.KindJCMS {
		set.Columns = lined(form.Get("columns"))
	}
	if want.Kind == articles.KindHTML {
		set.Listing = articles.Listing{Item: form.Get("item"), Link: form.Get("link"), Title: form.Get("title"), Date: form.Get("date"), Next: form.Get("next")}
	}
}

// lined returns the lines of a field that say something.
func lined(text string) (all []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// address returns an address of ours with parameters: names and values in turn, those without a value left out.
func address(path string, parameters ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		if parameters[i+1] != "" {
			query.Add(parameters[i], parameters[i+1])
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
