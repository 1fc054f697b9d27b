package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/pelletier/go-toml/v2"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/config"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/sources"
	"silkpost/mailer/limit"
	"silkpost/subscribers"
)

// Applied is one line of what Apply did, or would do.
type Applied struct {
	Kind   string // source, feed, theme, list, organisation, hub or limit
	Slug   string // an organisation's or a limit's name, a hub's address
	Change string // added, changed, unchanged or removed
}

// declaration is the shape of the file.
type declaration struct {
	Sources []sourceTable      `toml:"source"`
	Feeds   []feedTable        `toml:"feed"`
	Themes  []themeTable       `toml:"theme"`
	Lists   []subscribers.List `toml:"list"`
	Hubs    []hubTable         `toml:"hub"`
	Limits  []limitTable       `toml:"limit"`

	Organisations []organisationTable `toml:"organisation"`
}

// organisationTable takes dates with and without quotation marks.
type organisationTable struct {
	subscribers.Organisation
	AgreedOn    any `toml:"agreed_on"`
	AgreedUntil any `toml:"agreed_until"`
}

type hubTable struct {
	URL    string `toml:"url"`
	Remove bool   `toml:"remove"` // take it away; the file cannot say that by leaving it out
}

// limitTable takes the first day of a plan with and without quotation marks.
type limitTable struct {
	limit.Limit
	WarmUp warmUpTable `toml:"warm_up"`
	Remove bool        `toml:"remove"` // take it away; the file cannot say that by leaving it out
}

type warmUpTable struct {
	limit.WarmUp
	From any `toml:"from"`
}

type feedTable struct {
	Slug    string             `toml:"slug"`
	Title   database.StringMap `toml:"title"`
	Select  articles.Selection `toml:"select"`
	Content feeds.Content      `toml:"content"`
	Limit   int                `toml:"limit"`

	OldSlugs []string `toml:"old_slugs"` // what the feed was called before: whoever reads it there is led here
}

type sourceTable struct {
	Slug     string `toml:"slug"`
	Kind     string `toml:"kind"`
	URL      string `toml:"url"`
	Section  string `toml:"section"`
	Language string `toml:"language"`
	Every    string `toml:"every"`
	articles.Settings
}

// errDryRun rolls back what was only to be tried.
var errDryRun = errors.New("dry run")

// Apply makes the sources, feeds, themes, lists, organisations, hubs and limits that a TOML file declares be as it says, all or, on an error, none, and returns what
// that changed. What is written replaces what is there, tables whole; a key that is left out stays as it is, or has its default in
// something new; what the file does not name stays too. With dryRun nothing is changed. name stands for the file in errors.
func (a *App) Apply(ctx context.Context, file io.Reader, name string, dryRun bool) (applied []Applied, err error) {
	tables, err := readDeclaration(file)
	if err != nil {
		return nil, errs.New(errs.Invalid, "%s: %w", name, err)
	}
	apply := map[string]func(context.Context, database.Handle, table) (string, error){
		"source": a.applySource, "feed": a.applyFeed, "list": a.applyList, "organisation": a.applyOrganisation,
		"hub": a.applyHub, "limit": a.applyLimit, "theme": themesIn(filepath.Dir(name)).apply(a),
	}
	err = a.changeFeeds(ctx, func(tx *sqlx.Tx) error {
		applied = nil
		for _, kind := range tables.kinds() {
			for _, t := range kind.tables {
				change, err := apply[kind.name](ctx, tx, t)
				if err != nil {
					return err
				}
				applied = append(applied, Applied{Kind: kind.name, Slug: t.text(kind.key), Change: change})
			}
		}
		if err := checkLeaveOut(ctx, tx, tables.Lists); err != nil {
			return err
		}
		if dryRun {
			return errDryRun
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return nil, errs.New(errs.KindOf(err), "%s: %w", name, err)
	}
	return applied, nil
}

// table is one declared thing as it was written, so that a key that is left out can be told from an empty one.
type table map[string]any

type tables struct {
	Sources []table `toml:"source"`
	Feeds   []table `toml:"feed"`
	Themes  []table `toml:"theme"`
	Lists   []table `toml:"list"`
	Hubs    []table `toml:"hub"`
	Limits  []table `toml:"limit"`

	Organisations []table `toml:"organisation"`
}

// kind is what is declared of one kind. key is the one that tells its things apart.
type kind struct {
	name, key, hint string
	tables          []table
}

// kinds returns what is declared in the order in which it is applied: a feed may select a source that comes with it, and a list have such a theme.
func (t tables) kinds() []kind {
	const slug = `a name of small letters, such as slug = "partners"`
	return []kind{
		{"source", "slug", slug, t.Sources},
		{"feed", "slug", slug, t.Feeds},
		{"theme", "slug", slug, t.Themes},
		{"list", "slug", slug, t.Lists},
		{"organisation", "name", `the one that it is known by, such as name = "Science Centre"`, t.Organisations},
		{"limit", "name", `a name of small letters, such as name = "gmail"`, t.Limits},
		{"hub", "url", `its address, such as url = "https://hub.example.org/"`, t.Hubs},
	}
}

func (t table) text(key string) string {
	text, _ := t[key].(string)
	return text
}

func (t table) slug() string { return t.text("slug") }

// anew empties a field that the table gives, itself a table: it is replaced whole, so that what was in it can be taken away.
func anew[T any](t table, key string, field *T) {
	if _, given := t[key]; given {
		var none T
		*field = none
	}
}

// over lays a table over what is there already.
func (t table) over(there any) error {
	written, err := toml.Marshal(t)
	if err != nil {
		return err
	}
	return toml.Unmarshal(written, there)
}

// readDeclaration reads a file whose every key is known and has the right type.
func readDeclaration(file io.Reader) (read tables, err error) {
	content, err := io.ReadAll(file)
	if err != nil {
		return read, err
	}
	strict := toml.NewDecoder(bytes.NewReader(content)).DisallowUnknownFields()
	if err := strict.Decode(&declaration{}); err != nil {
		return read, placed(err)
	}
	if err := toml.Unmarshal(content, &read); err != nil {
		return read, placed(err)
	}
	return read, read.checkKeys()
}

// checkKeys wants each thing to be named, and to be declared once: else the file would never come to rest.
func (t tables) checkKeys() error {
	for _, kind := range t.kinds() {
		seen := map[string]bool{}
		for _, one := range kind.tables {
			name, same := one.text(kind.key), one.text(kind.key)
			if kind.name == "organisation" {
				same = subscribers.OrganisationKey(name) // however it is written
			}
			switch {
			case same == "":
				return errs.New(errs.Invalid, "a table [[%s]] has no %s: give it %s", kind.name, kind.key, kind.hint)
			case seen[same]:
				return errs.New(errs.Invalid, "%s %q is declared twice: leave one of them, or give it another %s", kind.name, name, kind.key)
			default:
				seen[same] = true
			}
		}
	}
	return nil
}

// placed says in one line where a TOML file is wrong.
func placed(err error) error {
	if unknown := (*toml.StrictMissingError)(nil); errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		row, _ := unknown.Errors[0].Position()
		key := unknown.Errors[0].Key()
		return errs.New(errs.Invalid, "line %d: there is no key %q", row, key[len(key)-1])
	}
	if wrong := (*toml.DecodeError)(nil); errors.As(err, &wrong) {
		if kind := wrongKind.FindStringSubmatch(wrong.Error()); kind != nil && len(wrong.Key()) > 0 {
			row, column := wrong.Position()
			return errs.New(errs.Invalid, "line %d, column %d: %s cannot be of the kind %s", row, column, wrong.Key()[len(wrong.Key())-1], kind[1])
		}
	}
	return config.Plain(err)
}

// wrongKind is how the decoder says, in Go's words, that a value is of the wrong kind.
var wrongKind = regexp.MustCompile(`^toml: cannot decode TOML (.+?) into`)

func (a *App) applySource(ctx context.Context, h database.Handle, t table) (string, error) {
	there, err := a.Articles.SourceBySlug(ctx, h, t.slug())
	known := err == nil
	if err != nil && errs.KindOf(err) != errs.NotFound {
		return "", err
	}
	want := sourceTable{
		Kind: there.Kind, URL: there.URL, Section: there.Section, Language: there.Language, Every: there.Every.String(), Settings: there.Settings,
	}
	anew(t, "listing", &want.Listing)
	if err := t.over(&want); err != nil {
		return "", err
	}
	every, err := time.ParseDuration(want.Every)
	if err != nil {
		return "", errs.New(errs.Invalid, "source %q: every %q is not a duration such as 15m or 6h", want.Slug, want.Every)
	}
	source := articles.Source{
		Slug: want.Slug, Kind: want.Kind, URL: want.URL, Section: want.Section, Language: want.Language, Every: every, Settings: want.Settings,
	}
	if err := sources.CheckSettings(source); err != nil {
		return "", err
	}
	_, changed, err := a.Articles.UpsertSource(ctx, h, source, a.Clock.Now())
	switch {
	case !known:
		return string(database.Added), err
	case changed:
		return string(database.Changed), err
	}
	return string(database.Unchanged), err
}

func (a *App) applyFeed(ctx context.Context, h database.Handle, t table) (string, error) {
	var given feedTable
	if err := t.over(&given); err != nil {
		return "", err
	}
	there, renamed, err := a.feedToDeclare(ctx, h, given)
	if err != nil {
		return "", err
	}
	want := feedTable{Slug: t.slug(), Title: there.Title, Select: there.Selection, Content: there.Content, Limit: there.Limit}
	anew(t, "title", &want.Title)
	anew(t, "select", &want.Select)
	if err := t.over(&want); err != nil {
		return "", err
	}
	if err := a.checkSources(ctx, h, "feed", want.Slug, want.Select); err != nil {
		return "", err
	}
	change, err := a.Feeds.Declare(ctx, h, feeds.Feed{
		Slug: want.Slug, Title: want.Title, Selection: want.Select, Content: want.Content, Limit: want.Limit,
	}, a.Clock.Now())
	if err != nil {
		return "", err
	}
	led, err := a.leadFrom(ctx, h, given.OldSlugs, want.Slug)
	if change == database.Unchanged {
		change = cmp.Or(renamed, led)
	}
	return string(change), err
}

// feedToDeclare returns the feed that a table is about as it stands: the one of that slug, else the first that one of its old slugs leads
// to, which gets its new slug. A feed that is not there yet, or was removed, has nothing that could stay.
func (a *App) feedToDeclare(ctx context.Context, h database.Handle, given feedTable) (found feeds.Feed, renamed database.Change, err error) {
	found, err = a.Feeds.Find(ctx, h, given.Slug)
	switch kind := errs.KindOf(err); {
	case err == nil && found.Slug == given.Slug, err != nil && kind == errs.Gone:
		return found, "", nil
	case err != nil && kind != errs.NotFound:
		return found, "", err
	}
	for _, old := range given.OldSlugs {
		found, err := a.Feeds.Find(ctx, h, old)
		if err != nil && errs.KindOf(err) == errs.NotFound {
			continue
		}
		if err == nil {
			found, err = a.Feeds.Rename(ctx, h, found.Slug, given.Slug, a.Clock.Now())
		}
		errs.Wrap(&err, "feed %q: old_slugs", given.Slug)
		return found, database.Changed, err
	}
	return found, "", nil
}

// leadFrom makes old slugs lead to a feed. It returns Changed when one did not yet.
func (a *App) leadFrom(ctx context.Context, h database.Handle, oldSlugs []string, slug string) (led database.Change, err error) {
	defer errs.Wrap(&err, "feed %q", slug)
	led = database.Unchanged
	for _, old := range oldSlugs {
		change, err := a.Feeds.AddOldSlug(ctx, h, slug, old)
		if err != nil {
			return "", err
		}
		if change == database.Changed {
			led = change
		}
	}
	return led, nil
}

func (a *App) applyList(ctx context.Context, h database.Handle, t table) (string, error) {
	want, err := subscribers.ListBySlug(ctx, h, t.slug())
	switch {
	case errs.KindOf(err) == errs.NotFound:
		want = subscribers.NewList(t.slug())
	case err != nil:
		return "", err
	}
	anew(t, "name", &want.Name)
	anew(t, "description", &want.Description)
	anew(t, "sender", &want.Sender)
	anew(t, "select", &want.Selection)
	if err := t.over(&want); err != nil {
		return "", err
	}
	change, err := a.declareList(ctx, h, want)
	return string(change), err
}

// checkLeaveOut refuses a list that leaves out what comes from a list that does not exist. All lists of the file are there by then, so two
// may name one another.
func checkLeaveOut(ctx context.Context, h database.Handle, lists []table) error {
	for _, t := range lists {
		list, err := subscribers.ListBySlug(ctx, h, t.slug())
		if err != nil {
			return err
		}
		if err := checkLeftOut(ctx, h, list); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) applyHub(ctx context.Context, h database.Handle, t table) (string, error) {
	var want hubTable
	if err := t.over(&want); err != nil {
		return "", err
	}
	set := a.Feeds.AddHub
	if want.Remove {
		set = a.Feeds.RemoveHub
	}
	change, err := set(ctx, h, want.URL, a.Clock.Now())
	return string(change), err
}

// applyLimit declares a limit. What waited under the one before is due at once, and waits anew under this one.
func (a *App) applyLimit(ctx context.Context, h database.Handle, t table) (string, error) {
	there, err := limit.Named(ctx, h, t.text("name"))
	if err != nil && errs.KindOf(err) != errs.NotFound {
		return "", err
	}
	want := limitTable{Limit: there, WarmUp: warmUpTable{WarmUp: there.WarmUp, From: there.WarmUp.From}}
	anew(t, "warm_up", &want.WarmUp)
	if plan, given := t["warm_up"].(map[string]any); given && plan["from"] != nil {
		plan["from"] = fmt.Sprint(plan["from"]) // a date in TOML, or what the limit's own check refuses
	}
	if err := t.over(&want); err != nil {
		return "", err
	}
	if want.Remove {
		change, err := a.removeLimit(ctx, h, want.Name)
		return string(change), err
	}
	want.Limit.WarmUp = want.WarmUp.WarmUp
	want.Limit.WarmUp.From, _ = want.WarmUp.From.(string)
	change, err := a.declareLimit(ctx, h, want.Limit)
	return string(change), err
}

func (a *App) applyOrganisation(ctx context.Context, h database.Handle, t table) (string, error) {
	want, err := subscribers.OrganisationByName(ctx, h, t.text("name"))
	if err != nil && errs.KindOf(err) != errs.NotFound {
		return "", err
	}
	anew(t, "names", &want.Names)
	for _, key := range []string{"agreed_on", "agreed_until"} {
		if value, given := t[key]; given {
			t[key] = fmt.Sprint(value) // a date in TOML, or what the organisation's own check refuses
		}
	}
	if err := t.over(&want); err != nil {
		return "", err
	}
	change, err := subscribers.DeclareOrganisation(ctx, h, want, a.Clock.Now())
	return string(change), err
}

// checkSources refuses a selection of a source that does not exist.
func (a *App) checkSources(ctx context.Context, h database.Handle, kind, slug string, s articles.Selection) error {
	for _, source := range s.Sources {
		if _, err := a.Articles.SourceBySlug(ctx, h, source); err != nil {
			return errs.New(errs.KindOf(err), "%s %q: select sources: %w", kind, slug, err)
		}
	}
	return nil
}
