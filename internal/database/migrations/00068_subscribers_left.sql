-- +goose Up
CREATE INDEX consents_left ON subscribers.consents (at) INCLUDE (subscription_id) WHERE state = 'unsubscribed';

-- +goose Down
DROP INDEX subscribers.consents_left;
