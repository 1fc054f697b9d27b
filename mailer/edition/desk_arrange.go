package edition

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
)

// arrangeable are the states in which an edition is at the desk. One that is on its way is held first.
var arrangeable = []State{Review, Approved, Held}

// Rest is what becomes of recipients of an edition made by hand, with words of its own, for whom none of its articles is left: they were given them before,
// or read none of their languages.
type Rest string

// What can become of them.
const (
	AskFirst   Rest = ""        // nothing is done if that are any more: an error of type *LeavesOutError says who
	LeaveOut   Rest = "nothing" // they get nothing
	WordsAlone Rest = "words"   // they get the words
)

// LeavesOutError says whom something would leave out. It is inside an error of kind errs.Conflict.
type LeavesOutError struct {
	Recipients int
	Some       []string // addresses of the first of them
}

// Error says how many.
func (e *LeavesOutError) Error() string {
	return fmt.Sprintf("%d of its recipients were given that already, or read none of its languages, and would get nothing any more: "+
		"--leave-out leaves them out, --words-alone sends them the words without it", e.Recipients)
}

// Add puts articles into an edition: they go to every recipient who was not given them yet, and no later edition gives them again. It takes
// back a drop. rest is for those who then have none: of an edition of words alone these may be many.
func (d *Desk) Add(ctx context.Context, id uuid.UUID, rest Rest, added ...articles.Article) error {
	return d.arrange(ctx, id, "add to it", "added", added, func(b *bench, groups pq.Int64Array) error {
		b.asks = rest == AskFirst && b.edition.Rhythm == Once
		if rest != AskFirst {
			if err := b.run(ctx, `UPDATE mailer.editions SET words_alone = $2 WHERE id = $1 AND rhythm = 'once'`, id, rest == WordsAlone); err != nil {
				return err
			}
		}
		if err := b.mustBeThere(ctx, added); err != nil {
			return err
		}
		if err := b.mustBeKnown(ctx, added); err != nil {
			return err
		}
		if err := b.run(ctx, `
			INSERT INTO mailer.arrangements (edition_id, group_id, added) SELECT $1, g, true FROM unnest($2::bigint[]) g
			ON CONFLICT (edition_id, group_id) DO UPDATE SET added = true, dropped = NULL`, id, groups); err != nil {
			return err
		}
		return b.retire(ctx, `true`)
	})
}

// Pin puts articles of an edition at its top, in this order, before what was pinned earlier.
func (d *Desk) Pin(ctx context.Context, id uuid.UUID, pinned ...articles.Article) error {
	return d.arrange(ctx, id, "pin articles of it", "pinned", pinned, func(b *bench, groups pq.Int64Array) error {
		if err := b.mustHold(ctx, pinned); err != nil {
			return err
		}
		if err := b.run(ctx, `UPDATE mailer.arrangements SET place = place + $2 WHERE edition_id = $1`, id, len(groups)); err != nil {
			return err
		}
		return b.place(ctx, groups)
	})
}

// Order puts an edition's articles in this order, and the rest by date after them. Without any, all are by date.
func (d *Desk) Order(ctx context.Context, id uuid.UUID, ordered ...articles.Article) error {
	return d.arrange(ctx, id, "order it", "ordered", ordered, func(b *bench, groups pq.Int64Array) error {
		if err := b.mustHold(ctx, ordered); err != nil {
			return err
		}
		if err := b.run(ctx, `UPDATE mailer.arrangements SET place = NULL WHERE edition_id = $1`, id); err != nil {
			return err
		}
		return b.place(ctx, groups)
	})
}

// place gives groups the first places.
func (b *bench) place(ctx context.Context, groups pq.Int64Array) error {
	if err := b.run(ctx, `
		INSERT INTO mailer.arrangements (edition_id, group_id, place)
		SELECT $1, g, n FROM unnest($2::bigint[]) WITH ORDINALITY AS p (g, n)
		ON CONFLICT (edition_id, group_id) DO UPDATE SET place = excluded.place`, b.edition.ID, groups); err != nil {
		return err
	}
	return b.retire(ctx, `true`)
}

// Drop takes articles out of an edition. They are due again in the recipients' next one, or never: then they count as given.
func (d *Desk) Drop(ctx context.Context, id uuid.UUID, never bool, dropped ...articles.Article) error {
	how := "later"
	if never {
		how = "never"
	}
	return d.arrange(ctx, id, "drop articles from it", "dropped ("+how+")", dropped, func(b *bench, groups pq.Int64Array) error {
		if err := b.mustHoldOrDrop(ctx, dropped, never); err != nil {
			return err
		}
		if err := b.run(ctx, `
			INSERT INTO mailer.arrangements (edition_id, group_id, dropped) SELECT $1, g, $3 FROM unnest($2::bigint[]) g
			ON CONFLICT (edition_id, group_id) DO UPDATE SET added = false, place = NULL, dropped = excluded.dropped`, id, groups, how); err != nil {
			return err
		}
		if err := b.forgo(ctx, groups, never); err != nil {
			return err
		}
		return b.retire(ctx, `v.groups && $2`, groups)
	})
}

// forgo takes back what an earlier drop gave back, when it is now to be never.
func (b *bench) forgo(ctx context.Context, groups pq.Int64Array, never bool) error {
	if !never {
		return nil
	}
	return b.run(ctx, `
		DELETE FROM mailer.released r USING mailer.deliveries d
		WHERE d.edition_id = $1 AND r.subscription_id = d.subscription_id AND r.group_id = ANY ($2)`, b.edition.ID, groups)
}

// arrange writes an arrangement and lays the edition out again.
func (d *Desk) arrange(ctx context.Context, id uuid.UUID, verb, done string, which []articles.Article, write func(b *bench, groups pq.Int64Array) error) error {
	return d.work(ctx, id, act{verb, arrangeable}, func(b *bench) (string, error) {
		groups := groupsOf(which)
		if err := write(b, groups); err != nil {
			return "", err
		}
		if err := b.again(ctx); err != nil {
			return "", err
		}
		return done + ": " + cmp.Or(slugList(which), "by date"), b.leavesOut(ctx)
	})
}

// leavesOut refuses what has left out recipients when nobody said that it may. It looks at what was laid out last.
func (b *bench) leavesOut(ctx context.Context) error {
	if !b.asks {
		return nil
	}
	var lost LeavesOutError
	const out = ` FROM reader LEFT JOIN digest USING (profile) WHERE digest.profile IS NULL AND NOT reader.emptied`
	if err := b.GetContext(ctx, &lost.Recipients, `SELECT count(*)`+out); err != nil || lost.Recipients == 0 {
		return err
	}
	if err := b.SelectContext(ctx, &lost.Some, `
		SELECT email FROM subscribers.addresses WHERE contact_id IN (SELECT contact_id`+out+` ORDER BY contact_id LIMIT $1) ORDER BY contact_id`, leftOutShown); err != nil {
		return err
	}
	return errs.New(errs.Conflict, "%w", &lost)
}

// leftOutShown is how many of those whom something would leave out are named.
const leftOutShown = 20

// groupsOf returns the groups of articles, each once.
func groupsOf(which []articles.Article) (groups pq.Int64Array) {
	seen := map[int64]bool{}
	groups = pq.Int64Array{}
	for _, a := range which {
		if !seen[a.GroupID] {
			groups = append(groups, a.GroupID)
		}
		seen[a.GroupID] = true
	}
	return groups
}

// mustBeThere refuses articles of which no version is published.
func (b *bench) mustBeThere(ctx context.Context, which []articles.Article) error {
	return b.refuse(ctx, which, `EXISTS (SELECT FROM articles.available a WHERE a.group_id = g)`, "is withdrawn: restore it first")
}

// mustBeKnown refuses articles of which nobody knows any more who was given them, unless that does not matter.
func (b *bench) mustBeKnown(ctx context.Context, which []articles.Article) error {
	if b.edition.Repeats {
		return nil
	}
	return b.refuse(ctx, which, `NOT `+ledger.Closed("g"),
		"came so long ago that it is not known any more who was given it: silkpost edition make --repeat sends it all the same")
}

// mustHold refuses articles that the edition does not have.
func (b *bench) mustHold(ctx context.Context, which []articles.Article) error {
	return b.refuse(ctx, which, holds, "is not in edition "+b.edition.ID.String()+": add it first")
}

// mustHoldOrDrop lets an article also be dropped that was dropped for later.
func (b *bench) mustHoldOrDrop(ctx context.Context, which []articles.Article, never bool) error {
	if !never {
		return b.mustHold(ctx, which)
	}
	return b.refuse(ctx, which, holds+` OR EXISTS (SELECT FROM mailer.arrangements a WHERE a.edition_id = $2 AND a.group_id = g AND a.dropped = 'later')`,
		"is not in edition "+b.edition.ID.String())
}

// holds is true of a group g that edition $2 has for anybody, or is to have.
const holds = `(EXISTS (
	SELECT FROM mailer.variants v JOIN mailer.deliveries d ON d.edition_id = v.edition_id AND d.variant_id = v.id AND NOT d.emptied
	WHERE v.edition_id = $2 AND g = ANY (v.groups))
	OR EXISTS (SELECT FROM mailer.arrangements a WHERE a.edition_id = $2 AND a.group_id = g AND a.added))`

// refuse refuses the first of articles for whose group g a condition does not hold.
func (b *bench) refuse(ctx context.Context, which []articles.Article, unless, why string) error {
	var wrong pq.Int64Array
	if err := b.GetContext(ctx, &wrong, `
		SELECT coalesce(array_agg(g), '{}') FROM unnest($1::bigint[]) g WHERE $2::uuid IS NOT NULL AND NOT (`+unless+`)`,
		groupsOf(which), b.edition.ID); err != nil {
		return err
	}
	for _, a := range which {
		for _, g := range wrong {
			if a.GroupID == g {
				return errs.New(errs.Conflict, "article %q %s", a.Slug, why)
			}
		}
	}
	return nil
}

// Texts are an editor's own words in a digest. nil leaves what there is; "" is the usual.
type Texts struct {
	Subject      *string
	Preheader    *string
	Introduction *string // Markdown
}

// Lengths that no inbox and no reader has use for more of.
const (
	longestLine         = 300
	longestIntroduction = 20_000
)

// Write sets an editor's words for an edition's digests in one language, which is one of the product's.
func (d *Desk) Write(ctx context.Context, id uuid.UUID, language string, t Texts) error {
	if err := t.check(); err != nil {
		return err
	}
	return d.work(ctx, id, act{"write for it", arrangeable}, func(b *bench) (string, error) {
		if err := b.run(ctx, `
			INSERT INTO mailer.texts (edition_id, language, subject, preheader, introduction)
			VALUES ($1, $2, coalesce($3, ''), coalesce($4, ''), coalesce($5, ''))
			ON CONFLICT (edition_id, language) DO UPDATE
			SET subject = coalesce($3, texts.subject), preheader = coalesce($4, texts.preheader), introduction = coalesce($5, texts.introduction)`,
			id, language, t.Subject, t.Preheader, t.Introduction); err != nil {
			return "", err
		}
		if err := b.retire(ctx, `v.language = $2 OR $3`, language, b.fallsBack(language)); err != nil {
			return "", err
		}
		return "text in " + language, b.again(ctx)
	})
}

// fallsBack reports whether digests in other languages show what is written in this one: those of an edition that was made by hand.
func (b *bench) fallsBack(language string) bool {
	return b.edition.Rhythm == Once && language == b.standIn()
}

func (t Texts) check() error {
	for name, text := range map[string]*string{"subject": t.Subject, "preheader": t.Preheader} {
		switch {
		case text == nil:
		case strings.ContainsFunc(*text, unicode.IsControl):
			return errs.New(errs.Invalid, "the %s: one line without control characters", name)
		case utf8.RuneCountInString(*text) > longestLine:
			return errs.New(errs.Invalid, "the %s has more than %d characters", name, longestLine)
		}
	}
	if t.Introduction != nil && len(*t.Introduction) > longestIntroduction {
		return errs.New(errs.Invalid, "the introduction has more than %d bytes", longestIntroduction)
	}
	for name, text := range map[string]*string{"subject": t.Subject, "preheader": t.Preheader, "introduction": t.Introduction} {
		if text != nil && (!utf8.ValidString(*text) || strings.ContainsRune(*text, 0)) {
			return errs.New(errs.Invalid, "the %s is not text in UTF-8", name)
		}
	}
	return nil
}

// slugList names articles by their slugs.
func slugList(which []articles.Article) string {
	slugs := make([]string, len(which))
	for i, a := range which {
		slugs[i] = a.Slug
	}
	return strings.Join(slugs, ", ")
}

// idList names things by their ids.
func idList(ids []int64) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = fmt.Sprint(id)
	}
	return strings.Join(names, ", ")
}
