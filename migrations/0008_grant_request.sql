-- What was granted beside the scopes, as JSON; NULL when there was nothing.
ALTER TABLE grants ADD COLUMN request TEXT;
