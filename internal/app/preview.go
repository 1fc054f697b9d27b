package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
			made, err := a.Planner.Plan(ctx, tx, edition.Request{List: list, Rhythm: rhythm, CutOff: at, ByHand: true, Approve: true})
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

// PreviewDigest writes each variant that would be sent to a folder, as .html, .txt and .eml, and returns the names of the .eml files.
func (a *App) PreviewDigest(ctx context.Context, o PlanOptions, dir string) (names []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, errs.New(errs.Invalid, "the folder for the preview: %w", err)
	}
	_, err = a.PlanDigest(ctx, o, func(h database.Handle, p Planned) error {
		seen := map[int64]bool{}
		for _, entry := range p.Entries {
			if seen[entry.Variant] {
				continue
			}
			seen[entry.Variant] = true
			letter, err := a.Composer.Letter(ctx, h, entry.Variant)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%s-%s-%d", p.Rhythm, letter.Digest.Language, len(seen))
			if err := a.writePreview(filepath.Join(dir, name), letter, entry); err != nil {
				return err
			}
			names = append(names, name+".eml")
		}
		return nil
	})
	return names, err
}

// writePreview writes a variant as one of its recipients would get it, but with links of its own that lead nowhere.
func (a *App) writePreview(path string, letter compose.Letter, entry ledger.Entry) error {
	raw, err := a.sample(letter, compose.Recipient{
		Address: entry.Email, Date: entry.NotBefore, MessageID: compose.MessageID(letter.EditionID, entry.ContactID, letter.SenderAddress),
		PreferencesURL: a.Composer.PublicURL + "/preferences/preview", UnsubscribeURL: a.Composer.PublicURL + "/unsubscribe/preview",
		ViewURL: a.Composer.PublicURL + "/view/preview",
	})
	if err != nil {
		return err
	}
	letter.Digest.Address = entry.Email
	letter.Digest.PreferencesURL, letter.Digest.UnsubscribeURL = a.Composer.PublicURL+"/preferences/preview", a.Composer.PublicURL+"/unsubscribe/preview"
	letter.Digest.ViewURL = a.Composer.PublicURL + "/view/preview"
	mail, err := a.Templates.Digest(letter.Digest)
	if err != nil {
		return err
	}
	for ending, content := range map[string][]byte{".html": []byte(mail.HTML), ".txt": []byte(mail.Text), ".eml": raw} {
		if err := os.WriteFile(path+ending, content, 0o644); err != nil {
			return errs.New(errs.Invalid, "the preview: %w", err)
		}
	}
	return nil
}

// sample returns a letter's message for somebody.
func (a *App) sample(letter compose.Letter, to compose.Recipient) ([]byte, error) {
	stored, err := compose.Render(a.Templates, letter)
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
		Address: to, Date: a.Clock.Now(), MessageID: compose.MessageID(letter.EditionID, 0, letter.SenderAddress),
		PreferencesURL: a.Composer.PublicURL + "/preferences/test", UnsubscribeURL: a.Composer.PublicURL + "/unsubscribe/test",
	})
	if err != nil {
		return reply.Reply{}, err
	}
	return send.One(ctx, *a.relay, a.helo(), send.Parcel{From: letter.SenderAddress, To: to, Message: raw}, nil)
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
	letter.EditionID = ledger.NewEditionID(a.Clock.Now())
	return letter, err
}
