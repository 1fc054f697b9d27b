package edition

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/mailer/ledger"
)

// Item is an article of an edition, by its translation group, as it is arranged.
type Item struct {
	GroupID    int64  `db:"group_id"`
	Recipients int    `db:"recipients"` // who get it, or got it
	Added      bool   `db:"added"`
	Place      *int   `db:"place"`   // nil: by date
	Dropped    string `db:"dropped"` // later, never, or "" for neither
}

// perVariant counts the recipients of each variant of edition $1, or takes what was counted of a large one.
var perVariant = `SELECT variant_id, count(*) AS recipients, min(contact_id) AS contact_id FROM mailer.deliveries
	WHERE edition_id = $1 AND state <> 'cancelled' AND NOT ` + ledger.IsCounted("$1") + ` GROUP BY variant_id
	UNION ALL SELECT variant_id, recipients, contact_id FROM mailer.counted_variants WHERE edition_id = $1 AND ` + ledger.IsCounted("$1")

// Items returns what is in an edition, and what was dropped from it: what has a place first, then what most people get.
func Items(ctx context.Context, h handle, id uuid.UUID) (items []Item, err error) {
	defer errs.Wrap(&err, "edition.Items(%s)", id)
	err = h.SelectContext(ctx, &items, `
		WITH had AS (
			SELECT g AS group_id, sum(n.recipients) AS recipients
			FROM (`+perVariant+`) n JOIN mailer.variants v ON v.id = n.variant_id, unnest(v.groups) g GROUP BY g
		), arranged AS (
			SELECT group_id, added, place, dropped FROM mailer.arrangements WHERE edition_id = $1
		)
		SELECT group_id, coalesce(recipients, 0) AS recipients, coalesce(added, false) AS added, place, coalesce(dropped, '') AS dropped
		FROM had FULL JOIN arranged USING (group_id)
		ORDER BY coalesce(dropped, '') <> '', place, recipients DESC NULLS LAST, group_id DESC`, id)
	return items, err
}

// Tongue is one of the languages that an edition's digests are in.
type Tongue struct {
	Language     string `db:"language" json:"language"`
	Variants     int    `db:"variants" json:"variants"`
	Recipients   int    `db:"recipients" json:"recipients"`
	Articles     int    `db:"articles" json:"articles"`
	Untranslated int    `db:"untranslated" json:"not_yet_translated"` // of the articles: those that are not in this language
	Subject      string `db:"subject" json:"subject"`                 // the editor's own; "" the usual
	Preheader    string `db:"preheader" json:"preheader"`
	Introduction string `db:"introduction" json:"introduction"`
}

// Tongues returns the languages that an edition's digests are in, the most frequent first, and after them those that somebody wrote for and nobody reads.
func Tongues(ctx context.Context, h handle, id uuid.UUID) (tongues []Tongue, err error) {
	defer errs.Wrap(&err, "edition.Tongues(%s)", id)
	var spoken pq.StringArray
	if err := h.GetContext(ctx, &spoken, `
		SELECT coalesce(array_agg(DISTINCT language), '{}') FROM mailer.variants WHERE edition_id = $1`, id); err != nil {
		return nil, err
	}
	err = h.SelectContext(ctx, &tongues, `
		WITH used AS (
			SELECT v.language, v.groups, n.recipients FROM (`+perVariant+`) n JOIN mailer.variants v ON v.id = n.variant_id
		), sizes AS (
			SELECT language, count(*) AS variants, sum(recipients) AS recipients FROM used GROUP BY language
		), contents AS (
			SELECT language, count(*) AS articles, count(*) FILTER (WHERE NOT EXISTS (
				SELECT FROM articles.available a WHERE a.group_id = held.group_id AND a.language_key = spoken.key)) AS untranslated
			FROM (SELECT DISTINCT language, unnest(groups) AS group_id FROM used) held
			JOIN unnest($2::text[], $3::text[]) AS spoken (language, key) USING (language)
			GROUP BY language
		)
		SELECT language, coalesce(variants, 0) AS variants, coalesce(recipients, 0) AS recipients, coalesce(articles, 0) AS articles, coalesce(untranslated, 0) AS untranslated,
		       coalesce(subject, '') AS subject, coalesce(preheader, '') AS preheader, coalesce(introduction, '') AS introduction
		FROM sizes FULL JOIN (SELECT * FROM mailer.texts WHERE edition_id = $1) t USING (language)
		LEFT JOIN contents USING (language)
		ORDER BY coalesce(recipients, 0) DESC, language COLLATE "C"`, id, spoken, pq.StringArray(language.Keys(spoken)))
	return tongues, err
}

// Sample is a variant with how many get it and one of them.
type Sample struct {
	Variant    int64  `db:"variant_id"`
	Language   string `db:"language"`
	Articles   int    `db:"articles"`
	Recipients int    `db:"recipients"`
	ContactID  int64  `db:"contact_id"`
	Email      string `db:"email"`
}

// Samples returns the variants of an edition that more than a hundredth of its recipients get, and of each language the one that most get, the
// most frequent first.
func Samples(ctx context.Context, h handle, id uuid.UUID) (samples []Sample, err error) {
	defer errs.Wrap(&err, "edition.Samples(%s)", id)
	err = h.SelectContext(ctx, &samples, `
		SELECT variant_id, language, articles, recipients, contact_id, email FROM (
			SELECT n.*, v.language, cardinality(v.groups) AS articles, sum(n.recipients) OVER () AS everybody,
			       row_number() OVER (PARTITION BY v.language ORDER BY n.recipients DESC, n.variant_id) AS place
			FROM (`+perVariant+`) n JOIN mailer.variants v ON v.id = n.variant_id
		) counted JOIN subscribers.addresses USING (contact_id)
		WHERE place = 1 OR recipients * 100 > everybody
		ORDER BY recipients DESC, variant_id`, id)
	return samples, err
}

// HasVariant reports whether a variant is one of an edition's.
func HasVariant(ctx context.Context, h handle, id uuid.UUID, variant int64) (has bool, err error) {
	defer errs.Wrap(&err, "edition.HasVariant(%s)", id)
	err = h.GetContext(ctx, &has, `SELECT EXISTS (SELECT FROM mailer.variants WHERE id = $2 AND edition_id = $1)`, id, variant)
	return has, err
}

// SampleOf returns one variant of an edition with how many get it, or an error of kind errs.NotFound. Of a large edition it is what was counted.
func SampleOf(ctx context.Context, h handle, id uuid.UUID, variant int64) (s Sample, err error) {
	err = h.GetContext(ctx, &s, `
		SELECT v.id AS variant_id, v.language, cardinality(v.groups) AS articles, coalesce(n.recipients, 0) AS recipients, coalesce(n.contact_id, 0) AS contact_id
		FROM mailer.variants v LEFT JOIN (`+perVariant+`) n ON n.variant_id = v.id
		WHERE v.edition_id = $1 AND v.id = $2`, id, variant)
	if errors.Is(err, sql.ErrNoRows) {
		return s, errs.New(errs.NotFound, "edition %s has no variant %d", id, variant)
	}
	errs.Wrap(&err, "edition.SampleOf(%s)", id)
	return s, err
}
