-- +goose Up
-- An edition made by hand that has words of its own goes with them alone to recipients for whom none of its articles is left.
ALTER TABLE mailer.editions ADD COLUMN words_alone boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE mailer.editions DROP COLUMN words_alone;
