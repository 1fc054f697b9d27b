-- +goose Up
-- As of deliveries, the account of notices to an erased contact keeps what happened, but no words that may name them. The mark is on the notice
-- itself, so that an outcome that comes later knows it too.
ALTER TABLE mailer.notices ADD erased boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE mailer.notices DROP erased;
