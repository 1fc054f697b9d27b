-- +goose Up
-- A source whose articles come by the API: nobody asks for them.
ALTER TABLE articles.sources
    DROP CONSTRAINT sources_kind_check,
    ADD CONSTRAINT sources_kind_check CHECK (kind IN ('folder', 'feed', 'jcms', 'html', 'sitemap', 'api'));

-- +goose Down
DELETE FROM articles.sources WHERE kind = 'api' AND id NOT IN (SELECT source_id FROM articles.articles);
ALTER TABLE articles.sources
    DROP CONSTRAINT sources_kind_check,
    ADD CONSTRAINT sources_kind_check CHECK (kind IN ('folder', 'feed', 'jcms', 'html', 'sitemap')) NOT VALID; -- those with articles stay
