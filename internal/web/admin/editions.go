package admin

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/mailer/edition"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

// editionsPath is where the pages of editions are.
const editionsPath = "/admin/editions"

// editionsRoutes are the desk. Who arranges needs not be who lets go: approving, releasing, resuming and sending again need Send. Stopping asks nobody for a
// password again, not even cancelling: what stops a mistake must never be harder than what let it go. It asks once more, though, and names what it ends.
func (s *site) editionsRoutes() []route {
	routes := []route{
		{pattern: "GET /admin/editions", needs: accounts.Read, do: s.editions},
		{pattern: "GET /admin/editions/stream", needs: accounts.Read, do: s.editionsLive},
		{pattern: "GET /admin/editions/new", needs: accounts.Edit, do: s.askMake},
		{pattern: "POST /admin/editions/new", needs: accounts.Edit, do: s.makeEdition},
		{pattern: "GET /admin/editions/pauses", needs: accounts.Stop, do: s.askPauses},
		{pattern: "POST /admin/editions/pauses", needs: accounts.Stop, do: s.setPauses, form: []string{"list", "do"}},
		{pattern: "GET /admin/editions/{id}", needs: accounts.Read, of: s.editionLists, do: s.edition},
		{pattern: "GET /admin/editions/{id}/stream", needs: accounts.Read, of: s.editionLists, do: s.editionLive},
		{pattern: "POST /admin/editions/{id}/contents", needs: accounts.Edit, of: s.editionLists, do: s.arrangeEdition},
		{pattern: "GET /admin/editions/{id}/words/{language}", needs: accounts.Edit, of: s.editionLists, do: s.askWords},
		{pattern: "POST /admin/editions/{id}/words/{language}", needs: accounts.Edit, of: s.editionLists, do: s.writeWords, form: []string{"subject", "preheader", "introduction"}},
		{pattern: "GET /admin/editions/{id}/preview", needs: accounts.Read, of: s.editionLists, do: s.previewEdition},
		{pattern: "GET /admin/editions/{id}/preview/{variant}/{view}", needs: accounts.Read, of: s.editionLists, do: s.variantFrame},
		{pattern: "POST /admin/editions/{id}/test", needs: accounts.Edit, of: s.editionLists, do: s.testEdition},
		{pattern: "GET /admin/editions/{id}/deliveries", needs: accounts.ReadPeople, of: s.editionLists, do: s.deliveries},
		{pattern: "POST /admin/editions/{id}/deliveries", needs: accounts.Send, of: s.editionLists, do: s.resend},
		{pattern: "GET /admin/editions/{id}/results.csv", needs: accounts.ReadPeople, of: s.editionLists, do: s.results},
		{pattern: "GET /admin/editions/{id}/correct", needs: accounts.Edit, of: s.editionLists, do: s.askCorrection},
		{pattern: "POST /admin/editions/{id}/correct", needs: accounts.Edit, of: s.editionLists, do: s.correctEdition},
		{pattern: "POST /admin/editions/{id}/pause", needs: accounts.Stop, of: s.editionLists, do: s.pauseEdition},
	}
	for _, act := range editionActs {
		path, field := " /admin/editions/{id}/"+act.name, "seen"
		if act.needs == accounts.Stop {
			field = "reason"
		}
		routes = append(routes,
			route{pattern: http.MethodGet + path, needs: act.needs, of: s.editionLists, do: s.askAct(act)},
			route{pattern: http.MethodPost + path, needs: act.needs, of: s.editionLists, do: s.doAct(act), form: []string{field}})
	}
	return routes
}

// editionID returns the edition that an address is about.
func editionID(v *visit) (uuid.UUID, error) {
	id, err := uuid.Parse(v.PathValue("id"))
	if err != nil {
		return id, errs.New(errs.NotFound, "no edition %q", v.PathValue("id"))
	}
	return id, nil
}

// editionLists returns the list that the edition at an address is of.
func (s *site) editionLists(ctx context.Context, v *visit) ([]int64, error) {
	id, err := editionID(v)
	if err != nil {
		return nil, err
	}
	e, err := s.App.Edition(ctx, id)
	return []int64{e.ListID}, err
}

// words returns the language that the page is in.
func (s *site) words(v *visit) string {
	return s.pages.Language(append([]string{v.actor.Language}, accepted(v.Request)...)...)
}

// editions shows the board.
func (s *site) editions(v *visit) (adminpage.Page, error) { return s.board(v) }

func (s *site) board(v *visit) (page adminpage.Editions, err error) {
	choice, err := s.boardChoice(v)
	if err != nil {
		return page, err
	}
	b, err := s.App.Board(v.Context(), choice)
	if err != nil {
		return page, err
	}
	called, err := s.namesOf(v, pauseActors(b.Pauses)...)
	if err != nil {
		return page, err
	}
	page = adminpage.Editions{
		List: v.query("list"), Rhythm: v.query("rhythm"), State: v.query("state"), Older: choice.OlderThan != uuid.Nil,
		Waiting: s.editionRows(v, b.Lists, b.Waiting), Going: s.editionRows(v, b.Lists, b.Going), Past: s.editionRows(v, b.Lists, b.Past),
		Pauses: s.pausesShown(v, called, b.Pauses, b.Lists), MayStopAll: v.may(accounts.Stop),
	}
	for _, list := range s.choosable(v, b.Lists) {
		page.Lists = append(page.Lists, adminpage.EditionChoice{Value: list.Slug, Name: list.NameIn(s.words(v))})
	}
	page.Query = filterOf(v).Encode()
	page.Coming, page.More = s.comingRows(v, b.Coming)
	page.Pager = pastPager(v, b)
	return page, nil
}

// filterOf is what of an address narrows the board.
func filterOf(v *visit) url.Values {
	kept := url.Values{}
	for _, name := range []string{"list", "rhythm", "state"} {
		if value := v.query(name); value != "" {
			kept.Set(name, value)
		}
	}
	return kept
}

func (s *site) boardChoice(v *visit) (c app.BoardChoice, err error) {
	c.Lists, c.Rhythm, c.State = v.actor.Lists, v.query("rhythm"), edition.State(v.query("state"))
	if slug := v.query("list"); slug != "" {
		list, err := subscribers.ListBySlug(v.Context(), s.App.DB, slug)
		if err != nil || !v.may(accounts.Read, list.ID) {
			return c, errs.New(errs.NotFound, "no list %q", slug)
		}
		c.Lists = []int64{list.ID}
	}
	if before := v.query("before"); before != "" {
		if c.OlderThan, err = uuid.Parse(before); err != nil {
			return c, errs.New(errs.NotFound, "no edition %q", before)
		}
	}
	return c, nil
}

// choosable are the lists that the visitor may choose from: the board's are narrowed to the one that was chosen.
func (s *site) choosable(v *visit, shown []subscribers.List) []subscribers.List {
	if v.query("list") == "" {
		return shown
	}
	all, err := subscribers.Lists(v.Context(), s.App.DB)
	if err != nil {
		return shown
	}
	return slices.DeleteFunc(all, func(l subscribers.List) bool { return !v.may(accounts.Read, l.ID) })
}

func pastPager(v *visit, b app.Board) (p adminpage.Pager) {
	at := url.URL{Path: editionsPath, RawQuery: filterOf(v).Encode()}
	if v.query("before") != "" {
		p.FirstURL = at.String()
	}
	if b.Older != uuid.Nil {
		query := filterOf(v)
		query.Set("before", b.Older.String())
		at.RawQuery = query.Encode()
		p.NextURL = at.String()
	}
	return p
}

// comingShown is how many editions that come are shown.
const comingShown = 12

func (s *site) comingRows(v *visit, all []app.Coming) (rows []adminpage.EditionComing, more int) {
	for _, c := range all[:min(len(all), comingShown)] {
		r := adminpage.EditionComing{
			List: c.List.Slug, ListName: c.List.NameIn(s.words(v)), Rhythm: c.Rhythm, CutOff: c.CutOff, Comes: c.Comes, Before: -1, Lacks: c.Lacks,
		}
		if c.Before != nil {
			r.Before, r.BeforeID = c.Before.Recipients, c.Before.ID.String()
		}
		rows = append(rows, r)
	}
	return rows, len(all) - len(rows)
}

func (s *site) editionRows(v *visit, lists []subscribers.List, editions []app.BoardEdition) (rows []adminpage.EditionRow) {
	for _, e := range editions {
		at := slices.IndexFunc(lists, func(l subscribers.List) bool { return l.ID == e.ListID })
		if at < 0 {
			continue // its list is not the visitor's
		}
		rows = append(rows, s.editionRow(v, lists[at], e))
	}
	return rows
}

func (s *site) editionRow(v *visit, list subscribers.List, e app.BoardEdition) adminpage.EditionRow {
	return adminpage.EditionRow{
		ID: e.ID.String(), List: list.Slug, ListName: list.NameIn(s.words(v)), Rhythm: e.Rhythm, State: string(e.State), Date: e.LocalDate, Articles: e.Articles,
		Recipients: e.Recipients, Paused: e.Paused, Reason: e.Reason, ApproveBy: e.ApproveBy, Correction: e.Corrects != nil, Progress: s.advance(e),
	}
}

func pauseActors(pauses []edition.Pause) (actors []string) {
	for _, p := range pauses {
		actors = append(actors, p.Actor)
	}
	return actors
}

// pausesShown are the pauses that concern the visitor: of everything, and of lists that are theirs.
func (s *site) pausesShown(v *visit, called names, pauses []edition.Pause, lists []subscribers.List) (rows []adminpage.EditionPause) {
	for _, p := range pauses {
		row := adminpage.EditionPause{At: p.At, Who: called.who(v, p.Actor), May: v.may(accounts.Send)}
		if p.ListID != 0 {
			at := slices.IndexFunc(lists, func(l subscribers.List) bool { return l.ID == p.ListID })
			if at < 0 {
				continue
			}
			row.List, row.ListName, row.May = lists[at].Slug, lists[at].NameIn(s.words(v)), v.may(accounts.Send, p.ListID)
		}
		rows = append(rows, row)
	}
	return rows
}

// askPauses asks before everything, or a list, is stopped or goes on.
func (s *site) askPauses(v *visit) (adminpage.Page, error) {
	list, err := s.pausedList(v, v.query("list"), v.query("do") == "resume")
	if err != nil {
		return nil, err
	}
	page := adminpage.EditionPauses{List: v.query("list"), Resume: v.query("do") == "resume"}
	choice := app.BoardChoice{Choice: edition.Choice{Lists: v.actor.Lists}}
	if list != nil {
		page.ListName = list.NameIn(s.words(v))
		choice.Lists = []int64{list.ID}
	}
	b, err := s.App.Board(v.Context(), choice)
	page.Going = s.editionRows(v, b.Lists, b.Going)
	return page, err
}

// pausedList returns the list of a slug, nil for every list, when the visitor may stop it or let it go on.
func (s *site) pausedList(v *visit, slug string, resume bool) (*subscribers.List, error) {
	act := accounts.Stop
	if resume {
		act = accounts.Send
	}
	if slug == "" {
		if !v.may(act) {
			return nil, errForbidden
		}
		return nil, nil //nolint:nilnil // every list
	}
	list, err := subscribers.ListBySlug(v.Context(), s.App.DB, slug)
	if err != nil || !v.may(accounts.Read, list.ID) {
		return nil, errs.New(errs.NotFound, "no list %q", slug)
	}
	if !v.may(act, list.ID) {
		return nil, errForbidden
	}
	return &list, nil
}

// setPauses stops everything, or a list, or lets it go on. It holds for claims from its commit on.
func (s *site) setPauses(v *visit) (adminpage.Page, error) {
	slug, resume := v.fields().Get("list"), v.fields().Get("do") == "resume"
	if _, err := s.pausedList(v, slug, resume); err != nil {
		return nil, err
	}
	if _, err := s.App.PauseLists(v.Context(), v.actor.Name, slug, !resume); err != nil {
		return nil, err
	}
	if resume {
		return v.leave(editionsPath, "resumed")
	}
	return v.leave(editionsPath, "paused")
}

// arrangeEdition does what a button beside an article says: the order that follows from it is worked out from what the edition holds now.
func (s *site) arrangeEdition(v *visit) (adminpage.Page, error) {
	id, err := editionID(v)
	if err != nil {
		return nil, err
	}
	desk := s.App.Desk(v.actor.Name)
	slug, do := v.fields().Get("article"), v.fields().Get("do")
	switch do {
	case "add":
		err = s.App.AddTo(v.Context(), v.actor.Name, id, edition.Rest(v.fields().Get("rest")), slug)
	case "later", "never":
		err = s.App.DropFrom(v.Context(), v.actor.Name, id, slug, do == "never")
	case "order":
		err = s.App.Arrange(v.Context(), id, v.PostForm["order"], desk.Order)
	case "dates":
		err = s.App.Arrange(v.Context(), id, nil, desk.Order)
	case "pin":
		err = s.App.Arrange(v.Context(), id, []string{slug}, desk.Pin)
	case "up":
		err = s.App.Move(v.Context(), v.actor.Name, id, slug, -1)
	case "down":
		err = s.App.Move(v.Context(), v.actor.Name, id, slug, +1)
	default:
		err = errs.New(errs.Invalid, "%q is nothing that can be done with an article", do)
	}
	if lost := (*edition.LeavesOutError)(nil); errors.As(err, &lost) {
		return s.askLeaveOut(v, id, slug, lost)
	}
	if kind := errs.KindOf(err); err != nil && (kind == errs.Conflict || kind == errs.Invalid || kind == errs.NotFound) {
		return s.editionWith(v, id, adminpage.Mistakes{"": err.Error()})
	}
	if err != nil {
		return nil, err
	}
	return v.leave(editionsPath+"/"+id.String()+"#contents", "edition_changed")
}

// askLeaveOut asks what becomes of those whom an article that is to be added would leave out.
func (s *site) askLeaveOut(v *visit, id uuid.UUID, slug string, lost *edition.LeavesOutError) (adminpage.Page, error) {
	e, list, err := s.App.EditionProgress(v.Context(), id)
	if err != nil {
		return nil, err
	}
	article, err := s.App.Articles.ByReference(v.Context(), s.App.DB, slug)
	if err != nil {
		return nil, err
	}
	page := adminpage.EditionLeaveOut{
		Row: s.editionRow(v, list, e), Article: adminpage.EditionItem{Slug: article.Slug, Title: article.Title, Language: article.Language}, Recipients: lost.Recipients,
	}
	if v.may(accounts.ReadPeople, list.ID) {
		page.Some = lost.Some
	}
	return v.again(page)
}

// names are what actors are called, by their ids.
type names map[string]string

// namesOf returns what accounts and keys among actors are called: by their names, accounts without one by their addresses.
func (s *site) namesOf(v *visit, actors ...string) (called names, err error) {
	called = names{}
	if slices.ContainsFunc(actors, func(actor string) bool { return strings.HasPrefix(actor, "account ") && actor != v.actor.Name }) {
		all, err := s.App.Accounts.All(v.Context())
		if err != nil {
			return nil, err
		}
		for _, a := range all {
			called[accounts.Name(a.ID)] = cmp.Or(a.Name, a.Email)
		}
	}
	if slices.ContainsFunc(actors, func(actor string) bool { return strings.HasPrefix(actor, "key ") }) {
		keys, err := s.App.Accounts.APIKeys(v.Context())
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			called["key "+itoa(k.ID)] = k.Name
		}
	}
	return called, nil
}

// who says who did something, as the visitor knows them: themselves, an account, a key, or the program.
func (n names) who(v *visit, actor string) adminpage.EditionWho {
	switch actor {
	case v.actor.Name:
		return adminpage.EditionWho{Key: "you"}
	case edition.CommandLine:
		return adminpage.EditionWho{Key: "command_line"}
	case "schedule":
		return adminpage.EditionWho{Key: "schedule"}
	}
	if name := n[actor]; name != "" {
		return adminpage.EditionWho{Name: name}
	}
	return adminpage.EditionWho{Name: actor}
}

// deed takes a line of an edition's log apart: what was done, as the catalogue knows it, and about what.
func deed(what string) (key, about string) {
	for _, d := range deeds {
		if rest, found := strings.CutPrefix(what, d.begins); found {
			return d.key, strings.TrimLeft(rest, ":, ")
		}
	}
	return "", what
}

// deeds are what the log begins its lines with, the longer before the shorter.
var deeds = []struct{ begins, key string }{
	{"added", "added"},
	{"pinned", "pinned"},
	{"ordered", "ordered"},
	{"dropped (later)", "dropped_later"},
	{"dropped (never)", "dropped_never"},
	{"text in", "text"},
	{"approved", "approved"},
	{"released", "released"},
	{"held", "held"},
	{"cancelled", "cancelled"},
	{"paused", "paused"},
	{"resumed", "resumed"},
	{"sent unapproved", "sent_unapproved"},
	{"sent again to", "resent"},
	{"withdrawn", "withdrawn"},
	{"laid out again: translation of", "translated"},
	{"made by hand, review", "made"},
	{"made by hand", "made"},
}

// number reads a number of an address or a form, 0 for what is none.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
