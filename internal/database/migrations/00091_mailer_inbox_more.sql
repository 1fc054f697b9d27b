-- +goose Up
-- Of mail to one address of ours so many are kept in a day; with the last one is counted how many came besides.
ALTER TABLE mailer.inbox ADD more integer NOT NULL DEFAULT 0;
CREATE INDEX inbox_recipient ON mailer.inbox (recipient, at);

-- +goose Down
DROP INDEX mailer.inbox_recipient;
ALTER TABLE mailer.inbox DROP more;
