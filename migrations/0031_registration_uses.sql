-- How many clients an initial access token was given for; NULL: it is from before this was kept.

ALTER TABLE registration_tokens ADD COLUMN uses BIGINT;
