-- What of the address a request was pushed from is counted: whoever knows the name of a public client may push.
ALTER TABLE pushed_requests ADD COLUMN network TEXT NOT NULL DEFAULT '';
CREATE INDEX pushed_requests_by_network ON pushed_requests (client, network, expires_at);
