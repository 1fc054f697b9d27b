-- +goose Up
-- A translation that an editor typed: title and summary. One that the source gives takes its place.
ALTER TABLE articles.articles ADD by_editor boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE articles.articles DROP by_editor;
