-- +goose Up
-- All or none, within one statement: what a statement did is undone where it did not do all. So it needs no transaction around it, whose
-- begin and end would each be a way to the server and back.
-- +goose StatementBegin
CREATE FUNCTION mailer.all_or_none(did bigint, "all" bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF did < "all" THEN
        RAISE EXCEPTION 'only % of % outcomes could be written down plainly: all are done again, with what follows from them', did, "all" USING ERRCODE = 'SP001';
    END IF;
    RETURN did;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION mailer.all_or_none;
