package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// Desk is where somebody works on editions; see edition.Desk.
func (a *App) Desk(by string) *edition.Desk {
	return &edition.Desk{DB: a.DB, Clock: a.Clock, Languages: a.Templates, By: by}
}

// deskWork is who does at the desk what time brings.
const deskWork = "schedule"

// keepDesk does what is due at the desk by itself: deadlines for approval, and what was in flight when its edition was laid out again. It
// returns how many editions that changed.
func (a *App) keepDesk(ctx context.Context) (changed int, err error) {
	desk := a.Desk(deskWork)
	late, err := desk.Deadlines(ctx)
	if late > 0 {
		a.Log.WarnContext(ctx, "editions were not approved in time", slog.Int("count", late))
	}
	swept, failed := desk.Sweep(ctx)
	return late + swept, errors.Join(err, failed)
}

// Resend lets an edition's message go once more to the contact of an address; see edition.Desk.Resend. A worker sends it.
func (a *App) Resend(ctx context.Context, by string, id uuid.UUID, email string) error {
	contact, err := subscribers.ContactByEmail(ctx, a.DB, email)
	if err != nil {
		return err
	}
	return a.Desk(by).Resend(ctx, id, contact.ID)
}

// articlesOf finds articles by their slugs, GUIDs or addresses.
func (a *App) articlesOf(ctx context.Context, h database.Handle, refs []string) (found []articles.Article, err error) {
	for _, ref := range refs {
		article, err := a.Articles.ByReference(ctx, h, ref)
		if err != nil {
			return nil, err
		}
		found = append(found, article)
	}
	return found, nil
}

// Arrange does something with articles of an edition: one of the desk's methods.
func (a *App) Arrange(ctx context.Context, id uuid.UUID, refs []string, do func(context.Context, uuid.UUID, ...articles.Article) error) error {
	which, err := a.articlesOf(ctx, a.DB, refs)
	if err != nil {
		return err
	}
	return do(ctx, id, which...)
}

// DeskItem is an article of an edition as the desk shows it.
type DeskItem struct {
	Slug       string   `json:"slug"`
	Title      string   `json:"title"`
	Languages  []string `json:"languages"` // that it is in
	Recipients int      `json:"recipients"`
	Added      bool     `json:"added"`
	Place      *int     `json:"place"`   // nil: by date
	Dropped    string   `json:"dropped"` // later, never or ""

	Language  string    `json:"-"` // of the title
	Section   string    `json:"-"`
	ImageURL  string    `json:"-"`
	Published time.Time `json:"-"` // the latest of its versions
	Urgent    bool      `json:"-"`
	Pinned    bool      `json:"-"` // as an article, everywhere
}

// DeskEdition is all that the desk shows of an edition.
type DeskEdition struct {
	EditionStatus
	Paused    bool             `json:"paused"`
	ApproveBy *time.Time       `json:"approve_by"`
	Corrects  *uuid.UUID       `json:"corrects"`
	Audience  string           `json:"audience"`
	Items     []DeskItem       `json:"contents"`
	Tongues   []edition.Tongue `json:"languages"`
	Log       []edition.Entry  `json:"log"`
}

// ShowEdition returns what the desk shows of an edition, in one snapshot, or an error of kind errs.NotFound.
func (a *App) ShowEdition(ctx context.Context, id uuid.UUID) (d DeskEdition, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		e, err := edition.ByID(ctx, h, id)
		if err != nil {
			return err
		}
		shown, err := a.withDeliveries(ctx, h, []edition.Edition{e})
		if err != nil {
			return err
		}
		d = DeskEdition{EditionStatus: shown[0], Paused: e.Paused, ApproveBy: e.ApproveBy, Corrects: e.Corrects, Audience: e.Audience}
		list, err := subscribers.ListByID(ctx, h, e.ListID)
		if err != nil {
			return err
		}
		if d.Items, err = a.deskItems(ctx, h, e, list); err != nil {
			return err
		}
		if d.Tongues, err = edition.Tongues(ctx, h, id); err != nil {
			return err
		}
		d.Log, err = edition.Log(ctx, h, id)
		return err
	})
	return d, err
}

// EditionPage is all that a page shows of an edition.
type EditionPage struct {
	BoardEdition
	Of           subscribers.List
	Items        []DeskItem
	Tongues      []edition.Tongue
	Samples      []edition.Sample // those that many get, and one of each language
	Log          []edition.Entry
	Destinations []ledger.DestinationCounts
	Pauses       []ledger.Destination // the destinations that pause
	Stopped      []edition.Pause      // of its list, or of every one
}

// EditionPage returns what a page shows of an edition, in one snapshot, without counting many deliveries now, or an error of kind errs.NotFound.
func (a *App) EditionPage(ctx context.Context, id uuid.UUID) (p EditionPage, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		e, err := edition.ByID(ctx, h, id)
		if err != nil {
			return err
		}
		if p.Of, err = subscribers.ListByID(ctx, h, e.ListID); err != nil {
			return err
		}
		shown, err := a.onBoard(ctx, h, []subscribers.List{p.Of}, []edition.Edition{e})
		if err != nil {
			return err
		}
		p.BoardEdition = shown[0]
		for _, step := range []func() error{
			func() error { return a.due(ctx, h, &p.BoardEdition) },
			func() (err error) { p.Items, err = a.deskItems(ctx, h, e, p.Of); return err },
			func() (err error) { p.Tongues, err = edition.Tongues(ctx, h, id); return err },
			func() (err error) { p.Samples, err = edition.Samples(ctx, h, id); return err },
			func() (err error) { p.Log, err = edition.Log(ctx, h, id); return err },
			func() (err error) { p.Destinations, err = ledger.ByDestination(ctx, h, id); return err },
			func() (err error) { p.Pauses, err = ledger.Paused(ctx, h, a.Clock.Now()); return err },
			func() (err error) { p.Stopped, err = edition.Pauses(ctx, h); return err },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		p.Stopped = slices.DeleteFunc(p.Stopped, func(s edition.Pause) bool { return s.ListID != 0 && s.ListID != e.ListID })
		return nil
	})
	return p, err
}

// deskItems names an edition's articles in its list's fallback language where they are in that, in the order in which digests have them; those that were
// dropped are last.
func (a *App) deskItems(ctx context.Context, h database.Handle, e edition.Edition, list subscribers.List) ([]DeskItem, error) {
	items, err := edition.Items(ctx, h, e.ID)
	if err != nil {
		return nil, err
	}
	groups := make([]int64, len(items))
	for i, item := range items {
		groups[i] = item.GroupID
	}
	found, err := a.Articles.Teasers(ctx, h, groups)
	if err != nil {
		return nil, err
	}
	versions := map[int64][]articles.Article{}
	for _, article := range found {
		if article.WithdrawnAt == nil {
			versions[article.GroupID] = append(versions[article.GroupID], article)
		}
	}
	shown := make([]DeskItem, len(items))
	for i, item := range items {
		shown[i] = DeskItem{Recipients: item.Recipients, Added: item.Added, Place: item.Place, Dropped: item.Dropped, Title: "(withdrawn)"}
		shown[i].name(versions[item.GroupID], list.FallbackLanguage)
	}
	slices.SortStableFunc(shown, inDigests)
	return shown, nil
}

// name takes from an article's versions what the desk shows.
func (d *DeskItem) name(versions []articles.Article, fallback string) {
	for i := range versions {
		v := &versions[i]
		d.Languages = append(d.Languages, v.Language)
		if d.Slug == "" || v.Language == fallback {
			d.Slug, d.Title, d.Language, d.Section, d.ImageURL = v.Slug, v.Title, v.Language, v.Section, v.ImageURL
		}
		if v.PublishedAt.After(d.Published) {
			d.Published = v.PublishedAt
		}
		d.Urgent, d.Pinned = d.Urgent || v.Urgent, d.Pinned || v.Pinned
	}
}

// inDigests compares articles as digests put them: what has a place, what is urgent, what is pinned, and the newest.
func inDigests(a, b DeskItem) int {
	first := func(a, b bool) int {
		switch {
		case a == b:
			return 0
		case a:
			return -1
		}
		return 1
	}
	if a.Place != nil && b.Place != nil && a.Dropped == "" && b.Dropped == "" {
		return cmp.Compare(*a.Place, *b.Place)
	}
	return cmp.Or(first(a.Dropped == "", b.Dropped == ""), first(a.Place != nil, b.Place != nil), first(a.Urgent, b.Urgent), first(a.Pinned, b.Pinned),
		b.Published.Compare(a.Published))
}

// WriteEdition sets an editor's words for an edition's digests in one language.
func (a *App) WriteEdition(ctx context.Context, by string, id uuid.UUID, tag string, t edition.Texts) error {
	tag, err := a.spoken(tag)
	if err != nil {
		return err
	}
	return a.Desk(by).Write(ctx, id, tag, t)
}

// spoken returns the language of digests that a tag means.
func (a *App) spoken(tag string) (string, error) {
	parsed, err := language.Parse(tag)
	if err != nil {
		return "", err
	}
	if !a.Templates.Speaks(parsed) {
		return "", errs.New(errs.Invalid, "no digest is in %s: silkpost edition show lists the languages that an edition is in", parsed)
	}
	return parsed, nil
}

// MakeOptions say what edition to make by hand.
type MakeOptions struct {
	List     string // slug
	Articles []string
	Texts    edition.Texts // in the list's fallback language
	Audience subscribers.Audience

	Repeat, WordsAlone, AtOnce, Approve bool // see edition.Handmade
}

// MakeEdition makes an edition by hand; see edition.Desk.Make.
func (a *App) MakeEdition(ctx context.Context, by string, o MakeOptions) (*edition.Edition, error) {
	list, err := subscribers.ListBySlug(ctx, a.DB, o.List)
	if err != nil {
		return nil, err
	}
	chosen, err := a.articlesOf(ctx, a.DB, o.Articles)
	if err != nil {
		return nil, err
	}
	return a.Desk(by).Make(ctx, edition.Handmade{
		List: list, Articles: chosen, Texts: a.textsOf(list, o.Texts), Audience: o.Audience, Repeat: o.Repeat, WordsAlone: o.WordsAlone, AtOnce: o.AtOnce, Approve: o.Approve,
	})
}

// CorrectEdition makes a notice to those who got an edition, or certain articles of it; see edition.Desk.Correct.
func (a *App) CorrectEdition(
	ctx context.Context, by string, id uuid.UUID, about []string, t edition.Texts, approve bool,
) (*edition.Edition, error) {
	e, err := edition.ByID(ctx, a.DB, id)
	if err != nil {
		return nil, err
	}
	list, err := subscribers.ListByID(ctx, a.DB, e.ListID)
	if err != nil {
		return nil, err
	}
	wrong, err := a.articlesOf(ctx, a.DB, about)
	if err != nil {
		return nil, err
	}
	return a.Desk(by).Correct(ctx, id, a.textsOf(list, t), approve, wrong...)
}

// textsOf returns words as those of a list's fallback language; none for none.
func (a *App) textsOf(list subscribers.List, t edition.Texts) map[string]edition.Texts {
	if t == (edition.Texts{}) {
		return nil
	}
	return map[string]edition.Texts{a.Templates.Language([]string{list.FallbackLanguage}, list.FallbackLanguage): t}
}

// PauseLists stops a list, "" every one, or lets it go on, and reports whether that changed anything.
func (a *App) PauseLists(ctx context.Context, by, slug string, paused bool) (changed bool, err error) {
	var id int64
	if slug != "" {
		list, err := subscribers.ListBySlug(ctx, a.DB, slug)
		if err != nil {
			return false, err
		}
		id = list.ID
	}
	if paused {
		return a.Desk(by).PauseList(ctx, id)
	}
	return a.Desk(by).ResumeList(ctx, id)
}

// AddTo puts articles into an edition; see edition.Desk.Add.
func (a *App) AddTo(ctx context.Context, by string, id uuid.UUID, rest edition.Rest, refs ...string) error {
	desk := a.Desk(by)
	return a.Arrange(ctx, id, refs, func(ctx context.Context, id uuid.UUID, which ...articles.Article) error {
		return desk.Add(ctx, id, rest, which...)
	})
}

// DropFrom takes an article out of an edition, for now or for ever.
func (a *App) DropFrom(ctx context.Context, by string, id uuid.UUID, ref string, never bool) error {
	desk := a.Desk(by)
	return a.Arrange(ctx, id, []string{ref}, func(ctx context.Context, id uuid.UUID, which ...articles.Article) error {
		return desk.Drop(ctx, id, never, which...)
	})
}

// Move moves an article of an edition by some places, up when by is below zero, among what the edition holds now. All of its articles are in an editor's order
// from then on. What is moved beyond an end stays there.
func (a *App) Move(ctx context.Context, who string, id uuid.UUID, slug string, by int) error {
	e, err := edition.ByID(ctx, a.DB, id)
	if err != nil {
		return err
	}
	list, err := subscribers.ListByID(ctx, a.DB, e.ListID)
	if err != nil {
		return err
	}
	items, err := a.deskItems(ctx, a.DB, e, list)
	if err != nil {
		return err
	}
	var order []string
	for _, item := range items {
		if item.Dropped == "" && item.Slug != "" {
			order = append(order, item.Slug)
		}
	}
	from := slices.Index(order, slug)
	if from < 0 {
		return errs.New(errs.Conflict, "article %q is not in edition %s any more", slug, id)
	}
	to := min(max(0, from+by), len(order)-1)
	order = slices.Insert(slices.Delete(order, from, from+1), to, slug)
	return a.Arrange(ctx, id, order, a.Desk(who).Order)
}

// EditionProgress returns how far an edition has come, with its list, without counting many deliveries now.
func (a *App) EditionProgress(ctx context.Context, id uuid.UUID) (shown BoardEdition, list subscribers.List, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		e, err := edition.ByID(ctx, h, id)
		if err != nil {
			return err
		}
		if list, err = subscribers.ListByID(ctx, h, e.ListID); err != nil {
			return err
		}
		all, err := a.onBoard(ctx, h, []subscribers.List{list}, []edition.Edition{e})
		if err != nil {
			return err
		}
		shown = all[0]
		return a.due(ctx, h, &shown)
	})
	return shown, list, err
}

// AddableArticles returns published articles that an editor may mean by some words: the one whose slug, GUID or address they are, else those whose titles have
// them, the newest first.
func (a *App) AddableArticles(ctx context.Context, words string, limit int) ([]articles.Article, error) {
	if one, err := a.Articles.ByReference(ctx, a.DB, words); err == nil && one.WithdrawnAt == nil {
		return []articles.Article{one}, nil
	} else if err != nil && errs.KindOf(err) == errs.Internal {
		return nil, err
	}
	return a.Articles.Titled(ctx, a.DB, words, limit)
}
