-- The grant that this one was made from by token exchange, and ends with; NULL for one that a person gave.
ALTER TABLE grants ADD COLUMN parent TEXT;
