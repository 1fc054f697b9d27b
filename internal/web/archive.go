package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/mailer/archive"
	"silkpost/subscribers"
	"silkpost/templates"
)

// How many editions a page of an archive lists, and its feed holds.
const (
	archivePage = 20
	archiveFeed = 20
)

// archiveFile is what the feed of an archive is called, before its format.
const archiveFile = "feed"

// shelf is a list's archive in one language.
type shelf struct {
	archive.Store
	list   subscribers.List
	tag    string // of the articles that are looked for
	words  string // language of the product's words
	folder string // its address below the public URL, with slashes around it
}

// archivedList returns the list of an address, if everybody may read its editions.
func (s *site) archivedList(r *http.Request) (subscribers.List, error) {
	list, err := subscribers.ListBySlug(r.Context(), s.DB, r.PathValue("list"))
	if err == nil && !list.Archive {
		err = errs.New(errs.NotFound, "list %s has no archive", list.Slug)
	}
	return list, err
}

// archiveHome leads to the archive in the first language that the visitor's browser asks for.
func (s *site) archiveHome(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	list, err := s.archivedList(r)
	if err != nil {
		return nil, err
	}
	tags, err := archive.Store{Articles: s.Articles}.Languages(r.Context(), s.DB, &list)
	if err != nil {
		return nil, err
	}
	tag := language.Choose(append(accepted(r), list.FallbackLanguage), tags)
	switch {
	case tag == "" && len(tags) > 0:
		tag = tags[0]
	case tag == "":
		tag = list.FallbackLanguage
	}
	w.Header().Add("Vary", "Accept-Language")
	http.Redirect(w, r, s.PublicURL+archiveFolder(&list, tag), http.StatusFound) //nolint:gosec // slug and tag are those of what is stored
	return nil, nil
}

func archiveFolder(list *subscribers.List, tag string) string {
	return "/archive/" + list.Slug + "/" + tag + "/"
}

// shelf returns the archive that an address stands for. Of a language that nothing was ever sent in there is none, but for the list's own.
func (s *site) shelf(r *http.Request) (a shelf, err error) {
	a = shelf{Store: archive.Store{Articles: s.Articles}, tag: r.PathValue("language")}
	if a.list, err = s.archivedList(r); err != nil {
		return a, err
	}
	if a.tag != a.list.FallbackLanguage {
		has, err := a.HasLanguage(r.Context(), s.DB, &a.list, a.tag)
		if err != nil {
			return a, err
		}
		if !has {
			return a, errs.New(errs.NotFound, "nothing of list %s was sent in %q", a.list.Slug, a.tag)
		}
	}
	a.words, a.folder = s.Templates.Language([]string{a.tag}, a.list.FallbackLanguage), archiveFolder(&a.list, a.tag)
	return a, nil
}

// archive lists the editions that went out.
func (s *site) archive(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	a, err := s.shelf(r)
	if err != nil {
		return nil, err
	}
	before, err := beforeOf(r)
	if err != nil {
		return nil, err
	}
	editions, next, older, err := a.Editions(r.Context(), s.DB, &a.list, a.tag, before, archivePage)
	if err != nil {
		return nil, err
	}
	page := templates.ArchivePage{
		ListName: a.list.NameIn(a.words), Newest: before == uuid.Nil, URL: s.archiveURL(&a.list, a.tag, "", before),
		SubscribeURL: subscribePath(&a.list), Feeds: s.archiveFeeds(&a),
	}
	if older {
		page.OlderURL = s.archiveURL(&a.list, a.tag, "", next)
	}
	for i := range editions {
		page.Editions = append(page.Editions, templates.ArchiveEdition{
			URL: s.archiveURL(&a.list, a.tag, editions[i].ID.String(), uuid.Nil), Rhythm: editions[i].Rhythm, Date: editions[i].LocalDate, Articles: s.shown(&editions[i]),
		})
	}
	if page.Languages, err = s.archiveLanguages(r, &a, "", before); err != nil {
		return nil, err
	}
	s.publish(w, r, a.words, page)
	return nil, nil
}

// beforeOf returns the edition that a page of the archive goes on before; uuid.Nil for the first page.
func beforeOf(r *http.Request) (uuid.UUID, error) {
	asked := r.URL.Query().Get("before")
	if asked == "" {
		return uuid.Nil, nil
	}
	id, err := uuid.Parse(asked)
	if err != nil {
		return id, errs.New(errs.NotFound, "there is no edition %q", asked)
	}
	return id, nil
}

// archiveURL returns the address of a file of an archive; "" is its page, which goes on before an edition.
func (s *site) archiveURL(list *subscribers.List, tag, file string, before uuid.UUID) string {
	address := s.PublicURL + archiveFolder(list, tag) + file
	if before != uuid.Nil {
		address += "?" + url.Values{"before": {before.String()}}.Encode()
	}
	return address
}

// archiveLanguages returns the same page in the other languages.
func (s *site) archiveLanguages(r *http.Request, a *shelf, file string, before uuid.UUID) (others []templates.ArchiveLanguage, err error) {
	tags, err := a.Languages(r.Context(), s.DB, &a.list)
	for _, tag := range tags {
		if tag != a.tag {
			others = append(others, templates.ArchiveLanguage{Language: tag, URL: s.archiveURL(&a.list, tag, file, before)})
		}
	}
	return others, err
}

// subscribePath returns where a list is subscribed to, "" when not everybody may.
func subscribePath(list *subscribers.List) string {
	if !list.Public {
		return ""
	}
	return "/s/" + list.Slug
}

func (s *site) archiveFeeds(a *shelf) (links []templates.FeedLink) {
	for _, format := range feeds.Formats() {
		links = append(links, templates.FeedLink{
			Type: format.MediaType(), Title: a.list.NameIn(a.words), URL: s.PublicURL + a.folder + archiveFile + "." + string(format),
		})
	}
	return links
}

// shown returns the articles of an edition as templates show them. Who reads an edition outside of a mail has not said which languages they read,
// so that no article is marked but those in another than the page's.
func (s *site) shown(e *archive.Edition) (list []templates.DigestArticle) {
	for i := range e.Articles {
		a := &e.Articles[i]
		list = append(list, templates.DigestArticle{
			Title: a.Title, URL: a.Link(s.PublicURL), Section: a.Section, Summary: a.Summary, Language: a.Language, Fallback: a.Fallback,
		})
	}
	return list
}

// archived shows one edition, or a feed of all.
func (s *site) archived(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	a, err := s.shelf(r)
	if err != nil {
		return nil, err
	}
	if name, format, err := splitFeedFile(r); err == nil && name == archiveFile {
		return nil, s.archiveFeed(w, r, &a, format)
	}
	id, err := uuid.Parse(r.PathValue("file"))
	if err != nil || id.String() != r.PathValue("file") {
		return nil, errs.New(errs.NotFound, "there is no edition %q", r.PathValue("file"))
	}
	e, err := a.Edition(r.Context(), s.DB, &a.list, a.tag, id)
	if err != nil {
		return nil, err
	}
	page := s.editionPage(&a, &e)
	page.ArchiveURL, page.SubscribeURL, page.Feeds = s.PublicURL+a.folder, subscribePath(&a.list), s.archiveFeeds(&a)
	if page.Languages, err = s.archiveLanguages(r, &a, id.String(), uuid.Nil); err != nil {
		return nil, err
	}
	s.publish(w, r, a.words, page)
	return nil, nil
}

// editionPage returns what an edition says.
func (s *site) editionPage(a *shelf, e *archive.Edition) (p templates.EditionPage) {
	p = templates.EditionPage{
		ListName: a.list.NameIn(a.words), Date: e.LocalDate, Articles: s.shown(e), URL: s.archiveURL(&a.list, a.tag, e.ID.String(), uuid.Nil),
	}
	own := s.Templates.Language([]string{a.list.FallbackLanguage}, a.list.FallbackLanguage)
	p.Subject, p.Introduction, p.IntroducedIn = e.Written(a.words, own)
	return p
}

// archiveFeed answers with the newest editions as a feed.
func (s *site) archiveFeed(w http.ResponseWriter, r *http.Request, a *shelf, format feeds.Format) error {
	editions, _, _, err := a.Editions(r.Context(), s.DB, &a.list, a.tag, uuid.Nil, archiveFeed)
	if err != nil {
		return err
	}
	frame := feeds.Frame{Folder: a.folder, Path: archiveFile, Language: a.words, Feed: feeds.Feed{
		Slug: archiveFile, Title: map[string]string{a.words: a.list.NameIn(a.words)}, Content: feeds.Full, Limit: archiveFeed,
	}}
	items := make([]feeds.Item, len(editions))
	for i := range editions {
		if items[i].Article, err = s.editionItem(a, &editions[i]); err != nil {
			return err
		}
		if items[i].UpdatedAt.After(frame.Updated) {
			frame.Updated = items[i].UpdatedAt
		}
	}
	body, err := feeds.Render(format, &frame, items, s.PublicURL)
	if err != nil {
		return err
	}
	feeds.Serve(w, r, feeds.Document{Format: format, Folder: a.folder, Path: archiveFile, Body: body}, s.PublicURL, s.Clock.Now())
	return nil
}

// editionItem returns an edition as an article of a feed. Its id is that of the edition in that language, for ever.
func (s *site) editionItem(a *shelf, e *archive.Edition) (item articles.Article, err error) {
	page := s.editionPage(a, e)
	item = articles.Article{
		GUID: uuid.NewSHA1(e.ID, []byte(a.tag)).URN(), URL: page.URL, Language: a.words,
		PublishedAt: e.WentOut, UpdatedAt: e.Updated,
	}
	item.Title, item.HTML, err = s.Templates.Edition(a.words, page)
	titles := make([]string, len(page.Articles))
	for i := range page.Articles {
		titles[i] = page.Articles[i].Title
	}
	item.Summary = strings.Join(titles, " · ")
	return item, err
}
