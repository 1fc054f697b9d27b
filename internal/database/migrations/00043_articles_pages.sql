-- +goose Up
-- What a source needs to know of its site: where its listing has what, which pages count.
ALTER TABLE articles.sources
    ADD settings jsonb NOT NULL DEFAULT '{}',
    DROP CONSTRAINT sources_kind_check,
    ADD CONSTRAINT sources_kind_check CHECK (kind IN ('folder', 'feed', 'jcms', 'html', 'sitemap'));

-- The pages that the listings of sites lead to. A page that is here is not read again unless its listing says something new of it.
CREATE TABLE articles.pages (
    source_id bigint NOT NULL REFERENCES articles.sources ON DELETE CASCADE,
    key text NOT NULL, -- what its article is known by
    url text NOT NULL,
    stamp text NOT NULL, -- what the listing said of it
    archive boolean NOT NULL, -- its article is not new to readers
    seen_at timestamptz NOT NULL,
    waits boolean NOT NULL, -- to be read
    failures int NOT NULL DEFAULT 0,
    failure text NOT NULL DEFAULT '',
    etag text NOT NULL DEFAULT '',
    last_modified text NOT NULL DEFAULT '',
    PRIMARY KEY (source_id, key)
);
CREATE INDEX pages_waiting ON articles.pages (source_id) WHERE waits;

-- +goose Down
DROP TABLE articles.pages;
DELETE FROM articles.sources WHERE kind NOT IN ('folder', 'feed') AND id NOT IN (SELECT source_id FROM articles.articles);
ALTER TABLE articles.sources
    DROP settings,
    DROP CONSTRAINT sources_kind_check,
    ADD CONSTRAINT sources_kind_check CHECK (kind IN ('folder', 'feed')) NOT VALID; -- those with articles stay
