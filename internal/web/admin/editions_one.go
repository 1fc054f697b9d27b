package admin

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/mailer/edition"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

// edition shows one edition.
func (s *site) edition(v *visit) (adminpage.Page, error) {
	id, err := editionID(v)
	if err != nil {
		return nil, err
	}
	return s.editionPage(v, id)
}

// editionWith shows an edition again with what was wrong.
func (s *site) editionWith(v *visit, id uuid.UUID, wrong adminpage.Mistakes) (adminpage.Page, error) {
	page, err := s.editionPage(v, id)
	if err != nil {
		return nil, err
	}
	page.Mistakes = wrong
	return v.again(page)
}

func (s *site) editionPage(v *visit, id uuid.UUID) (page adminpage.Edition, err error) {
	p, err := s.App.EditionPage(v.Context(), id)
	if err != nil {
		return page, err
	}
	called, err := s.namesOf(v, append(logActors(p.Log), pauseActors(p.Stopped)...)...)
	if err != nil {
		return page, err
	}
	page = adminpage.Edition{
		Row: s.editionRow(v, p.Of, p.BoardEdition), CutOff: p.CutOff, Finished: p.FinishedAt, Theme: p.Of.Theme, Audience: p.Audience, Repeats: p.Repeats, WordsAlone: p.WordsAlone,
		Empty: p.Empty, WaitingFor: p.Waiting, Stopped: s.pausesShown(v, called, p.Stopped, []subscribers.List{p.Of}), Variants: p.Variants,
		Tongues: s.tonguesShown(p), Log: entriesShown(v, called, p.Log), Destinations: destinationsShown(p),
		Arrangeable: slices.Contains([]edition.State{edition.Review, edition.Approved, edition.Held}, p.State),
		Unsent:      p.Open(), Open: slices.Contains([]edition.State{edition.Review, edition.Approved, edition.Sending, edition.Held}, p.State),
		Going: goes(p.BoardEdition), MayCorrect: slices.Contains([]edition.State{edition.Sent, edition.Held, edition.Cancelled}, p.State) && (p.Counts.Sent > 0 || p.Counts.InDoubt > 0),
		MayRelease: p.State == edition.Held || goes(p.BoardEdition) && p.Reason != "", HasDeliveries: p.Recipients > 0,
	}
	if p.Corrects != nil {
		page.Corrects = p.Corrects.String()
	}
	page.Items, page.Dropped, page.AnyPlaced = itemsShown(p.Items)
	for _, sample := range p.Samples {
		page.Samples = append(page.Samples, variantShown(sample))
	}
	page.Rare = max(0, page.Variants-len(page.Samples))
	if page.Find = strings.TrimSpace(v.query("add")); page.Find != "" && page.Arrangeable && v.may(accounts.Edit, p.ListID) {
		page.Found, err = s.findArticles(v, page.Find, p.Items)
	}
	return page, err
}

func variantShown(sample edition.Sample) adminpage.EditionVariant {
	return adminpage.EditionVariant{ID: sample.Variant, Language: sample.Language, Recipients: sample.Recipients, Articles: sample.Articles}
}

func logActors(log []edition.Entry) (actors []string) {
	for _, entry := range log {
		actors = append(actors, entry.Actor)
	}
	return actors
}

// entriesShown are a log's lines, the last one first.
func entriesShown(v *visit, called names, log []edition.Entry) (entries []adminpage.EditionEntry) {
	for _, entry := range slices.Backward(log) {
		e := adminpage.EditionEntry{At: entry.At, Who: called.who(v, entry.Actor)}
		e.Deed, e.About = deed(entry.What)
		entries = append(entries, e)
	}
	return entries
}

// tonguesShown are the languages of an edition. Where an editor wrote nothing, one that is made by hand shows what was written for its list's own.
func (s *site) tonguesShown(p app.EditionPage) (shown []adminpage.EditionTongue) {
	var standIn edition.Tongue
	own := s.App.Templates.Language([]string{p.Of.FallbackLanguage}, p.Of.FallbackLanguage)
	if i := slices.IndexFunc(p.Tongues, func(t edition.Tongue) bool { return t.Language == own }); i >= 0 && p.Rhythm == edition.Once {
		standIn = p.Tongues[i]
	}
	for _, t := range p.Tongues {
		first, _, _ := strings.Cut(strings.TrimSpace(t.Introduction), "\n")
		one := adminpage.EditionTongue{
			Language: t.Language, Recipients: t.Recipients, Variants: t.Variants, Articles: t.Articles, Untranslated: t.Untranslated, Subject: t.Subject, Introduction: first,
		}
		if t.Subject == "" && standIn.Subject != "" {
			one.SubjectOf = standIn.Language
		}
		if t.Introduction == "" && standIn.Introduction != "" {
			one.IntroductionOf = standIn.Language
		}
		shown = append(shown, one)
	}
	return shown
}

// itemsShown are an edition's articles, those that are in and those that were dropped.
func itemsShown(items []app.DeskItem) (in, dropped []adminpage.EditionItem, placed bool) {
	for _, item := range items {
		i := adminpage.EditionItem{
			Slug: item.Slug, Title: item.Title, Language: item.Language, Section: item.Section, Languages: item.Languages, Published: item.Published,
			Recipients: item.Recipients, Added: item.Added, Placed: item.Place != nil, Urgent: item.Urgent, Pinned: item.Pinned, Dropped: item.Dropped,
		}
		if item.Dropped != "" {
			dropped = append(dropped, i)
			continue
		}
		placed = placed || i.Placed
		in = append(in, i)
	}
	if len(in) > 0 {
		in[0].First, in[len(in)-1].Last = true, true
	}
	return in, dropped, placed
}

func destinationsShown(p app.EditionPage) (shown []adminpage.EditionDestination) {
	for _, d := range p.Destinations {
		row := adminpage.EditionDestination{
			Name: d.Destination, Recipients: d.Recipients, Sent: d.Sent, Waiting: d.Waiting, Deferred: d.Deferred, Failed: d.Failed, Bounced: d.Bounced,
		}
		for _, paused := range p.Pauses {
			if paused.Name == d.Destination {
				row.Paused, row.Until, row.Why = true, paused.PausedUntil, paused.Reply
				if paused.ByHand {
					row.Until = time.Time{}
				}
			}
		}
		shown = append(shown, row)
	}
	return shown
}

// found is how many articles a search for what could be added shows.
const found = 12

// findArticles finds articles that an edition does not have.
func (s *site) findArticles(v *visit, words string, has []app.DeskItem) (items []adminpage.EditionItem, err error) {
	articles, err := s.App.AddableArticles(v.Context(), words, found+len(has))
	for i := range articles {
		a := &articles[i]
		if slices.ContainsFunc(has, func(item app.DeskItem) bool { return item.Slug == a.Slug && item.Dropped == "" }) || len(items) == found {
			continue
		}
		items = append(items, adminpage.EditionItem{Slug: a.Slug, Title: a.Title, Language: a.Language, Section: a.Section, Published: a.PublishedAt})
	}
	return items, err
}

// advance is how far the deliveries of an edition have come.
func (s *site) advance(e app.BoardEdition) adminpage.EditionProgress {
	c, now := e.Counts, s.App.Clock.Now()
	p := adminpage.EditionProgress{
		ID: e.ID.String(), At: now, Known: !c.At.IsZero(), Recipients: e.Recipients, Done: e.Done(), Sent: c.Sent, Waiting: c.Pending + c.InFlight, Deferred: c.Deferred,
		Failed: c.Failed + c.InDoubt, Suppressed: c.Suppressed, Cancelled: c.Cancelled, Next: e.Next, Last: e.Last, Nobody: e.Nobody,
	}
	if c.Recipients > 0 {
		p.Recipients = c.Recipients
	}
	if e.Next == nil || !goes(e) {
		p.Next, p.Last = nil, nil
		return p
	}
	p.PerMinute = s.rates.note(e.ID, c.At, e.Done())
	p.Left = minutesLeft(e, p.PerMinute, now)
	return p
}

// goes reports whether an edition is on its way: what is shown of it is followed as it happens.
func goes(e app.BoardEdition) bool { return e.State == edition.Approved || e.State == edition.Sending }

// minutesLeft is how long what is due takes at a rate, or until the last hour, whichever is longer; 0 when that is not known.
func minutesLeft(e app.BoardEdition, perMinute int, now time.Time) int {
	if perMinute == 0 || e.Open() == 0 {
		return 0
	}
	left := (e.Open() + perMinute - 1) / perMinute
	if e.Last != nil && e.Last.After(now) {
		left = max(left, int(e.Last.Sub(now).Minutes())+1)
	}
	return left
}

// editionLive tells as it happens how far an edition has come, and ends when it is over.
func (s *site) editionLive(v *visit) (adminpage.Page, error) {
	id, err := editionID(v)
	if err != nil {
		return nil, err
	}
	return s.follow(v, "advance", "advancing", func(ctx context.Context) (adminpage.Page, bool, error) {
		e, list, err := s.App.EditionProgress(ctx, id)
		return adminpage.Edition{Row: s.editionRow(v, list, e)}, !goes(e), err
	})
}

// editionsLive tells how far all that go out have come, and ends when none does.
func (s *site) editionsLive(v *visit) (adminpage.Page, error) {
	if _, err := s.boardChoice(v); err != nil {
		return nil, err
	}
	first := -1
	return s.follow(v, "going", "going", func(context.Context) (adminpage.Page, bool, error) {
		page, err := s.board(v)
		over := first >= 0 && len(page.Going) != first // another set of them: the page is to be loaded anew
		first = len(page.Going)
		return page, over || first == 0, err
	})
}

// lookEvery is how often what is followed is looked at.
const lookEvery = time.Second

// follow sends a part of a page whenever it has changed, until what it is about is over.
func (s *site) follow(v *visit, event, part string, look func(context.Context) (page adminpage.Page, over bool, err error)) (adminpage.Page, error) {
	return s.stream(v, func(ctx context.Context, send func(string, any) error) error {
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		for last := ""; ; {
			page, over, err := look(ctx)
			if err != nil {
				return err
			}
			now, err := s.liven(v, page, part)
			if err == nil && now != last {
				err = send(event, now)
			}
			if err != nil || over {
				return err
			}
			last = now
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			}
		}
	})
}

// editionAct is something that is asked about before it is done to an edition.
type editionAct struct {
	name  string // the last part of its address, and of its words in the catalogue
	done  string // what the log calls it
	needs accounts.Act
	in    []edition.State // that it is possible in
	do    func(d *edition.Desk, ctx context.Context, id uuid.UUID, why string) error
}

var editionActs = []editionAct{
	{"approve", "approved", accounts.Send, []edition.State{edition.Review}, func(d *edition.Desk, ctx context.Context, id uuid.UUID, _ string) error { return d.Approve(ctx, id) }},
	{
		"release", "released", accounts.Send,
		[]edition.State{edition.Held, edition.Approved, edition.Sending},
		func(d *edition.Desk, ctx context.Context, id uuid.UUID, _ string) error { return d.Release(ctx, id) },
	},
	{
		"resume", "resumed", accounts.Send,
		[]edition.State{edition.Review, edition.Held, edition.Approved, edition.Sending},
		func(d *edition.Desk, ctx context.Context, id uuid.UUID, _ string) error { return d.Resume(ctx, id) },
	},
	{"hold", "held", accounts.Stop, []edition.State{edition.Review, edition.Approved, edition.Sending}, (*edition.Desk).Hold},
	{"cancel", "cancelled", accounts.Stop, []edition.State{edition.Review, edition.Approved, edition.Sending, edition.Held}, (*edition.Desk).Cancel},
}

// askAct asks before something is done to an edition.
func (s *site) askAct(act editionAct) handler {
	return func(v *visit) (adminpage.Page, error) {
		id, err := editionID(v)
		if err != nil {
			return nil, err
		}
		page, err := s.confirmation(v, act, id)
		page.Changed = page.Wrong
		return page, err
	}
}

func (s *site) confirmation(v *visit, act editionAct, id uuid.UUID) (page adminpage.EditionConfirm, err error) {
	p, err := s.App.EditionPage(v.Context(), id)
	if err != nil {
		return page, err
	}
	called, err := s.namesOf(v, logActors(p.Log)...)
	if err != nil {
		return page, err
	}
	page = adminpage.EditionConfirm{
		Row: s.editionRow(v, p.Of, p.BoardEdition), Act: act.name, Unsent: p.Open(), Wrong: !slices.Contains(act.in, p.State), Next: p.Next,
		Lately: entriesShown(v, called, p.Log[max(0, len(p.Log)-lately):]),
	}
	if page.Unsent == 0 && p.Counts.At.IsZero() {
		page.Unsent = p.Recipients
	}
	page.Titles, _, _ = itemsShown(p.Items)
	if len(p.Log) > 0 {
		page.Seen = p.Log[len(p.Log)-1].ID
	}
	return page, nil
}

// lately is how many of the last things that were done are shown when somebody was faster.
const lately = 3

// doAct does what was confirmed, unless somebody did something since it was looked at: what is let go is what was seen. Stopping does not wait for that.
func (s *site) doAct(act editionAct) handler {
	return func(v *visit) (adminpage.Page, error) {
		id, err := editionID(v)
		if err != nil {
			return nil, err
		}
		why := strings.TrimSpace(v.fields().Get("reason"))
		desk := s.App.Desk(v.actor.Name)
		seen := number(v.fields().Get("seen"))
		if act.needs == accounts.Send {
			desk.Check = edition.SawAll(seen)
		}
		err = checkReason(why)
		if err == nil {
			err = act.do(desk, v.Context(), id, why)
		}
		if errs.KindOf(err) == errs.Conflict && s.clickedTwice(v, act, id, seen) {
			err = nil
		}
		switch errs.KindOf(err) {
		case errs.Conflict, errs.Invalid:
			page, failed := s.confirmation(v, act, id)
			if failed != nil {
				return nil, failed
			}
			page.Reason = why
			page.Changed = errs.KindOf(err) == errs.Conflict && (page.Wrong || desk.Check != nil && page.Seen != seen)
			if !page.Changed {
				page.Mistakes = adminpage.Mistakes{"": err.Error()}
			}
			return v.again(page)
		}
		if err != nil {
			return nil, err
		}
		return v.leave(editionsPath+"/"+id.String(), "edition_"+act.name)
	}
}

// clickedTwice reports whether the only thing that was done to an edition since somebody looked is what they are about to do, by themselves.
func (s *site) clickedTwice(v *visit, act editionAct, id uuid.UUID, seen int64) bool {
	log, err := edition.Log(v.Context(), s.App.DB, id)
	since := slices.DeleteFunc(log, func(entry edition.Entry) bool { return entry.ID <= seen })
	return err == nil && len(since) == 1 && since[0].Actor == v.actor.Name && since[0].What == act.done
}

// longestReason is how long a reason may be, in bytes.
const longestReason = 500

func checkReason(why string) error {
	if len(why) > longestReason || strings.ContainsAny(why, "\x00") {
		return errs.New(errs.Invalid, "the reason has more than %d bytes", longestReason)
	}
	return nil
}

// pauseEdition stops an edition for a while, without a question: it can be let go on as easily.
func (s *site) pauseEdition(v *visit) (adminpage.Page, error) {
	id, err := editionID(v)
	if err != nil {
		return nil, err
	}
	err = s.App.Desk(v.actor.Name).Pause(v.Context(), id)
	if errs.KindOf(err) == errs.Conflict {
		return s.editionWith(v, id, adminpage.Mistakes{"": err.Error()})
	}
	if err != nil {
		return nil, err
	}
	return v.leave(editionsPath+"/"+id.String(), "edition_pause")
}
