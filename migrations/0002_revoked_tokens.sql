-- Access tokens that were revoked one by one, since they hang on no grant of their own. A row is needed until its token
-- would have expired.
CREATE TABLE revoked_tokens (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    jti TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, jti)
);
CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);
