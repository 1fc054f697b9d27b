-- +goose Up
-- What somebody changes is noted by the tables themselves: no page, command or operation can forget to. A change is noted when its transaction says for whom it is
-- made (silkpost.actor and silkpost.at); what the program does of itself is not. Values of columns that are not to be shown are kept out: secrets, and of
-- persons who are mailed everything but ids and states, so that nothing of somebody who is erased stays here.

-- A value as the log keeps it: addresses without what may be secret in them, and nothing long.
CREATE FUNCTION accounts.loggable(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN jsonb_typeof(value) = 'string' AND value #>> '{}' ~ '^[a-z][a-z0-9+.-]*://'
            THEN to_jsonb(left(regexp_replace(regexp_replace(value #>> '{}', '^([a-z][a-z0-9+.-]*://)[^/@]*@', '\1'), '[?#].*', '?…'), 500))
        WHEN length(value::text) > 1000 THEN to_jsonb(left(value::text, 1000) || '…')
        ELSE value END
$$;

-- The columns of a row that the log keeps, with what it may keep of them.
CREATE FUNCTION accounts.kept(line jsonb, shown text[], hidden text[], ignored text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(key, CASE WHEN ('*' = ANY (shown) OR key = ANY (shown)) AND key <> ALL (hidden) THEN accounts.loggable(value) ELSE '"…"'::jsonb END)
    FROM jsonb_each(line) WHERE key <> ALL (ignored) AND value <> 'null'
$$;

-- Writes a line for each row that a statement changed, or one for all when they are many.
-- +goose StatementBegin
CREATE FUNCTION accounts.note_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    most    CONSTANT integer := 100;
    keys    text[] := string_to_array(TG_ARGV[0], ',');
    shown   text[] := string_to_array(TG_ARGV[1], ',');
    hidden  text[] := string_to_array(TG_ARGV[2], ',');
    ignored text[] := string_to_array(TG_ARGV[3], ',');
    who     text := current_setting('silkpost.actor', true);
    since   timestamptz := current_setting('silkpost.at', true)::timestamptz;
    thing   text := TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME;
    done    text := CASE TG_OP WHEN 'INSERT' THEN 'added' WHEN 'UPDATE' THEN 'changed' ELSE 'removed' END;
    many    bigint;
BEGIN
    IF TG_OP = 'DELETE' THEN
        SELECT count(*) INTO many FROM old_rows;
    ELSE
        SELECT count(*) INTO many FROM new_rows;
    END IF;
    IF many = 0 THEN
        RETURN NULL;
    END IF;
    IF many > most THEN
        INSERT INTO accounts.log (at, actor, thing, what, after) VALUES (since, who, thing, done, jsonb_build_object('rows', many));
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO accounts.log (at, actor, thing, id, what, after)
        SELECT since, who, thing, accounts.key_of(line, keys), done, accounts.kept(line, shown, hidden, ignored) FROM (SELECT to_jsonb(n) AS line FROM new_rows n) rows;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO accounts.log (at, actor, thing, id, what, before)
        SELECT since, who, thing, accounts.key_of(line, keys), done, accounts.kept(line, shown, hidden, ignored) FROM (SELECT to_jsonb(o) AS line FROM old_rows o) rows;
    ELSE
        INSERT INTO accounts.log (at, actor, thing, id, what, before, after)
        SELECT since, who, thing, id, done, accounts.kept(was, shown, hidden, ignored), accounts.kept(became, shown, hidden, ignored)
        FROM (
            SELECT coalesce(b.id, a.id) AS id,
                (SELECT jsonb_object_agg(key, value) FROM jsonb_each(a.line) x WHERE b.line IS NULL OR b.line -> key IS DISTINCT FROM value) AS was,
                (SELECT jsonb_object_agg(key, value) FROM jsonb_each(b.line) x WHERE a.line IS NULL OR a.line -> key IS DISTINCT FROM value) AS became
            FROM (SELECT accounts.key_of(to_jsonb(o), keys) AS id, to_jsonb(o) AS line FROM old_rows o) a
            FULL JOIN (SELECT accounts.key_of(to_jsonb(n), keys) AS id, to_jsonb(n) AS line FROM new_rows n) b USING (id)
        ) pairs
        WHERE coalesce(was, '{}') - ignored <> '{}' OR coalesce(became, '{}') - ignored <> '{}';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- What a row is called.
CREATE FUNCTION accounts.key_of(line jsonb, keys text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(string_agg(coalesce(accounts.loggable(line -> key) #>> '{}', ''), ' ' ORDER BY place), '') FROM unnest(keys) WITH ORDINALITY k(key, place)
$$;

-- Has a table's changes noted. keys are the columns that name a row, shown those whose values may be kept ('*': all), hidden those whose may not, ignored those that are no
-- change worth a line. A room that makes a table calls this in its migration.
-- +goose StatementBegin
CREATE FUNCTION accounts.watch(room text, name text, keys text, shown text DEFAULT '*', hidden text DEFAULT '', ignored text DEFAULT '') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    act text;
BEGIN
    FOREACH act IN ARRAY '{INSERT,UPDATE,DELETE}'::text[] LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS logged_%s ON %I.%I', lower(act), room, name);
        EXECUTE format('CREATE TRIGGER logged_%s AFTER %s ON %I.%I REFERENCING %s FOR EACH STATEMENT WHEN (current_setting(''silkpost.actor'', true) <> '''') '
            'EXECUTE FUNCTION accounts.note_changes(%L, %L, %L, %L)', lower(act), act, room, name,
            CASE act WHEN 'INSERT' THEN 'NEW TABLE AS new_rows' WHEN 'DELETE' THEN 'OLD TABLE AS old_rows' ELSE 'OLD TABLE AS old_rows NEW TABLE AS new_rows' END,
            keys, shown, hidden, ignored);
    END LOOP;
END $$;
-- +goose StatementEnd

SELECT accounts.watch('accounts', 'accounts', 'id', 'roles,lists,language,zone,state', '', 'id,totp_step,signed_in_at,made_at');
SELECT accounts.watch('accounts', 'api_keys', 'id', '*', 'hash', 'id,used_at');
SELECT accounts.watch('articles', 'sources', 'slug', '*', '', 'id,etag,last_modified,polled_at,next_poll_at,failures,failure,body_hash,news_at,failing_since,changed_at,added,changed,created_at');
SELECT accounts.watch('articles', 'edits', 'article_id', '*', '', 'given,edited_at');
SELECT accounts.watch('articles', 'articles', 'slug', 'title,url,section,language,tags,withdrawn_at,urgent,pinned,archive,published_at,by_editor', '', 'id,content_hash,revision,updated_at,first_seen_at,language_key,text');
SELECT accounts.watch('feeds', 'feeds', 'slug', '*', '', 'id,changed_at,articles,version,language_keys');
SELECT accounts.watch('feeds', 'hubs', 'url', '*', '', 'asked,told,told_at,failures,failure');
SELECT accounts.watch('feeds', 'private', 'id', '*', 'token_hash', 'id,created_at');
SELECT accounts.watch('subscribers', 'lists', 'slug', '*', '', 'id');
SELECT accounts.watch('subscribers', 'organisations', 'id', '*', 'notes', 'id,name_key,created_at');
SELECT accounts.watch('subscribers', 'contacts', 'id', 'erased_at', '', 'id,created_at,email_key,domain_key,language_keys');
SELECT accounts.watch('subscribers', 'memberships', 'organisation_id,contact_id');
SELECT accounts.watch('subscribers', 'subscriptions', 'id', 'list_id,contact_id,state,rhythm,paused_until,catch_up', '', 'id,created_at,activation');
SELECT accounts.watch('subscribers', 'suppressions', 'id', 'reason,at,lifted_at', '', 'id');
SELECT accounts.watch('mailer', 'editions', 'id', '*', '', 'id,articles,variants,recipients,empty,waiting,created_at');
SELECT accounts.watch('mailer', 'arrangements', 'edition_id,group_id', '*', '', 'edition_id,group_id');
SELECT accounts.watch('mailer', 'texts', 'edition_id,language', '*', '', 'edition_id,language');
SELECT accounts.watch('mailer', 'pauses', 'list_id', '*', '', 'list_id,actor');
SELECT accounts.watch('mailer', 'themes', 'slug', '*', '', 'slug');
SELECT accounts.watch('mailer', 'limits', 'name', '*', '', 'name');
SELECT accounts.watch('mailer', 'destinations', 'name', 'paused_at,paused_until,by_hand', '', 'name,times,kind,code,reply');
SELECT accounts.watch('mailer', 'dkim_keys', 'domain,selector', '*', 'sealed', 'domain,selector,public,made_at');

-- +goose Down
DROP FUNCTION accounts.note_changes() CASCADE;
DROP FUNCTION accounts.watch(text, text, text, text, text, text);
DROP FUNCTION accounts.key_of(jsonb, text[]);
DROP FUNCTION accounts.kept(jsonb, text[], text[], text[]);
DROP FUNCTION accounts.loggable(jsonb);
