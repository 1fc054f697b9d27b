-- +goose Up
-- Feeds of sections, languages, tags and sources are rows like the declared ones. They come with their first article.
ALTER TABLE feeds.feeds
    DROP CONSTRAINT feeds_slug_check,
    ADD CONSTRAINT feeds_slug_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' OR kind = 'language'),
    ADD kind text NOT NULL DEFAULT 'declared' CHECK (kind IN ('declared', 'section', 'language', 'tag', 'source')),
    ADD articles integer NOT NULL DEFAULT 0,           -- how many match
    ADD version bigint NOT NULL DEFAULT 0,             -- the generation that touched it last
    ADD removed_at timestamptz,                        -- null: served
    ADD first_slug text,                               -- readers know the feed by it, whatever it is called now
    -- what an article must have to be in the feed, one of it at least: a slug of its virtual feeds, a tag, a section and so on. '' is all
    ADD found_by text[] GENERATED ALWAYS AS (CASE
        WHEN kind <> 'declared' THEN ARRAY[slug] WHEN tags <> '{}' THEN tags WHEN sections <> '{}' THEN sections
        WHEN sources <> '{}' THEN sources WHEN language_keys <> '{}' THEN language_keys ELSE ARRAY[''] END) STORED;
CREATE INDEX feeds_found_by ON feeds.feeds USING gin (found_by) WITH (fastupdate = off);
ALTER TABLE feeds.feeds SET (fillfactor = 70);         -- room to mark a feed beside its old row, which leaves the indexes alone
UPDATE feeds.feeds SET first_slug = slug;
ALTER TABLE feeds.feeds ALTER first_slug SET NOT NULL;

-- Slugs that feeds had before. They lead to the feed for ever.
CREATE TABLE feeds.old_slugs (
    slug    text PRIMARY KEY,
    feed_id bigint NOT NULL REFERENCES feeds.feeds
);

-- One row: how often feeds were touched. Whoever touches feeds holds it until its transaction ends, so generations are committed
-- in their order.
CREATE TABLE feeds.generation (
    number bigint NOT NULL
);
INSERT INTO feeds.generation VALUES (0);

-- WebSub hubs, and how telling them goes.
CREATE TABLE feeds.hubs (
    url      text PRIMARY KEY,
    asked    bigint NOT NULL DEFAULT 0,                -- the newest generation that somebody began to tell it of
    told     bigint NOT NULL DEFAULT 0,                -- the generation up to which it knows everything
    told_at  timestamptz,                              -- since when; null: it never did
    failures integer NOT NULL DEFAULT 0,               -- in a row
    failure  text NOT NULL DEFAULT ''                  -- why the last one was
);

-- What each document said when a hub was last told of it: a hash.
CREATE TABLE feeds.told (
    hub     text NOT NULL REFERENCES feeds.hubs ON DELETE CASCADE,
    feed_id bigint NOT NULL REFERENCES feeds.feeds ON DELETE CASCADE,
    format  text NOT NULL,
    hash    bytea NOT NULL,
    PRIMARY KEY (hub, feed_id, format)
);

-- Feeds of one organisation: what a list sends it. Only a hash of the token is kept.
CREATE TABLE feeds.private (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash      bytea NOT NULL UNIQUE,
    organisation_id bigint NOT NULL,
    list_id         bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    revoked_at      timestamptz                        -- null: served
);

-- +goose Down
DROP TABLE feeds.private, feeds.told, feeds.hubs, feeds.generation, feeds.old_slugs;
DELETE FROM feeds.feeds WHERE kind <> 'declared' OR removed_at IS NOT NULL;
ALTER TABLE feeds.feeds RESET (fillfactor);
ALTER TABLE feeds.feeds
    DROP CONSTRAINT feeds_slug_check,
    DROP found_by, DROP kind, DROP articles, DROP version, DROP removed_at, DROP first_slug,
    ADD CONSTRAINT feeds_slug_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$');
