-- +goose Up
ALTER TABLE mailer.editions
    ADD in_doubt text NOT NULL DEFAULT 'again';    -- the list's policy when it was planned

-- +goose Down
ALTER TABLE mailer.editions DROP in_doubt;
