-- The algorithms that a client names for its tokens, parted by a space, so that its realm has a key of each. NULL: none.
ALTER TABLE clients ADD COLUMN signs_with TEXT;
CREATE INDEX clients_by_algorithm ON clients (realm_id, signs_with);
