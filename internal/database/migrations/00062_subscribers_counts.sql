-- +goose Up
-- How many subscriptions of a list are in each state, kept while they change: a page may not count a million rows. Changes are only ever appended, so
-- that nobody waits for anybody; whoever tidies up puts them together.
CREATE TABLE subscribers.counts (
    list_id bigint NOT NULL,
    state   text NOT NULL,
    n       bigint NOT NULL                           -- to be added up
);
CREATE INDEX counts_list ON subscribers.counts (list_id, state) INCLUDE (n);

INSERT INTO subscribers.counts (list_id, state, n) SELECT list_id, state, count(*) FROM subscribers.subscriptions GROUP BY list_id, state;

-- +goose StatementBegin
CREATE FUNCTION subscribers.count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO subscribers.counts (list_id, state, n) SELECT list_id, state, count(*) FROM after GROUP BY list_id, state;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION subscribers.count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO subscribers.counts (list_id, state, n) SELECT list_id, state, -count(*) FROM before GROUP BY list_id, state;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION subscribers.count_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO subscribers.counts (list_id, state, n)
    SELECT list_id, state, sum(n)
    FROM (SELECT list_id, state, 1 AS n FROM after UNION ALL SELECT list_id, state, -1 FROM before) AS moved
    GROUP BY list_id, state HAVING sum(n) <> 0;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION subscribers.count_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM subscribers.counts;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER counted_added AFTER INSERT ON subscribers.subscriptions
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION subscribers.count_added();
CREATE TRIGGER counted_removed AFTER DELETE ON subscribers.subscriptions
    REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION subscribers.count_removed();
CREATE TRIGGER counted_changed AFTER UPDATE ON subscribers.subscriptions
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION subscribers.count_changed();
CREATE TRIGGER counted_nothing AFTER TRUNCATE ON subscribers.subscriptions
    FOR EACH STATEMENT EXECUTE FUNCTION subscribers.count_nothing();

-- +goose Down
DROP TRIGGER counted_added ON subscribers.subscriptions;
DROP TRIGGER counted_removed ON subscribers.subscriptions;
DROP TRIGGER counted_changed ON subscribers.subscriptions;
DROP TRIGGER counted_nothing ON subscribers.subscriptions;
DROP FUNCTION subscribers.count_added(), subscribers.count_removed(), subscribers.count_changed(), subscribers.count_nothing();
DROP TABLE subscribers.counts;
