-- +goose Up
-- Senders sleep while nothing is due. Whatever lets an edition go out wakes them, wherever it is done; hours that come by themselves are looked for.
-- +goose StatementBegin
CREATE FUNCTION mailer.wake_senders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('silkpost_due', '');
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER editions_due AFTER INSERT OR UPDATE OF state, paused ON mailer.editions
    FOR EACH ROW WHEN (NEW.state IN ('approved', 'sending') AND NOT NEW.paused) EXECUTE FUNCTION mailer.wake_senders();
CREATE TRIGGER pauses_over AFTER DELETE ON mailer.pauses FOR EACH ROW EXECUTE FUNCTION mailer.wake_senders();

-- +goose Down
DROP TRIGGER pauses_over ON mailer.pauses;
DROP TRIGGER editions_due ON mailer.editions;
DROP FUNCTION mailer.wake_senders();
