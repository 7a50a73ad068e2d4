-- The name of a realm that was deleted and whose rows are being removed, a few at a time; empty once there are none; NULL
-- for a realm that is there. The row itself stays, so that nothing has to look in each table for what refers to it.
ALTER TABLE realms ADD COLUMN deleted_as TEXT;
CREATE INDEX realms_by_deletion ON realms (deleted_as);

-- The people of a realm without its service accounts, in the order of their names: counted without looking at them.
CREATE INDEX users_people ON users (realm_id, username, service_account_client) WHERE service_account_client IS NULL;
