-- +goose Up
-- How digests look. A list names its theme; what a definition holds is templates.Theme.
CREATE TABLE mailer.themes (
    slug       text PRIMARY KEY,
    definition jsonb NOT NULL
);

-- +goose Down
DROP TABLE mailer.themes;
