-- +goose Up
-- Counting takes seconds; a reference would lock the edition's row for as long, and keep whoever works on it waiting. Editions are never deleted.
ALTER TABLE mailer.counted DROP CONSTRAINT counted_edition_id_fkey;

-- +goose Down
ALTER TABLE mailer.counted ADD CONSTRAINT counted_edition_id_fkey FOREIGN KEY (edition_id) REFERENCES mailer.editions;
