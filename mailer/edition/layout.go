package edition

import (
	"context"
	"math"

	"github.com/lib/pq"

	"silkpost/internal/language"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// layout turns readers, each with the translation groups that they are to get, into variants. Its steps work in whole statements over
// temporary tables:
//
//	reader   a row per subscription: its mark, the groups that it gets wherever they lie (back) or had already (had), its profile
//	profile  a row per set of readers who are to get the same
//	version  a row per article version that any reader may get
//	subject  a row per translation group of those: the sections and tags of all its versions
//	chosen   a row per profile and translation group: the version for them
//	digest   a row per profile that gets anything
type layout struct {
	handle
	list      *subscribers.List
	languages Languages
	edition   *Edition
	bare      bool // goes out even without articles: it has an introduction
	closes    bool // what lies behind the floor is nobody's any more
}

// run executes a statement.
func (l *layout) run(ctx context.Context, statement string, args ...any) error {
	_, err := l.ExecContext(ctx, statement, args...)
	return err
}

// clear drops what an earlier layout in the same transaction has left.
func (l *layout) clear(ctx context.Context) error {
	return l.run(ctx, `
		DROP TABLE IF EXISTS pg_temp.reader, pg_temp.profile, pg_temp.version, pg_temp.subject, pg_temp.chosen, pg_temp.digest, pg_temp.local_hour,
		                     pg_temp.waiting`)
}

// setReaders makes the readers from a query of subscription_id, languages, language_keys, topics, mark, back and had, and whatever else
// the caller wants to know of them.
func (l *layout) setReaders(ctx context.Context, query string, args ...any) error {
	if err := l.clear(ctx); err != nil {
		return err
	}
	return l.run(ctx, `
		CREATE TEMP TABLE reader ON COMMIT DROP AS
		SELECT *, dense_rank() OVER (ORDER BY mark, languages, topics, back, had) AS profile FROM (`+query+`) mine`, args...)
}

// layOut makes the digests of the readers.
func (l *layout) layOut(ctx context.Context) error {
	for _, step := range []func(context.Context) error{l.profiles, l.choose, l.digests} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// profiles puts together who is to get the same, and chooses the language of the product's words for each.
func (l *layout) profiles(ctx context.Context) error {
	if err := l.run(ctx, `
		CREATE TEMP TABLE profile ON COMMIT DROP AS
		SELECT DISTINCT profile AS id, mark, languages, language_keys, topics, back, had, NULL::text AS words FROM reader`); err != nil {
		return err
	}
	return l.setWords(ctx)
}

// choose picks, for each profile and translation group, the version in the first of the reader's languages that there is, the very
// tag before one of the same language and script; else the list's fallback, marked as such unless the reader named no language;
// else none. Topics are sections or tags of any version.
func (l *layout) choose(ctx context.Context) error {
	if err := l.run(ctx, `
		CREATE TEMP TABLE version ON COMMIT DROP AS
		WITH due AS (
			SELECT group_id, position FROM mailer.positions WHERE list_id = $1 AND position > (SELECT min(mark) FROM profile)
			UNION
			SELECT group_id, coalesce(position, 0) FROM (SELECT DISTINCT unnest(back) AS group_id FROM profile) back
			LEFT JOIN (SELECT group_id, position FROM mailer.positions WHERE list_id = $1) pos USING (group_id)
		)
		SELECT due.position, due.group_id, a.article_id, a.language, a.language_key, a.section, a.tags, a.published_at,
		       (CASE WHEN a.urgent THEN 2 ELSE 0 END + CASE WHEN a.pinned THEN 1 ELSE 0 END) AS weight
		FROM due JOIN articles.available a USING (group_id)
		WHERE $2::text[] = '{}' OR a.language_key = ANY ($2)`,
		l.list.ID, pq.StringArray(language.Keys(l.list.Selection.Languages))); err != nil {
		return err
	}
	if err := l.run(ctx, `
		CREATE TEMP TABLE subject ON COMMIT DROP AS
		SELECT group_id, array_agg(DISTINCT topic) AS topics FROM version, unnest(tags || section) topic GROUP BY group_id`); err != nil {
		return err
	}
	if err := l.run(ctx, `
		CREATE TEMP TABLE chosen ON COMMIT DROP AS
		SELECT DISTINCT ON (f.id, v.group_id) f.id AS profile, v.group_id, v.position, v.article_id, want.fallback,
		       max(v.published_at) OVER (PARTITION BY f.id, v.group_id) AS published_at, max(v.weight) OVER (PARTITION BY f.id, v.group_id) AS weight
		FROM profile f
		JOIN version v ON (v.position > f.mark OR v.group_id = ANY (f.back)) AND v.group_id <> ALL (f.had)
		JOIN subject s ON s.group_id = v.group_id AND (f.topics = '{}' OR f.topics && s.topics)
		CROSS JOIN LATERAL (
			SELECT tag, key, n, false AS fallback FROM unnest(f.languages, f.language_keys) WITH ORDINALITY AS own (tag, key, n)
			UNION ALL SELECT $1, $2, 1000000, f.languages <> '{}'
		) want
		WHERE v.language_key = want.key
		ORDER BY f.id, v.group_id, want.n, v.language <> want.tag, v.article_id`,
		l.list.FallbackLanguage, language.Key(l.list.FallbackLanguage)); err != nil || !l.closes {
		return err
	}
	// Who was given it is not known any more (P1).
	return l.run(ctx, `DELETE FROM chosen WHERE `+ledger.Closed("chosen.group_id"))
}

// digests lays out what each profile gets: what an editor put in a place, then what is urgent, what is
// pinned, and the newest first. What a list has no room for, and is not to
// wait, is shown as more.
func (l *layout) digests(ctx context.Context) error {
	return l.run(ctx, `
		CREATE TEMP TABLE digest ON COMMIT DROP AS
		SELECT profile, words, ordered[1:$1] AS articles, ordered[$1 + 1:] AS more, groups, fallbacks,
		       sha256(convert_to(concat_ws(' ', words, ordered::text, fallbacks::text), 'UTF8')) AS key
		FROM (
			SELECT f.id AS profile, f.words,
			       coalesce(array_agg(c.article_id ORDER BY a.place, c.weight DESC, c.published_at DESC, c.position) FILTER (WHERE c.profile IS NOT NULL), '{}') AS ordered,
			       coalesce(array_agg(c.group_id ORDER BY a.place, c.weight DESC, c.published_at DESC, c.position) FILTER (WHERE c.profile IS NOT NULL), '{}') AS groups,
			       coalesce(array_agg(c.article_id ORDER BY c.position) FILTER (WHERE c.fallback), '{}') AS fallbacks
			FROM profile f LEFT JOIN chosen c ON c.profile = f.id
			LEFT JOIN mailer.arrangements a ON a.edition_id = $2 AND a.group_id = c.group_id
			GROUP BY f.id, f.words
			HAVING $3 OR count(c.profile) > 0
		) laid_out`, l.shown(), l.edition.ID, l.bare)
}

// shown is how many articles a digest shows as more than a title. Of a list where the rest waits there are no others, nor of what was made by hand.
func (l *layout) shown() int {
	if l.list.MaxArticles > 0 && l.edition.Rhythm != Once && (l.list.Rest == subscribers.RestMore || l.edition.Rhythm == immediate) {
		return l.list.MaxArticles
	}
	return math.MaxInt32 - 1
}

// insertVariants writes what differs among the digests.
func (l *layout) insertVariants(ctx context.Context) error {
	return l.run(ctx, `
		INSERT INTO mailer.variants (edition_id, language, articles, more, fallbacks, groups, key)
		SELECT DISTINCT ON (key) $1::uuid, words, articles, more, fallbacks, groups, key FROM digest ORDER BY key
		ON CONFLICT (edition_id, key) DO NOTHING`,
		l.edition.ID)
}
