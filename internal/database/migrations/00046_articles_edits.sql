-- +goose Up
ALTER TABLE articles.articles
    ADD urgent boolean NOT NULL DEFAULT false,        -- first in digests; alerts do not wait for others
    ADD pinned boolean NOT NULL DEFAULT false;        -- before the others in digests

-- What an article was before it was changed.
CREATE TABLE articles.former (
    article_id   bigint NOT NULL REFERENCES articles.articles ON DELETE CASCADE,
    number       integer NOT NULL,                    -- 1 is what it was first
    title        text NOT NULL,
    summary      text NOT NULL,
    html         text NOT NULL,
    text         text NOT NULL,
    section      text NOT NULL,
    url          text NOT NULL,
    language     text NOT NULL,
    tags         text[] NOT NULL,
    authors      text[] NOT NULL,
    image_url    text NOT NULL,
    image_alt    text NOT NULL,
    published_at timestamptz NOT NULL,
    replaced_at  timestamptz NOT NULL,
    replaced_by  text NOT NULL,                       -- 'source', or who edited it
    PRIMARY KEY (article_id, number)
);

-- What an editor wrote over what the source gives. It stays until it is taken back.
CREATE TABLE articles.edits (
    article_id        bigint PRIMARY KEY REFERENCES articles.articles ON DELETE CASCADE,
    fields            jsonb NOT NULL,                 -- what the editor wrote
    given             jsonb NOT NULL,                 -- those fields as the source gives them
    edited_at         timestamptz NOT NULL,
    edited_by         text NOT NULL,
    source_changed_at timestamptz                     -- the source gives something else since; null: it does not
);

CREATE OR REPLACE VIEW articles.available AS
SELECT a.id AS article_id, a.group_id, s.slug AS source, a.section, a.tags, a.language, a.language_key, a.archive,
       a.published_at, a.updated_at, a.first_seen_at, a.urgent, a.pinned
FROM articles.articles a JOIN articles.sources s ON s.id = a.source_id
WHERE a.withdrawn_at IS NULL;

-- +goose Down
DROP VIEW articles.available;
CREATE VIEW articles.available AS
SELECT a.id AS article_id, a.group_id, s.slug AS source, a.section, a.tags, a.language, a.language_key, a.archive,
       a.published_at, a.updated_at, a.first_seen_at
FROM articles.articles a JOIN articles.sources s ON s.id = a.source_id
WHERE a.withdrawn_at IS NULL;
DROP TABLE articles.edits, articles.former;
ALTER TABLE articles.articles DROP urgent, DROP pinned;
