package app

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/accounts"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/jobs"
	"silkpost/internal/staff"
	"silkpost/mailer/edition"
)

const (
	reportFor   = 24 * time.Hour      // after an edition was sent nobody wants to hear of it any more
	reportsMost = 100                 // at once
	toldFor     = 90 * 24 * time.Hour // what is as old as that happens no more
)

// staffKinds says which needs are told by mail.
var staffKinds = map[NeedKind]staff.Kind{
	NeedApproval: staff.Approval, NeedRelease: staff.Held, NeedLate: staff.Held, NeedSource: staff.Source, NeedArticles: staff.Source,
	NeedDestination: staff.Destination,
}

// staffNews is what a mail to staff tells: what needs them, or how an edition went.
type staffNews struct {
	Needs  []Need     `json:"needs,omitempty"`
	Report *uuid.UUID `json:"report,omitempty"` // an edition
}

// happening is what may be told to somebody.
type happening struct {
	key  string
	kind staff.Kind
	need *Need            // nil: it is a report
	sent *edition.Edition // nil: it is a need
}

// concerns reports whether somebody can do something about a happening. Who only looks is told nothing; a report goes to those who could have stopped the
// edition.
func (h *happening) concerns(who accounts.Actor) bool {
	if h.need != nil {
		return h.need.DecidedBy(who)
	}
	return who.MayOn(accounts.Stop, h.sent.ListID)
}

// TellStaff queues a mail for each account with what it was not told of yet, and returns how many. As long as no mail can be sent nobody counts as told.
func (a *App) TellStaff(ctx context.Context) (made int, err error) {
	if _, err := a.accountsSender(ctx); a.relay == nil || errs.KindOf(err) == errs.Unavailable {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	all, err := a.Accounts.All(ctx)
	if err != nil {
		return 0, err
	}
	news, err := a.happenings(ctx, all)
	if err != nil || len(news) == 0 {
		return 0, err
	}
	without, err := staff.Without(ctx, a.DB)
	if err != nil {
		return 0, err
	}
	for i := range all {
		if all[i].State != accounts.Active {
			continue
		}
		n, err := a.tell(ctx, &all[i], news, without[all[i].ID])
		if err != nil {
			return made, err
		}
		made += n
	}
	if made > 0 {
		a.Log.InfoContext(ctx, "staff are told", slog.Int("mails", made))
	}
	return made, nil
}

// happenings are what there is to tell now.
func (a *App) happenings(ctx context.Context, to []accounts.Account) (news []happening, err error) {
	if len(to) == 0 {
		return nil, nil
	}
	needs, err := a.Needs(ctx)
	if err != nil {
		return nil, err
	}
	for i := range needs {
		if n := &needs[i]; n.Happening != "" {
			news = append(news, happening{key: n.Happening, kind: staffKinds[n.Kind], need: n})
		}
	}
	sent, err := edition.Finished(ctx, a.DB, a.Clock.Now().Add(-reportFor), nil, reportsMost)
	for i := range sent {
		news = append(news, happening{key: "report " + sent[i].ID.String(), kind: staff.Report, sent: &sent[i]})
	}
	return news, err
}

// tell writes down what an account is told that is news to it: one mail with all that needs it, and one for each report.
func (a *App) tell(ctx context.Context, to *accounts.Account, news []happening, without []staff.Kind) (made int, err error) {
	who := actorOf(to)
	byKey, keys := map[string]*happening{}, []string{}
	for i := range news {
		h := &news[i]
		before := h.sent != nil && h.sent.FinishedAt != nil && h.sent.FinishedAt.Before(to.MadeAt) // that was before their time
		if h.concerns(who) && !before && !slices.Contains(without, h.kind) {
			byKey[h.key], keys = h, append(keys, h.key)
		}
	}
	if len(keys) == 0 {
		return 0, nil
	}
	now := a.Clock.Now()
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		made = 0
		fresh, err := staff.Tell(ctx, tx, to.ID, keys, now)
		if err != nil {
			return err
		}
		for _, content := range contents(fresh, byKey) {
			id, err := staff.Make(ctx, tx, to.ID, content, now)
			if err == nil {
				err = a.queue.Insert(ctx, tx, jobs.SendStaff{ID: id})
			}
			if err != nil {
				return err
			}
			made++
		}
		return nil
	})
	return made, err
}

// contents parts what is new into mails.
func contents(fresh []string, byKey map[string]*happening) (mails []staffNews) {
	var needs staffNews
	for _, key := range fresh {
		if h := byKey[key]; h.need != nil {
			needs.Needs = append(needs.Needs, *h.need)
		} else {
			mails = append(mails, staffNews{Report: &h.sent.ID})
		}
	}
	if len(needs.Needs) > 0 {
		mails = append([]staffNews{needs}, mails...)
	}
	return mails
}

// actorOf returns an account as who may do things.
func actorOf(account *accounts.Account) accounts.Actor {
	return accounts.Actor{Account: account.ID, Roles: account.Roles, Lists: account.Lists, Zone: account.Zone, Language: account.Language}
}

// WishMails sets which kinds of mails an account does not want.
func (a *App) WishMails(ctx context.Context, account int64, without []staff.Kind) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error { return staff.Wish(ctx, tx, account, without) })
}
