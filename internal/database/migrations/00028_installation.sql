-- +goose Up
-- Which database this is. One that was restored, copied or promoted still says what it was copied from, and can tell by it.
CREATE SCHEMA installation;

CREATE TABLE installation.identity (
    one               boolean PRIMARY KEY DEFAULT true CHECK (one),  -- a single row
    id                uuid NOT NULL,                  -- another one after each adoption
    system_identifier text,                           -- of the server, given at initdb; null: it may not be asked
    timeline          text,                           -- a promotion and a recovery begin another one; null: likewise
    database_oid      bigint NOT NULL,                -- another one where a dump was restored
    place             text NOT NULL DEFAULT '',       -- of the private Postgres' files; '' for others
    held              text NOT NULL DEFAULT '',       -- why it was noted that this is another one; '': it was not
    since             timestamptz NOT NULL
);

-- What somebody asks at the public URL, to see whether it is this database that answers there.
CREATE TABLE installation.challenges (
    nonce   text PRIMARY KEY,
    made_at timestamptz NOT NULL
);

-- What the server says of itself. The timeline is that of the log being written: the control file's is behind after a promotion.
-- +goose StatementBegin
CREATE FUNCTION installation.present(OUT system_identifier text, OUT timeline text, OUT database_oid bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
    BEGIN
        system_identifier := (SELECT s.system_identifier FROM pg_control_system() s);
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    BEGIN
        IF NOT pg_is_in_recovery() THEN
            timeline := substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
        END IF;
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    database_oid := (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
END $$;
-- +goose StatementEnd

-- A held database sends nothing. A part that the server may not be asked for decides nothing.
CREATE VIEW installation.standing AS
SELECT i.id, i.held AS noted, i.place,
       i.system_identifier AS system_was, p.system_identifier AS system_is, i.timeline AS timeline_was, p.timeline AS timeline_is,
       i.database_oid AS database_was, p.database_oid AS database_is,
       i.held <> '' OR coalesce(i.system_identifier <> p.system_identifier, false) OR coalesce(i.timeline <> p.timeline, false)
       OR i.database_oid <> p.database_oid AS held
FROM installation.identity i, installation.present() p;

-- +goose Down
DROP SCHEMA installation CASCADE;
