-- +goose Up

-- Articles can be withdrawn. A revision is a number that no state of an article ever shares with another: it changes with whatever
-- a feed shows of the article, its translations included.
CREATE SEQUENCE articles.revisions;
ALTER TABLE articles.articles
    ADD withdrawn_at timestamptz,                     -- null: published
    ADD revision bigint NOT NULL DEFAULT nextval('articles.revisions');

-- When each content of an article was first there. A content that returns brings its date back.
CREATE TABLE articles.versions (
    article_id   bigint NOT NULL REFERENCES articles.articles ON DELETE CASCADE,
    content_hash bytea NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (article_id, content_hash)
);
INSERT INTO articles.versions SELECT id, content_hash, updated_at FROM articles.articles;

CREATE INDEX articles_section ON articles.articles (section, published_at DESC, id DESC);
CREATE INDEX articles_language ON articles.articles (language_key, published_at DESC, id DESC);
CREATE INDEX articles_source ON articles.articles (source_id, published_at DESC, id DESC);
CREATE INDEX articles_tags ON articles.articles USING gin (tags);

CREATE OR REPLACE VIEW articles.available AS
SELECT a.id AS article_id, a.group_id, s.slug AS source, a.section, a.tags, a.language, a.language_key, a.archive,
       a.published_at, a.updated_at
FROM articles.articles a JOIN articles.sources s ON s.id = a.source_id
WHERE a.withdrawn_at IS NULL;

-- +goose Down
CREATE OR REPLACE VIEW articles.available AS
SELECT a.id AS article_id, a.group_id, s.slug AS source, a.section, a.tags, a.language, a.language_key, a.archive,
       a.published_at, a.updated_at
FROM articles.articles a JOIN articles.sources s ON s.id = a.source_id;
DROP INDEX articles.articles_section, articles.articles_language, articles.articles_source, articles.articles_tags;
DROP TABLE articles.versions;
ALTER TABLE articles.articles DROP withdrawn_at, DROP revision;
DROP SEQUENCE articles.revisions;
