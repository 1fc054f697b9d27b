-- +goose Up
-- What articles are found by: their words, as articles.terms in Go makes them, and what they are filtered by ('=source:site'). A row is small
-- beside its words, which are mostly kept apart, and has the date by which what is found is sorted, so that a word that every article has
-- costs no reading of articles.
CREATE TABLE articles.search (
    article_id   bigint PRIMARY KEY REFERENCES articles.articles ON DELETE CASCADE,
    published_at timestamptz NOT NULL,
    words        tsvector NOT NULL
) WITH (toast_tuple_target = 128);
CREATE INDEX search_words ON articles.search USING gin (words);

-- +goose Down
DROP TABLE articles.search;
