-- +goose Up
CREATE SCHEMA feeds;

CREATE TABLE feeds.feeds (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug          text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    title         jsonb NOT NULL DEFAULT '{}',        -- language → words; without any the slug stands in
    -- the selection; an empty array selects everything
    sections      text[] NOT NULL DEFAULT '{}',
    tags          text[] NOT NULL DEFAULT '{}',
    languages     text[] NOT NULL DEFAULT '{}',
    language_keys text[] NOT NULL DEFAULT '{}',        -- language and script of each, for comparing
    sources       text[] NOT NULL DEFAULT '{}',
    content       text NOT NULL DEFAULT 'full' CHECK (content IN ('full', 'summary')),
    item_limit    integer NOT NULL DEFAULT 50 CHECK (item_limit BETWEEN 1 AND 1000),
    changed_at    timestamptz NOT NULL DEFAULT 'epoch', -- when the definition last changed; epoch: never since it was installed
    CHECK (cardinality(languages) = cardinality(language_keys))
);

INSERT INTO feeds.feeds (slug, title) VALUES ('all', '{"en": "All articles"}');

-- +goose Down
DROP SCHEMA feeds CASCADE;
