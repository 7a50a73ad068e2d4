-- Tokens by which a client may register itself, each for a number of times. The value is not here, only its fingerprint.
CREATE TABLE registration_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    uses_left BIGINT NOT NULL
);
CREATE INDEX registration_tokens_by_realm ON registration_tokens (realm_id);
CREATE INDEX registration_tokens_by_expiry ON registration_tokens (expires_at);

-- Clients that registered themselves, each with the fingerprint of the token by which it looks after itself.
CREATE TABLE client_registrations (
    client TEXT NOT NULL PRIMARY KEY REFERENCES clients (id) ON DELETE CASCADE,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    registered_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX client_registrations_by_realm ON client_registrations (realm_id);
