-- Requests of devices for a person's yes (RFC 8628): one row from the request to the tokens. `fingerprint` is that of the
-- device code, `user_code` that of the code which the person types, `network` what of the address is counted.
-- `approved_at` comes with who approved and in which session.
CREATE TABLE device_codes (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    client TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    user_code TEXT NOT NULL,
    scope TEXT NOT NULL,
    address TEXT NOT NULL,
    network TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    poll_interval BIGINT NOT NULL,
    polled_at BIGINT,
    approved_at BIGINT,
    denied_at BIGINT,
    redeemed_at BIGINT,
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT,
    auth_time BIGINT,
    acr TEXT,
    UNIQUE (realm_id, user_code)
);
CREATE INDEX device_codes_by_asker ON device_codes (client, network, expires_at);
CREATE INDEX device_codes_by_user ON device_codes (user_id);
CREATE INDEX device_codes_by_expiry ON device_codes (expires_at);
