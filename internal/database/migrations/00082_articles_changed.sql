-- +goose Up
-- When a source last brought anything is known once: changed_at, or created_at of one that never did, says how patiently it is asked.
ALTER TABLE articles.sources DROP news_at;

-- +goose Down
ALTER TABLE articles.sources ADD news_at timestamptz;
UPDATE articles.sources SET news_at = coalesce(changed_at, polled_at);
