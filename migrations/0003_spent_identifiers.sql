-- Identifiers that may be used once, such as the `jti` of a client's assertion, and were. A row is needed until what it
-- came in would be refused for its age alone.
CREATE TABLE spent_identifiers (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, kind, fingerprint)
);
CREATE INDEX spent_identifiers_by_expiry ON spent_identifiers (expires_at);
