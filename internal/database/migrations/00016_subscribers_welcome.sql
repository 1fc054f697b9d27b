-- +goose Up
ALTER TABLE subscribers.lists
    ADD welcome text NOT NULL DEFAULT 'on' CHECK (welcome IN ('off', 'on', 'last-edition'));  -- to whoever has confirmed a subscription

-- +goose Down
ALTER TABLE subscribers.lists DROP welcome;
