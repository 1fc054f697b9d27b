-- +goose Up
ALTER TABLE subscribers.lists
    ADD approval_within integer NOT NULL DEFAULT 0 CHECK (approval_within >= 0),   -- seconds; 0: an edition waits for as long as it takes
    ADD unapproved text NOT NULL DEFAULT 'hold' CHECK (unapproved IN ('hold', 'send', 'cancel'));  -- what becomes of it then

-- +goose Down
ALTER TABLE subscribers.lists DROP approval_within, DROP unapproved;
