-- +goose Up
-- When the last message to a subscription was accepted. A row is written with the outcome, in the same statement: nobody can look through all
-- deliveries there ever were to learn it.
CREATE TABLE mailer.reached (
    subscription_id bigint PRIMARY KEY,
    contact_id      bigint NOT NULL,
    list_id         bigint NOT NULL,
    sent_at         timestamptz NOT NULL
) WITH (fillfactor = 80);                             -- room for the next time: no index knows sent_at

-- Of an erased contact the account keeps what happened, but no words that may name them: a server's reply can quote the address. The mark is
-- on the delivery itself, so that an outcome that comes later knows it too.
ALTER TABLE mailer.deliveries ADD erased boolean NOT NULL DEFAULT false;

INSERT INTO mailer.reached (subscription_id, contact_id, list_id, sent_at)
SELECT d.subscription_id, d.contact_id, e.list_id, max(d.settled_at)
FROM mailer.deliveries d JOIN mailer.editions e ON e.id = d.edition_id
WHERE d.state = 'sent' AND d.settled_at IS NOT NULL
GROUP BY d.subscription_id, d.contact_id, e.list_id
ON CONFLICT DO NOTHING;

-- When each contact was last sent something, by list: what other rooms may read in their whole statements.
CREATE VIEW mailer.last_sent AS
SELECT subscription_id, contact_id, list_id, sent_at FROM mailer.reached;

-- +goose Down
DROP VIEW mailer.last_sent;
DROP TABLE mailer.reached;
ALTER TABLE mailer.deliveries DROP erased;
