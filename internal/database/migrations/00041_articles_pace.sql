-- +goose Up
-- What the next poll of a source goes by.
ALTER TABLE articles.sources
    ADD ttl       interval NOT NULL DEFAULT '0',      -- for how long the document last said that it need not be asked again
    ADD body_hash bytea,                              -- of what was there last; the same bytes say that nothing changed
    ADD news_at   timestamptz,                        -- the last poll that brought anything, else the first that went well
    ADD moved_url text NOT NULL DEFAULT '';           -- where permanent redirects lead to; '': they do not

-- +goose Down
ALTER TABLE articles.sources DROP ttl, DROP body_hash, DROP news_at, DROP moved_url;
