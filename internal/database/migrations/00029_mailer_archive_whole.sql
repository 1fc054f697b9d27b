-- +goose Up
-- What is shown as links alone belongs to an edition, too; what an editor took out of it does not, nor what goes to a part of the readers alone.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION mailer.archive_edition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.audience <> '' OR NEW.corrects IS NOT NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO mailer.archived (edition_id, article_id, group_id, place)
    SELECT NEW.id, held.article, min(held.in_group), max(held.place)
    FROM mailer.variants v, unnest(v.articles || v.more, v.groups) WITH ORDINALITY AS held (article, in_group, place)
    WHERE v.edition_id = NEW.id AND NOT v.retired AND held.article IS NOT NULL AND held.in_group IS NOT NULL GROUP BY held.article
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION mailer.archive_edition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.audience <> '' OR NEW.corrects IS NOT NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO mailer.archived (edition_id, article_id, group_id, place)
    SELECT NEW.id, held.article, min(held.in_group), max(held.place)
    FROM mailer.variants v, unnest(v.articles, v.groups) WITH ORDINALITY AS held (article, in_group, place)
    WHERE v.edition_id = NEW.id GROUP BY held.article
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd
