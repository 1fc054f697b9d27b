package app

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/mailer/compose"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
	"silkpost/subscribers"
)

// PlanOptions say what to plan without doing it.
type PlanOptions struct {
	List   string    // slug
	Rhythm string    // "": each in which the list has active subscriptions, else its default
	At     time.Time // the cut-off; zero: now

	Audience subscribers.Audience // zero: everybody
}

// Planned is an edition that was planned and undone.
type Planned struct {
	edition.Edition
	Entries []ledger.Entry
}

// PlanDigest says who would get what and when, and changes nothing. visit, if not nil, sees each edition while its variants are
// there to be read through h.
func (a *App) PlanDigest(ctx context.Context, o PlanOptions, visit func(h database.Handle, p Planned) error) (planned []Planned, err error) {
	list, rhythms, err := a.rhythms(ctx, o.List, o.Rhythm)
	if err != nil {
		return nil, err
	}
	at := o.At
	if at.IsZero() {
		at = a.Clock.Now()
	}
	if err := ledger.Prepare(ctx, a.DB, a.Clock.Now()); err != nil {
		return nil, err
	}
	for _, rhythm := range rhythms {
		var p Planned
		err := database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
			made, err := a.Planner.Plan(ctx, tx, edition.Request{List: list, Rhythm: rhythm, CutOff: at, ByHand: true, Audience: o.Audience})
			if err != nil {
				return err
			}
			p = Planned{Edition: *made}
			if p.Entries, err = ledger.Entries(ctx, tx, made.ID); err != nil {
				return err
			}
			if visit != nil {
				if err := visit(tx, p); err != nil {
					return err
				}
			}
			return errDryRun
		})
		if !errors.Is(err, errDryRun) {
			return nil, err
		}
		planned = append(planned, p)
	}
	return planned, nil
}

// PreviewDigest writes the variants that would be sent to a folder, as PreviewEdition does, and returns what it wrote.
func (a *App) PreviewDigest(ctx context.Context, o PlanOptions, dir string, checkLinks bool) (written []Preview, err error) {
	_, err = a.PlanDigest(ctx, o, func(h database.Handle, p Planned) error {
		made, err := a.writePreviews(ctx, h, p.ID, p.Rhythm, dir)
		written = append(written, made...)
		return err
	})
	if err == nil {
		err = a.indexPreviews(ctx, dir, written, checkLinks)
	}
	return written, err
}

// sample returns a letter's message for somebody.
func (a *App) sample(letter compose.Letter, to compose.Recipient) ([]byte, error) {
	stored, err := compose.Render(a.Composer.Templates, letter)
	if err != nil {
		return nil, err
	}
	message, err := compose.Parse(stored)
	if err != nil {
		return nil, err
	}
	return message.For(to), nil
}

// testArticles is how many of a list's newest articles a test mail shows.
const testArticles = 5

// TestDigest sends one message with the list's newest articles to an address, which need not be on the list. Nothing of it is
// recorded. tag is the language, "" the list's fallback.
func (a *App) TestDigest(ctx context.Context, slug, address, tag string) (reply.Reply, error) {
	to, err := subscribers.Envelope(address)
	if err != nil {
		return reply.Reply{}, err
	}
	list, err := subscribers.ListBySlug(ctx, a.DB, slug)
	if err != nil {
		return reply.Reply{}, err
	}
	for _, missing := range []error{edition.MayBeSent(list), a.maySend(ctx)} {
		if missing != nil {
			return reply.Reply{}, missing
		}
	}
	letter, err := a.testLetter(ctx, list, tag)
	if err != nil {
		return reply.Reply{}, err
	}
	raw, err := a.sample(letter, compose.Recipient{
		Address: to, Date: a.Clock.Now(), MessageID: compose.MessageID(letter.EditionID, 0, 0, letter.SenderAddress),
		PreferencesURL: a.Composer.PublicURL + "/preferences/test", UnsubscribeURL: a.Composer.PublicURL + "/unsubscribe/test",
	})
	if err == nil {
		raw, err = a.Composer.Signed(letter.SenderAddress, raw)
	}
	if err != nil {
		return reply.Reply{}, err
	}
	return a.mail(ctx, send.NewParcel(letter.SenderAddress, to, raw), nil)
}

// testLetter lays out the newest articles that a reader of one language would get.
func (a *App) testLetter(ctx context.Context, list subscribers.List, tag string) (letter compose.Letter, err error) {
	if tag == "" {
		tag = list.FallbackLanguage
	}
	if tag, err = language.Parse(tag); err != nil {
		return letter, err
	}
	selection := list.Selection
	selection.Languages = []string{tag}
	newest, err := a.Articles.Select(ctx, a.DB, selection, testArticles)
	if err != nil {
		return letter, err
	}
	if len(newest) == 0 {
		return letter, errs.New(errs.NotFound, "list %s has no article in %s to show", list.Slug, tag)
	}
	letter, err = a.Composer.LetterOf(list, a.Clock.Now(), a.Templates.Language([]string{tag}, list.FallbackLanguage), newest, nil)
	if err == nil {
		err = a.Composer.Dress(ctx, a.DB, list, &letter)
	}
	letter.EditionID = ledger.NewEditionID(a.Clock.Now())
	return letter, err
}
