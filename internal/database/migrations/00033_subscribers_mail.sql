-- +goose Up
-- A subscription can also end by a mail to the address in List-Unsubscribe (RFC 2369).
ALTER TABLE subscribers.consents
    DROP CONSTRAINT consents_method_check,
    ADD CONSTRAINT consents_method_check
        CHECK (method IN ('import', 'one-click', 'page', 'form', 'confirmation', 'administrator', 'schedule', 'erasure', 'mail'));

-- +goose Down
ALTER TABLE subscribers.consents
    DROP CONSTRAINT consents_method_check,
    ADD CONSTRAINT consents_method_check
        CHECK (method IN ('import', 'one-click', 'page', 'form', 'confirmation', 'administrator', 'schedule', 'erasure'));
