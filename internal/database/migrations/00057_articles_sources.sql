-- +goose Up
-- A source that is paused is not polled until somebody says so. One that was removed is not listed either; what came from it stays, and
-- needs the row.
ALTER TABLE articles.sources
    ADD paused_at  timestamptz,                       -- null: it is polled
    ADD removed_at timestamptz;                       -- null: it is there

-- How much a source has published, without reading the articles.
CREATE INDEX articles_published ON articles.articles (source_id) WHERE withdrawn_at IS NULL;

-- +goose Down
DROP INDEX articles.articles_published;
ALTER TABLE articles.sources DROP paused_at, DROP removed_at;
