-- How often somebody set the user's password. Storing the same password anew, in a better form, does not count: a sign-in
-- that proved the one before stands on this number.
ALTER TABLE users ADD COLUMN password_changes BIGINT NOT NULL DEFAULT 0;
