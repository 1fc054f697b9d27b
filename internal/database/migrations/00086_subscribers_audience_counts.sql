-- +goose Up
-- How many people each audience with a name is, counted anew now and then: a page may not count a million people.
CREATE TABLE subscribers.audience_counts (
    audience_id bigint PRIMARY KEY REFERENCES subscribers.audiences ON DELETE CASCADE,
    filter      text NOT NULL,                        -- that was counted
    people      bigint,                               -- NULL: it finds nobody any more, for it names what is gone
    at          timestamptz NOT NULL
);

-- +goose Down
DROP TABLE subscribers.audience_counts;
