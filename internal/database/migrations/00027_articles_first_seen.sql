-- +goose Up
CREATE OR REPLACE VIEW articles.available AS
SELECT a.id AS article_id, a.group_id, s.slug AS source, a.section, a.tags, a.language, a.language_key, a.archive,
       a.published_at, a.updated_at, a.first_seen_at
FROM articles.articles a JOIN articles.sources s ON s.id = a.source_id
WHERE a.withdrawn_at IS NULL;

-- +goose Down
DROP VIEW articles.available;
CREATE VIEW articles.available AS
SELECT a.id AS article_id, a.group_id, s.slug AS source, a.section, a.tags, a.language, a.language_key, a.archive,
       a.published_at, a.updated_at
FROM articles.articles a JOIN articles.sources s ON s.id = a.source_id
WHERE a.withdrawn_at IS NULL;
