-- +goose Up
ALTER TABLE subscribers.lists ADD archive boolean NOT NULL DEFAULT false;  -- everybody may read its editions

-- +goose Down
ALTER TABLE subscribers.lists DROP archive;
