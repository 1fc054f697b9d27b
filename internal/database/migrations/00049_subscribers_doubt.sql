-- +goose Up
ALTER TABLE subscribers.lists
    ADD in_doubt text NOT NULL DEFAULT 'again' CHECK (in_doubt IN ('again', 'leave'));   -- what becomes of a delivery of which nobody knows whether it arrived

-- +goose Down
ALTER TABLE subscribers.lists DROP in_doubt;
