-- +goose Up
-- How a source is.
ALTER TABLE articles.sources
    ADD held_why      text NOT NULL DEFAULT '',       -- what was unusual about those that are held
    ADD remark        text NOT NULL DEFAULT '',       -- what the last poll could not take in
    ADD failing_since timestamptz,                    -- the first of the polls in a row that failed
    ADD changed_at    timestamptz,                    -- when it last brought anything, and how much
    ADD added         integer NOT NULL DEFAULT 0,
    ADD changed       integer NOT NULL DEFAULT 0;

-- What came and is not published yet: it becomes an article when it is let through, as if it had come then.
CREATE TABLE articles.waiting (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id    bigint NOT NULL REFERENCES articles.sources ON DELETE CASCADE,
    external_key text NOT NULL,
    state        text NOT NULL CHECK (state IN ('unfinished', 'embargoed', 'held', 'discarded')),
    draft        jsonb NOT NULL,                      -- as the source gave it
    content_hash bytea NOT NULL,
    title        text NOT NULL,
    archive      boolean NOT NULL,
    publish_at   timestamptz,                         -- of one that is embargoed
    arrived_at   timestamptz NOT NULL,
    UNIQUE (source_id, external_key)
);
CREATE INDEX waiting_due ON articles.waiting (publish_at) WHERE state = 'embargoed';

-- Other keys by which a source has called an article, or calls it as well.
CREATE TABLE articles.aliases (
    source_id    bigint NOT NULL REFERENCES articles.sources ON DELETE CASCADE,
    external_key text NOT NULL,
    article_id   bigint NOT NULL REFERENCES articles.articles ON DELETE CASCADE,
    content_hash bytea NOT NULL,                      -- of what it last gave under this key
    PRIMARY KEY (source_id, external_key)
);
CREATE INDEX aliases_article ON articles.aliases (article_id);
CREATE INDEX articles_url ON articles.articles (url) WHERE url <> '';

-- +goose Down
DROP INDEX articles.articles_url;
DROP TABLE articles.aliases, articles.waiting;
ALTER TABLE articles.sources DROP held_why, DROP remark, DROP failing_since, DROP changed_at, DROP added,
    DROP changed;
