-- What a search looks for at the beginning of, each by an index: the e-mail address, the whole name and the last name (the
-- user name has one).
ALTER TABLE users ADD COLUMN name_key TEXT COLLATE "binary" NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN last_name_key TEXT COLLATE "binary" NOT NULL DEFAULT '';
UPDATE users SET last_name_key = LOWER(COALESCE(last_name, '')),
    name_key = LOWER(TRIM(COALESCE(first_name, '') || ' ' || COALESCE(last_name, '')));
CREATE INDEX users_by_email ON users (realm_id, email_key COLLATE "binary");
CREATE INDEX users_by_name ON users (realm_id, name_key);
CREATE INDEX users_by_last_name ON users (realm_id, last_name_key);
