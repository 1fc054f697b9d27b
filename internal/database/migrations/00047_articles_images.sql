-- +goose Up
-- Images that we serve, by what is in them.
CREATE TABLE articles.images (
    hash         text PRIMARY KEY,                    -- of body: 32 hexadecimal digits of its SHA-256
    ext          text NOT NULL CHECK (ext IN ('jpg', 'png')),
    body         bytea NOT NULL,
    width        integer NOT NULL,
    height       integer NOT NULL,
    stored_at    timestamptz NOT NULL,
    unused_since timestamptz                          -- no article shows it since; null: one does
);
CREATE INDEX images_unused ON articles.images (unused_since) WHERE unused_since IS NOT NULL;

-- Where they came from, and what could not be had.
CREATE TABLE articles.image_origins (
    url        text PRIMARY KEY,
    hash       text REFERENCES articles.images ON DELETE CASCADE, -- null: it could not be had
    failure    text NOT NULL DEFAULT '',
    tries      integer NOT NULL DEFAULT 0,
    fetched_at timestamptz NOT NULL
);
CREATE INDEX image_origins_hash ON articles.image_origins (hash);

-- Which articles show which.
CREATE TABLE articles.image_uses (
    article_id bigint NOT NULL REFERENCES articles.articles ON DELETE CASCADE,
    hash       text NOT NULL REFERENCES articles.images ON DELETE CASCADE,
    PRIMARY KEY (article_id, hash)
);
CREATE INDEX image_uses_hash ON articles.image_uses (hash);

-- Articles whose images are still to be fetched.
CREATE TABLE articles.image_tasks (
    article_id bigint PRIMARY KEY REFERENCES articles.articles ON DELETE CASCADE,
    next_at    timestamptz NOT NULL
);
CREATE INDEX image_tasks_due ON articles.image_tasks (next_at);

-- +goose Down
DROP TABLE articles.image_tasks, articles.image_uses, articles.image_origins, articles.images;
