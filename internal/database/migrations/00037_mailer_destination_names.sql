-- +goose Up
-- Names of destinations are compared byte by byte, as those of domains are: so an index finds them.
ALTER TABLE mailer.destinations ALTER name TYPE text COLLATE "C";

-- +goose Down
ALTER TABLE mailer.destinations ALTER name TYPE text;
