// Package archive is what everybody may read of a list's editions, where the list allows it: those that went out, each with the articles that it
// held when its first message did, in a reader's language. Of an article there are the versions that were sent or were there at the cut-off,
// whoever got them: nothing comes to an edition later. It knows articles alone, nothing of who got them. An article that was withdrawn since is
// gone, and back when it is restored.
package archive

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/subscribers"
)

// Edition is an edition as it is read in one language.
type Edition struct {
	ID        uuid.UUID `db:"id"`
	Rhythm    string    `db:"rhythm"`
	LocalDate time.Time `db:"local_date"`
	WentOut   time.Time `db:"cut_off"`
	Articles  []Article `db:"-"` // in the order of the digest; never none
	Texts     []Text    `db:"-"` // what an editor wrote for it
	// Updated is when it last came to say something else: an article was edited, withdrawn or restored.
	Updated time.Time `db:"-"`
}

// byHand is the rhythm of editions that were made by hand.
const byHand = "once"

// Text is what an editor wrote for an edition in one language; "" where they wrote nothing.
type Text struct {
	EditionID    uuid.UUID `db:"edition_id"`
	Language     string    `db:"language"` // of the product's words
	Subject      string    `db:"subject"`
	Introduction string    `db:"introduction"` // Markdown
}

// Article is the version of an article for a reader.
type Article struct {
	articles.Article
	Fallback bool // in the list's language, not the reader's
}

// Store reads archives. It is safe for concurrent use.
type Store struct{ Articles *articles.Store }

// out are the editions of list $1 that are archived: those to a part of the readers alone are not everybody's.
const out = `
	e.list_id = $1 AND e.state IN ('sending', 'sent') AND EXISTS (SELECT FROM mailer.archived x WHERE x.edition_id = e.id)`

// version says which articles a of a group x of an edition e are versions of it.
const version = `(a.article_id = x.article_id OR a.first_seen_at <= e.cut_off)`

// recent is of how many editions the languages are looked for.
const recent = 100

// Languages returns the languages that a list's archive has articles in, of the latest editions, in the order of their tags.
func (s Store) Languages(ctx context.Context, h database.Handle, list *subscribers.List) (tags []string, err error) {
	defer errs.Wrap(&err, "archive.Languages(%s)", list.Slug)
	err = h.SelectContext(ctx, &tags, `
		WITH e AS (SELECT e.id, e.cut_off FROM mailer.editions e WHERE `+out+` ORDER BY e.id DESC LIMIT $2)
		SELECT DISTINCT a.language COLLATE "C" FROM e JOIN mailer.archived x ON x.edition_id = e.id JOIN articles.available a USING (group_id)
		WHERE `+version+` ORDER BY 1`, list.ID, recent)
	return tags, err
}

// HasLanguage reports whether any edition of a list that ever went out has an article in exactly that language.
func (s Store) HasLanguage(ctx context.Context, h database.Handle, list *subscribers.List, tag string) (has bool, err error) {
	err = h.GetContext(ctx, &has, `
		SELECT EXISTS (
			SELECT FROM mailer.editions e JOIN mailer.archived x ON x.edition_id = e.id JOIN articles.available a USING (group_id)
			WHERE a.language = $2 AND `+version+` AND `+out+`)`, list.ID, tag)
	errs.Wrap(&err, "archive.HasLanguage(%s, %s)", list.Slug, tag)
	return has, err
}

// Editions returns up to limit editions of a list that went out before another one, newest first; uuid.Nil is the newest ones. older reports
// whether there are more. An edition that holds nothing for readers of tag is left out, so that there may be fewer; next is the one to go on
// before.
func (s Store) Editions(
	ctx context.Context, h database.Handle, list *subscribers.List, tag string, before uuid.UUID, limit int,
) (editions []Edition, next uuid.UUID, older bool, err error) {
	defer errs.Wrap(&err, "archive.Editions(%s)", list.Slug)
	var found []Edition
	if err := h.SelectContext(ctx, &found, `
		SELECT e.id, e.rhythm, e.local_date, e.cut_off FROM mailer.editions e WHERE `+out+` AND ($2::uuid = $3 OR e.id < $2)
		ORDER BY e.id DESC LIMIT $4`, list.ID, before, uuid.Nil, limit+1); err != nil {
		return nil, next, false, err
	}
	if older = len(found) > limit; older {
		found = found[:limit]
	}
	if len(found) > 0 {
		next = found[len(found)-1].ID
	}
	editions, err = s.fill(ctx, h, list, tag, found)
	return editions, next, older, err
}

// Edition returns one edition of a list as it is read in a language. One that is not in the archive is errs.NotFound; one that holds nothing
// for such readers any more, errs.Gone.
func (s Store) Edition(ctx context.Context, h database.Handle, list *subscribers.List, tag string, id uuid.UUID) (e Edition, err error) {
	var found []Edition
	if err := h.SelectContext(ctx, &found, `SELECT e.id, e.rhythm, e.local_date, e.cut_off FROM mailer.editions e WHERE `+out+` AND e.id = $2`, list.ID, id); err != nil {
		return e, err
	}
	if len(found) == 0 {
		return e, errs.New(errs.NotFound, "edition %s is not in the archive of list %s", id, list.Slug)
	}
	if found, err = s.fill(ctx, h, list, tag, found); err != nil {
		return e, err
	}
	if len(found) == 0 {
		return e, errs.New(errs.Gone, "edition %s holds nothing in %s that is still published", id, tag)
	}
	return found[0], nil
}

// held is what an edition holds of a translation group.
type held struct {
	EditionID uuid.UUID     `db:"edition_id"`
	GroupID   int64         `db:"group_id"`
	Sent      pq.Int64Array `db:"sent"` // ids of the versions that went out
}

// fill gives editions their articles, and leaves out those that have none.
func (s Store) fill(ctx context.Context, h database.Handle, list *subscribers.List, tag string, editions []Edition) (filled []Edition, err error) {
	ids := make(pq.StringArray, len(editions))
	for i, e := range editions {
		ids[i] = e.ID.String()
	}
	var rows []held
	if err := h.SelectContext(ctx, &rows, `
		SELECT edition_id, group_id, array_agg(article_id) AS sent FROM mailer.archived x WHERE edition_id = ANY ($1::uuid[])
		GROUP BY edition_id, group_id ORDER BY edition_id, max(place), group_id`, ids); err != nil {
		return nil, err
	}
	known, err := s.versions(ctx, h, rows)
	if err != nil {
		return nil, err
	}
	holds := map[uuid.UUID][]held{}
	for _, row := range rows {
		holds[row.EditionID] = append(holds[row.EditionID], row)
	}
	var texts []Text
	if err := h.SelectContext(ctx, &texts, `
		SELECT edition_id, language, subject, introduction FROM mailer.texts WHERE edition_id = ANY ($1::uuid[]) ORDER BY language`, ids); err != nil {
		return nil, err
	}
	for _, e := range editions {
		for _, t := range texts {
			if t.EditionID == e.ID {
				e.Texts = append(e.Texts, t)
			}
		}
		if e.choose(holds[e.ID], known, tag, list.FallbackLanguage); len(e.Articles) > 0 {
			filled = append(filled, e)
		}
	}
	return filled, nil
}

// versions returns all articles of the groups of editions, withdrawn ones too, by group.
func (s Store) versions(ctx context.Context, h database.Handle, rows []held) (map[int64][]articles.Article, error) {
	groups := make([]int64, len(rows))
	for i, row := range rows {
		groups[i] = row.GroupID
	}
	found, err := s.Articles.Teasers(ctx, h, groups)
	known := map[int64][]articles.Article{}
	for _, a := range found {
		known[a.GroupID] = append(known[a.GroupID], a)
	}
	return known, err
}

// choose picks of each translation group the version in the reader's language, else in the fallback, marked as such.
func (e *Edition) choose(rows []held, known map[int64][]articles.Article, tag, fallback string) {
	e.LocalDate, e.WentOut = e.LocalDate.UTC(), e.WentOut.UTC()
	e.Updated = e.WentOut
	for _, row := range rows {
		var versions []articles.Article
		var tags []string
		for _, a := range known[row.GroupID] {
			switch {
			case !slices.Contains(row.Sent, a.ID) && a.FirstSeenAt.After(e.WentOut): // it came later
			case a.WithdrawnAt != nil:
				e.touch(*a.WithdrawnAt)
			default:
				versions, tags = append(versions, a), append(tags, a.Language)
			}
		}
		if chosen := language.Choose([]string{tag, fallback}, tags); chosen != "" {
			a := versions[slices.Index(tags, chosen)]
			e.Articles = append(e.Articles, Article{Article: a, Fallback: language.Key(chosen) != language.Key(tag)})
			e.touch(a.UpdatedAt)
		}
	}
}

// Written returns what an editor wrote for readers in a language of the product's words, and in which language its introduction is, "" for the same:
// as in the digests, where the list's own language stands in for what an edition made by hand lacks.
func (e *Edition) Written(words, fallback string) (subject, introduction, in string) {
	find := func(tag string) (t Text) {
		if i := slices.IndexFunc(e.Texts, func(t Text) bool { return t.Language == tag }); i >= 0 {
			t = e.Texts[i]
		}
		return t
	}
	own, other := find(words), Text{}
	if e.Rhythm == byHand {
		other = find(fallback)
	}
	if own.Introduction == "" && other.Introduction != "" {
		in = other.Language
	}
	return cmp.Or(own.Subject, other.Subject), cmp.Or(own.Introduction, other.Introduction), in
}

func (e *Edition) touch(at time.Time) {
	if at.After(e.Updated) {
		e.Updated = at
	}
}
