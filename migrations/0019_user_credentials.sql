-- Credentials beside the password, which stands in `users`: one-time codes, and others that are kept. `secret` is sealed.

CREATE TABLE user_credentials (
    id TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    label TEXT,
    secret TEXT NOT NULL,
    data TEXT NOT NULL,
    priority BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX user_credentials_by_user ON user_credentials (user_id);
CREATE INDEX user_credentials_by_realm ON user_credentials (realm_id);

-- What a person must do at the next sign-in: a JSON list of Keycloak's names; absent = nothing.
ALTER TABLE users ADD COLUMN required_actions TEXT;

-- JSON; absent = none.
ALTER TABLE roles ADD COLUMN attributes TEXT;
