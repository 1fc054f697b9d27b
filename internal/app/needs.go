package app

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/installation"
	"silkpost/mailer/bounce"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/subscribers"
)

// NeedKind says what waits for a person.
type NeedKind string

// The kinds, the most urgent first.
const (
	NeedAdopt       NeedKind = "adopt"       // the database is a copy: nothing goes out
	NeedRelay       NeedKind = "relay"       // there is no relay to send by
	NeedApproval    NeedKind = "approval"    // an edition waits in review
	NeedRelease     NeedKind = "release"     // an edition is held
	NeedLate        NeedKind = "late"        // an edition has deliveries whose hour has passed by too much
	NeedResume      NeedKind = "resume"      // an edition was paused
	NeedSender      NeedKind = "sender"      // a list lacks what it takes to send: a sender
	NeedPostal      NeedKind = "postal"      // or a postal address
	NeedKey         NeedKind = "key"         // a DKIM key cannot be opened: nothing goes out from its domain
	NeedSource      NeedKind = "source"      // a source fails
	NeedArticles    NeedKind = "articles"    // a source holds articles
	NeedDestination NeedKind = "destination" // a destination blocks us
	NeedGo          NeedKind = "go"          // a destination was paused by hand
	NeedInbox       NeedKind = "inbox"       // mails came back that were not understood
	NeedReach       NeedKind = "reach"       // nobody of an organisation can be reached
)

// Need is something that waits for a person.
type Need struct {
	Kind NeedKind
	Act  accounts.Act // what whoever decides it must be allowed
	List int64        // whose it is; 0: of no list

	Name     string     // of what it is about: a list's slug, a source's, a destination, an organisation
	Key      string     // its id, where that is not its name: of an edition, an organisation
	Rhythm   string     // of an edition
	Date     time.Time  // of an edition
	Count    int        // recipients, articles, mails, organisations
	Since    time.Time  // zero: it is not known
	Deadline *time.Time // for an approval; nil: there is none
	Why      string     // in English, as the program or a server said it; may be ""

	Unreached []subscribers.Unreached // the first organisations of which nobody can be reached

	// Happening tells this from what was the same before and is over; "" for what is told nobody by mail.
	Happening string
}

// Of reports whether it is decided by somebody who may do something on some lists: their own, or nil for all.
func (n *Need) Of(lists []int64) bool {
	return among(n.List, lists)
}

// DecidedBy reports whether somebody may do what is needed.
func (n *Need) DecidedBy(who accounts.Actor) bool {
	if n.List == 0 {
		return who.MayOn(n.Act)
	}
	return who.MayOn(n.Act, n.List)
}

// needsShown is how many of one kind are looked for at most.
const needsShown = 100

// Needs returns what waits for a person, what keeps mail from going out first.
func (a *App) Needs(ctx context.Context) (all []Need, err error) {
	now := a.Clock.Now()
	for _, look := range []func(context.Context, time.Time) ([]Need, error){
		a.houseNeeds, a.editionNeeds, a.listNeeds, a.keyNeeds, a.sourceNeeds, a.destinationNeeds, a.peopleNeeds,
	} {
		found, err := look(ctx, now)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (a *App) houseNeeds(ctx context.Context, _ time.Time) (found []Need, err error) {
	standing, err := installation.Of(ctx, a.DB)
	if err != nil {
		return nil, err
	}
	if standing.Held != "" {
		found = append(found, Need{Kind: NeedAdopt, Act: accounts.Administer, Why: standing.Held})
	}
	if a.relay == nil {
		found = append(found, Need{Kind: NeedRelay, Act: accounts.Administer})
	}
	return found, nil
}

func (a *App) editionNeeds(ctx context.Context, _ time.Time) (found []Need, err error) {
	waiting, err := edition.AllWaiting(ctx, a.DB, nil, needsShown)
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	slugs, err := listSlugs(ctx, a.DB)
	for _, w := range waiting {
		n := Need{
			Act: accounts.Send, List: w.ListID, Name: slugs[w.ListID], Key: w.ID.String(), Rhythm: w.Rhythm, Date: w.LocalDate, Count: w.Recipients,
			Since: w.Since, Deadline: w.ApproveBy, Why: w.Reason,
		}
		switch {
		case w.State == edition.Review:
			n.Kind, n.Happening = NeedApproval, "approval "+n.Key
		case w.State == edition.Held:
			n.Kind, n.Happening = NeedRelease, fmt.Sprintf("held %s %d", n.Key, w.Times)
		case w.Late():
			n.Kind, n.Happening = NeedLate, "late "+n.Key
		default:
			n.Kind = NeedResume
		}
		found = append(found, n)
	}
	return found, err
}

func (a *App) listNeeds(ctx context.Context, _ time.Time) (found []Need, err error) {
	lists, err := subscribers.Lists(ctx, a.DB)
	for i := range lists {
		n := Need{Act: accounts.Lists, List: lists[i].ID, Name: lists[i].Slug}
		switch {
		case edition.MayBeSent(lists[i]) == nil:
			continue
		case lists[i].Sender.Address == "":
			n.Kind = NeedSender
		default:
			n.Kind = NeedPostal
		}
		found = append(found, n)
	}
	return found, err
}

func (a *App) keyNeeds(ctx context.Context, _ time.Time) (found []Need, err error) {
	locked, err := a.lockedKeys(ctx, a.DB)
	for _, k := range locked {
		found = append(found, Need{Kind: NeedKey, Act: accounts.Administer, Name: k.Domain, Key: k.Selector, Why: k.Failure})
	}
	return found, err
}

func (a *App) sourceNeeds(ctx context.Context, now time.Time) (found []Need, err error) {
	troubled, err := a.Articles.Troubled(ctx, a.DB, now)
	for _, t := range troubled {
		if t.FailingSince != nil {
			found = append(found, Need{
				Kind: NeedSource, Act: accounts.Edit, Name: t.Slug, Count: t.Failures, Since: *t.FailingSince, Why: t.Failure,
				Happening: "source " + t.Slug + " " + moment(*t.FailingSince),
			})
		}
		if t.Held > 0 {
			found = append(found, Need{
				Kind: NeedArticles, Act: accounts.Edit, Name: t.Slug, Count: t.Held, Since: *t.HeldSince, Why: t.HeldWhy,
				Happening: "articles " + t.Slug + " " + moment(*t.HeldSince),
			})
		}
	}
	return found, err
}

func (a *App) destinationNeeds(ctx context.Context, now time.Time) (found []Need, err error) {
	paused, err := ledger.Paused(ctx, a.DB, now)
	for _, d := range paused {
		n := Need{Kind: NeedDestination, Act: accounts.Send, Name: d.Name, Since: d.PausedAt, Why: d.Reply}
		switch {
		case d.ByHand:
			n.Kind, n.Why = NeedGo, ""
		case d.Kind == string(reply.Throttled):
			continue // that passes in minutes, and by itself
		default:
			n.Happening = "destination " + d.Name + " " + d.PausedAt.UTC().Format(time.DateOnly) // it pauses again and again
		}
		found = append(found, n)
	}
	return found, err
}

func (a *App) peopleNeeds(ctx context.Context, _ time.Time) (found []Need, err error) {
	mails, err := bounce.Waiting(ctx, a.DB)
	if err != nil {
		return nil, err
	}
	if mails > 0 {
		found = append(found, Need{Kind: NeedInbox, Act: accounts.People, Count: mails})
	}
	unreached, err := subscribers.AnyUnreached(ctx, a.DB, needsShown)
	if len(unreached) > 0 {
		found = append(found, Need{Kind: NeedReach, Act: accounts.People, Count: len(unreached), Unreached: unreached})
	}
	return found, err
}

// moment writes a time as it stands in a happening.
func moment(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// needPaths are where needs are decided, below the public URL; %s is the key of what one is about.
var needPaths = map[NeedKind]string{
	NeedAdopt: "/admin/settings", NeedRelay: "/admin/settings", NeedKey: "/admin/settings",
	NeedApproval: "/admin/editions/%s", NeedRelease: "/admin/editions/%s", NeedLate: "/admin/editions/%s", NeedResume: "/admin/editions/%s",
	NeedSender: "/admin/lists/%s", NeedPostal: "/admin/lists/%s",
	NeedSource: "/admin/sources/%s", NeedArticles: "/admin/sources/%s",
	NeedDestination: "/admin/destinations/%s", NeedGo: "/admin/destinations/%s",
	NeedInbox: "/admin/settings/bounces", NeedReach: "/admin/organisations",
}

// Path is where a need is decided, below the public URL.
func (n *Need) Path() string {
	key := n.Key
	if key == "" {
		key = n.Name
	}
	return strings.ReplaceAll(needPaths[n.Kind], "%s", url.PathEscape(key))
}
