-- +goose Up
CREATE SCHEMA articles;

CREATE TABLE articles.sources (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug           text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    kind           text NOT NULL CHECK (kind IN ('folder', 'feed')),
    url            text NOT NULL DEFAULT '',
    section        text NOT NULL DEFAULT '',          -- for articles that name none
    language       text NOT NULL DEFAULT '',          -- for articles that name none; '' detects
    every          interval NOT NULL DEFAULT '15 min',
    -- what the last polls of the url left behind
    etag           text NOT NULL DEFAULT '',
    last_modified  text NOT NULL DEFAULT '',
    polled_at      timestamptz,                       -- the last that went well; null: none did, the next is archive
    next_poll_at   timestamptz,                       -- null: never polled by itself
    failures       integer NOT NULL DEFAULT 0,        -- polls in a row that failed
    failure        text NOT NULL DEFAULT '',          -- why the last poll failed, '' when it did not
    created_at     timestamptz NOT NULL
);
CREATE INDEX sources_due ON articles.sources (next_poll_at);

-- Articles that are translations of one another have the same group; an article without translations has one to itself.
-- An article never leaves its group: what was sent of it is known by that.
CREATE SEQUENCE articles.groups;

CREATE TABLE articles.articles (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id     bigint NOT NULL REFERENCES articles.sources,
    external_key  text NOT NULL,                      -- what the source calls it
    group_id      bigint NOT NULL,                    -- fixed at first sight, for ever
    guid          text NOT NULL UNIQUE,               -- fixed at first sight, for ever
    slug          text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    url           text NOT NULL DEFAULT '',           -- the source's own page; '' when it has none
    title         text NOT NULL CHECK (title <> ''),
    summary       text NOT NULL DEFAULT '',
    html          text NOT NULL DEFAULT '',           -- cleaned on the way in
    text          text NOT NULL DEFAULT '',
    language      text NOT NULL,                      -- canonical BCP 47
    language_key  text NOT NULL,                      -- language and script, for comparing
    section       text NOT NULL DEFAULT '',
    tags          text[] NOT NULL DEFAULT '{}',
    authors       text[] NOT NULL DEFAULT '{}',
    image_url     text NOT NULL DEFAULT '',
    image_alt     text NOT NULL DEFAULT '',
    published_at  timestamptz NOT NULL,               -- the source's date, else first_seen_at
    updated_at    timestamptz NOT NULL,
    first_seen_at timestamptz NOT NULL,
    content_hash  bytea NOT NULL,                     -- of what the source gave; equal means unchanged
    archive       boolean NOT NULL,                   -- in feeds, never due for a digest
    UNIQUE (source_id, external_key)
);
CREATE INDEX articles_newest ON articles.articles (published_at DESC, id DESC);
CREATE INDEX articles_group ON articles.articles (group_id);

-- Which group a new article with a source's translation key comes into: that of the first article that had the key, for ever.
CREATE TABLE articles.translation_keys (
    source_id bigint NOT NULL REFERENCES articles.sources,
    key       text NOT NULL,
    group_id  bigint NOT NULL,
    PRIMARY KEY (source_id, key)
);

-- What other rooms may read in their whole statements.
CREATE VIEW articles.available AS
SELECT a.id AS article_id, a.group_id, s.slug AS source, a.section, a.tags, a.language, a.language_key, a.archive,
       a.published_at, a.updated_at
FROM articles.articles a JOIN articles.sources s ON s.id = a.source_id;

-- +goose Down
DROP SCHEMA articles CASCADE;
