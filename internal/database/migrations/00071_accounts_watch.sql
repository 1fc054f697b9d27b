-- +goose Up
SELECT accounts.watch('subscribers', 'audiences', 'id', '*', '', 'id');
SELECT accounts.watch('subscribers', 'uploads', 'id', 'state,list_id,size', '', 'id,made_at,made_by,read,rows,writing,result');

-- +goose Down
-- +goose StatementBegin
DO $$
DECLARE
    name text; act text;
BEGIN
    FOREACH name IN ARRAY '{audiences,uploads}'::text[] LOOP
        FOREACH act IN ARRAY '{insert,update,delete}'::text[] LOOP
            EXECUTE format('DROP TRIGGER logged_%s ON %I.%I', act, 'subscribers', name);
        END LOOP;
    END LOOP;
END $$;
-- +goose StatementEnd
