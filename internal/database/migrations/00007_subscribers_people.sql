-- +goose Up
ALTER TABLE subscribers.organisations
    ADD names jsonb NOT NULL DEFAULT '{}',             -- language → words, beside the one that it is known by
    ADD web_site text NOT NULL DEFAULT '',
    ADD languages text[] NOT NULL DEFAULT '{}',        -- canonical BCP 47
    ADD kind text NOT NULL DEFAULT '',                 -- museum, university, …: the administrators' own words
    ADD agreed_on date,                                -- the agreement, from and until when
    ADD agreed_until date,
    ADD notes text NOT NULL DEFAULT '',
    ADD tags text[] NOT NULL DEFAULT '{}',
    ADD CHECK (agreed_until >= agreed_on);

-- An erased contact is a row without a person: its id stands in the account of messages and in the log of consents.
ALTER TABLE subscribers.contacts
    ALTER email DROP NOT NULL,
    ALTER email_key DROP NOT NULL,
    ADD domain_key text GENERATED ALWAYS AS (substring(email_key FROM '[^@]*$')) STORED,
    ADD erased_at timestamptz,
    ADD CHECK ((email IS NULL) = (erased_at IS NOT NULL) AND (email_key IS NULL) = (erased_at IS NOT NULL));
CREATE INDEX contacts_domain ON subscribers.contacts (domain_key);

ALTER TABLE subscribers.lists
    ADD description jsonb NOT NULL DEFAULT '{}',       -- language → words
    ADD theme text NOT NULL DEFAULT '',
    ADD min_articles integer NOT NULL DEFAULT 1 CHECK (min_articles >= 1),
    ADD max_articles integer NOT NULL DEFAULT 0 CHECK (max_articles = 0 OR max_articles >= min_articles);  -- 0: no limit

ALTER TABLE subscribers.subscriptions
    DROP CONSTRAINT subscriptions_state_check,
    ADD CONSTRAINT subscriptions_state_check CHECK (state IN ('pending', 'active', 'paused', 'unsubscribed')),
    ADD paused_until timestamptz,                      -- null: until they come back by themselves
    ADD CHECK (paused_until IS NULL OR state = 'paused');
CREATE INDEX subscriptions_paused ON subscribers.subscriptions (paused_until) WHERE paused_until IS NOT NULL;

ALTER TABLE subscribers.consents
    DROP CONSTRAINT consents_state_check,
    ADD CONSTRAINT consents_state_check CHECK (state IN ('pending', 'active', 'paused', 'unsubscribed')),
    DROP CONSTRAINT consents_method_check,
    ADD CONSTRAINT consents_method_check
        CHECK (method IN ('import', 'one-click', 'page', 'form', 'confirmation', 'administrator', 'schedule', 'erasure')),
    ADD origin text NOT NULL DEFAULT '',               -- the file, the form, the page
    ADD network text NOT NULL DEFAULT '',              -- of the person's address, cut to /24 or /48
    ADD actor text NOT NULL DEFAULT '';                -- '' is the person, else the administrator's id or the program's part

-- Who must not be mailed, whatever they subscribed to.
CREATE TABLE subscribers.suppressions (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    address_key  text,                                 -- of one address,
    domain_key   text,                                 -- or of a whole domain,
    address_hash bytea,                                -- or of an address that was erased
    reason       text NOT NULL CHECK (reason IN ('hard bounce', 'complaint', 'manual', 'erased')),
    origin       text NOT NULL DEFAULT '',             -- the message, the file or the person that it comes from
    at           timestamptz NOT NULL,
    lifted_at    timestamptz,                          -- null: in force
    lifted_by    text NOT NULL DEFAULT '',
    CHECK (num_nonnulls(address_key, domain_key, address_hash) = 1 AND (address_hash IS NOT NULL) = (reason = 'erased'))
);
CREATE UNIQUE INDEX suppressions_address ON subscribers.suppressions (address_key, reason) WHERE lifted_at IS NULL;
CREATE UNIQUE INDEX suppressions_domain ON subscribers.suppressions (domain_key, reason) WHERE lifted_at IS NULL;
CREATE UNIQUE INDEX suppressions_hash ON subscribers.suppressions (address_hash) WHERE lifted_at IS NULL;

-- What hashes of erased addresses are keyed with. It is never changed, or they would no longer be known.
CREATE TABLE subscribers.erasure_key (
    key bytea NOT NULL CHECK (length(key) = 32)
);
INSERT INTO subscribers.erasure_key
SELECT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));

CREATE OR REPLACE VIEW subscribers.mailable AS
SELECT s.id AS subscription_id, s.list_id, s.contact_id, c.email, c.name, c.languages, c.language_keys, c.time_zone,
       c.delivery_hour, s.rhythm, s.topics, s.activation
FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id
WHERE s.state = 'active' AND c.erased_at IS NULL
  AND NOT EXISTS (SELECT FROM subscribers.suppressions x WHERE x.lifted_at IS NULL AND x.address_key = c.email_key)
  AND NOT EXISTS (SELECT FROM subscribers.suppressions x WHERE x.lifted_at IS NULL AND x.domain_key = c.domain_key);

CREATE OR REPLACE VIEW subscribers.addresses AS
SELECT id AS contact_id, coalesce(email, '') AS email, name FROM subscribers.contacts;

-- +goose Down
CREATE OR REPLACE VIEW subscribers.addresses AS
SELECT id AS contact_id, email, name FROM subscribers.contacts;
CREATE OR REPLACE VIEW subscribers.mailable AS
SELECT s.id AS subscription_id, s.list_id, s.contact_id, c.email, c.name, c.languages, c.language_keys, c.time_zone,
       c.delivery_hour, s.rhythm, s.topics, s.activation
FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id
WHERE s.state = 'active';
DROP TABLE subscribers.erasure_key, subscribers.suppressions;
ALTER TABLE subscribers.consents
    DROP origin, DROP network, DROP actor,
    DROP CONSTRAINT consents_state_check, DROP CONSTRAINT consents_method_check;
UPDATE subscribers.subscriptions SET state = 'unsubscribed', paused_until = NULL WHERE state = 'paused';
ALTER TABLE subscribers.subscriptions
    DROP paused_until,
    DROP CONSTRAINT subscriptions_state_check,
    ADD CONSTRAINT subscriptions_state_check CHECK (state IN ('pending', 'active', 'unsubscribed'));
ALTER TABLE subscribers.lists DROP description, DROP theme, DROP min_articles, DROP max_articles;
ALTER TABLE subscribers.contacts DROP domain_key, DROP erased_at;
ALTER TABLE subscribers.organisations
    DROP names, DROP web_site, DROP languages, DROP kind, DROP agreed_on, DROP agreed_until, DROP notes, DROP tags;
