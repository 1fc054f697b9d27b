-- +goose Up
-- When each version of an article came, also of those that were withdrawn since.
CREATE VIEW articles.arrivals AS
SELECT group_id, first_seen_at FROM articles.articles;

-- +goose Down
DROP VIEW articles.arrivals;
