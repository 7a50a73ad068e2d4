-- Authorization requests that clients pushed (RFC 9126). The client holds a random reference; its fingerprint stands
-- here. A request is good for opening until `good_until`, and is kept for as long as its sign-in may take.
CREATE TABLE pushed_requests (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    client TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    parameters TEXT NOT NULL,
    hinted_subject TEXT,
    pushed_at BIGINT NOT NULL,
    good_until BIGINT NOT NULL,
    spent_at BIGINT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX pushed_requests_by_client ON pushed_requests (client);
CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at);
