-- Whether people of the realm may have the same e-mail address; nobody signs in by one then.

ALTER TABLE realms ADD COLUMN duplicate_emails BIGINT NOT NULL DEFAULT 0;
