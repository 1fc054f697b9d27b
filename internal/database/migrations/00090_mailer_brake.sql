-- +goose Up
-- Refusals of addresses are believed until then, however many come one after the other: a person said so, or several pauses have changed nothing. A row whose name
-- is host:port is about all that goes over that relay.
ALTER TABLE mailer.destinations ADD believed_until timestamptz;
SELECT accounts.watch('mailer', 'destinations', 'name', 'paused_at,paused_until,by_hand,believed_until', '', 'name,times,kind,code,reply');

-- +goose Down
ALTER TABLE mailer.destinations DROP believed_until;
SELECT accounts.watch('mailer', 'destinations', 'name', 'paused_at,paused_until,by_hand', '', 'name,times,kind,code,reply');
