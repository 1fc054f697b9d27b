-- +goose Up
-- Items of feeds whose whole text is on the page that they link to.
CREATE TABLE articles.full_texts (
    source_id    bigint NOT NULL REFERENCES articles.sources ON DELETE CASCADE,
    external_key text NOT NULL,
    item_hash    bytea NOT NULL,                      -- of what the feed gave
    done         boolean NOT NULL,                    -- the article has what is better of the item and its page
    tries        integer NOT NULL,                    -- that failed
    next_try_at  timestamptz,                         -- null: there is nothing more to be read
    failure      text NOT NULL,                       -- why the last one failed
    PRIMARY KEY (source_id, external_key)
);
CREATE INDEX full_texts_due ON articles.full_texts (source_id, next_try_at) WHERE next_try_at IS NOT NULL;

-- +goose Down
DROP TABLE articles.full_texts;
