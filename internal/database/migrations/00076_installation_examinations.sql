-- +goose Up
-- What the doctor found when it was last asked.
CREATE TABLE installation.examinations (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    at       timestamptz NOT NULL,
    findings jsonb NOT NULL
);

-- +goose Down
DROP TABLE installation.examinations;
