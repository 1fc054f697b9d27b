-- +goose Up
-- What an edition held when its first message went out, whoever got it: all that the list's public archive knows of it. The variants have it
-- too, but there may be thousands of an edition.
CREATE TABLE mailer.archived (
    edition_id uuid NOT NULL REFERENCES mailer.editions,
    article_id bigint NOT NULL,
    group_id   bigint NOT NULL,
    place      bigint NOT NULL,                       -- in the longest digest that has it
    PRIMARY KEY (edition_id, article_id)
);
CREATE INDEX editions_out ON mailer.editions (list_id, id DESC) WHERE state IN ('sending', 'sent');

-- +goose StatementBegin
CREATE FUNCTION mailer.archive_edition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- What goes to a part of the readers alone is not everybody's; what an editor took out of an edition does not belong to it.
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
CREATE TRIGGER editions_archive AFTER UPDATE OF state ON mailer.editions
    FOR EACH ROW WHEN (NEW.state = 'sending' AND OLD.state <> 'sending') EXECUTE FUNCTION mailer.archive_edition();

INSERT INTO mailer.archived (edition_id, article_id, group_id, place)
SELECT e.id, held.article, min(held.in_group), max(held.place)
FROM mailer.editions e JOIN mailer.variants v ON v.edition_id = e.id,
     unnest(v.articles || v.more, v.groups) WITH ORDINALITY AS held (article, in_group, place)
WHERE e.state IN ('sending', 'sent') GROUP BY e.id, held.article;

-- +goose Down
DROP TRIGGER editions_archive ON mailer.editions;
DROP FUNCTION mailer.archive_edition();
DROP INDEX mailer.editions_out;
DROP TABLE mailer.archived;
