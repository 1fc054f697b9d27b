package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/mailer/edition"
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
	return late + swept, errors.Join(err, failed, a.recount(ctx))
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
		if d.Items, err = a.deskItems(ctx, h, e); err != nil {
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

// deskItems names an edition's articles in its list's fallback language where they are in that.
func (a *App) deskItems(ctx context.Context, h database.Handle, e edition.Edition) ([]DeskItem, error) {
	list, err := subscribers.ListByID(ctx, h, e.ListID)
	if err != nil {
		return nil, err
	}
	items, err := edition.Items(ctx, h, e.ID)
	if err != nil {
		return nil, err
	}
	groups := make([]int64, len(items))
	for i, item := range items {
		groups[i] = item.GroupID
	}
	found, err := a.Articles.Translations(ctx, h, groups...)
	if err != nil {
		return nil, err
	}
	versions := map[int64][]articles.Article{}
	for _, article := range found {
		versions[article.GroupID] = append(versions[article.GroupID], article)
	}
	shown := make([]DeskItem, len(items))
	for i, item := range items {
		shown[i] = DeskItem{Recipients: item.Recipients, Added: item.Added, Place: item.Place, Dropped: item.Dropped, Title: "(withdrawn)"}
		for _, version := range versions[item.GroupID] {
			shown[i].Languages = append(shown[i].Languages, version.Language)
			if shown[i].Slug == "" || version.Language == list.FallbackLanguage {
				shown[i].Slug, shown[i].Title = version.Slug, version.Title
			}
		}
	}
	return shown, nil
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
	Repeat   bool
	AtOnce   bool
	Approve  bool
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
		List: list, Articles: chosen, Texts: a.textsOf(list, o.Texts), Audience: o.Audience, Repeat: o.Repeat, AtOnce: o.AtOnce, Approve: o.Approve,
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
