-- What the migrations come to, which a new database gets at once. Why things are as they are stands in the migrations;
-- tests/store/schema.rs holds this text to them, and tells what it lacks.

CREATE TABLE migrations (
    version BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL
);

CREATE TABLE realms (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    display_name TEXT,
    enabled BIGINT NOT NULL,
    settings TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    duplicate_emails BIGINT NOT NULL DEFAULT 0,
    deleted_as TEXT
);
CREATE INDEX realms_by_version ON realms (version);
CREATE INDEX realms_by_deletion ON realms (deleted_as);

CREATE TABLE configuration (
    id BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO configuration (id, version) VALUES (1, 0);

CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    algorithm TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    served_until BIGINT
);
CREATE INDEX signing_keys_by_realm ON signing_keys (realm_id);

CREATE TABLE scopes (
    id TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT,
    settings TEXT NOT NULL,
    UNIQUE (realm_id, name)
);

CREATE TABLE clients (
    id TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    client_id TEXT COLLATE "binary" NOT NULL,
    enabled BIGINT NOT NULL,
    secret_hash TEXT,
    settings TEXT NOT NULL,
    search_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    signs_with TEXT,
    hears_logout BIGINT NOT NULL DEFAULT 0,
    UNIQUE (realm_id, client_id)
);

CREATE TABLE roles (
    id TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    client TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    built_in BIGINT NOT NULL,
    attributes TEXT,
    UNIQUE (realm_id, client, name)
);

CREATE TABLE role_composites (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    child_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    PRIMARY KEY (role_id, child_id)
);
CREATE INDEX role_composites_by_realm ON role_composites (realm_id);
CREATE INDEX role_composites_by_child ON role_composites (child_id);

CREATE TABLE groups (
    id TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    parent TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    attributes TEXT NOT NULL,
    UNIQUE (realm_id, path)
);
CREATE INDEX groups_by_parent ON groups (parent);

CREATE TABLE group_roles (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, role_id)
);
CREATE INDEX group_roles_by_role ON group_roles (role_id);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    username TEXT COLLATE "binary" NOT NULL,
    email TEXT,
    email_key TEXT,
    email_verified BIGINT NOT NULL,
    enabled BIGINT NOT NULL,
    first_name TEXT,
    last_name TEXT,
    attributes TEXT NOT NULL,
    password_hash TEXT,
    service_account_client TEXT,
    not_before BIGINT,
    search_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    required_actions TEXT,
    name_key TEXT COLLATE "binary" NOT NULL DEFAULT '',
    last_name_key TEXT COLLATE "binary" NOT NULL DEFAULT '',
    password_changes BIGINT NOT NULL DEFAULT 0,
    UNIQUE (realm_id, username),
    UNIQUE (realm_id, email_key)
);
CREATE INDEX users_by_service_account ON users (service_account_client);

CREATE TABLE user_roles (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, role_id)
);
CREATE INDEX user_roles_by_role ON user_roles (role_id);

CREATE TABLE user_groups (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, group_id)
);
CREATE INDEX user_groups_by_group ON user_groups (group_id);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL UNIQUE,
    auth_time BIGINT NOT NULL,
    acr TEXT NOT NULL,
    remembered BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    ended_at BIGINT,
    expires_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE grants (
    id TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    client TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT,
    scope TEXT NOT NULL,
    offline BIGINT NOT NULL,
    auth_time BIGINT NOT NULL,
    acr TEXT NOT NULL,
    nonce TEXT,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    revoked_at BIGINT,
    expires_at BIGINT NOT NULL,
    parent TEXT,
    request TEXT,
    confirmation TEXT
);
CREATE INDEX grants_by_session ON grants (session_id);
CREATE INDEX grants_by_user ON grants (user_id, client);
CREATE INDEX grants_by_client ON grants (client);
CREATE INDEX grants_by_expiry ON grants (expires_at);

CREATE TABLE authorization_codes (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    grant_id TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    client TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    code_challenge TEXT,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    redeemed_at BIGINT,
    failures BIGINT NOT NULL,
    confirmation TEXT
);
CREATE INDEX authorization_codes_by_grant ON authorization_codes (grant_id);
CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);

CREATE TABLE refresh_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    grant_id TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    predecessor TEXT,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    superseded_at BIGINT
);
CREATE INDEX refresh_tokens_by_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_by_predecessor ON refresh_tokens (predecessor);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

CREATE TABLE consents (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, client)
);
CREATE INDEX consents_by_client ON consents (client);

CREATE TABLE failures (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    count BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, subject)
);
CREATE INDEX failures_by_expiry ON failures (expires_at);

CREATE TABLE audit_events (
    id TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    user_id TEXT,
    client_id TEXT,
    session_id TEXT,
    address TEXT,
    error TEXT,
    detail TEXT NOT NULL
);
CREATE INDEX audit_events_by_realm ON audit_events (realm_id, id);
CREATE INDEX audit_events_by_time ON audit_events (at);
CREATE INDEX audit_events_by_user ON audit_events (user_id);

CREATE TABLE revoked_tokens (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    jti TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, jti)
);
CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);

CREATE TABLE spent_identifiers (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, kind, fingerprint)
);
CREATE INDEX spent_identifiers_by_expiry ON spent_identifiers (expires_at);

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
    details TEXT,
    UNIQUE (realm_id, user_code)
);
CREATE INDEX device_codes_by_asker ON device_codes (client, network, expires_at);
CREATE INDEX device_codes_by_user ON device_codes (user_id);
CREATE INDEX device_codes_by_expiry ON device_codes (expires_at);

CREATE TABLE pushed_requests (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    client TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    parameters TEXT NOT NULL,
    hinted_subject TEXT,
    pushed_at BIGINT NOT NULL,
    good_until BIGINT NOT NULL,
    spent_at BIGINT,
    expires_at BIGINT NOT NULL,
    network TEXT NOT NULL DEFAULT ''
);
CREATE INDEX pushed_requests_by_client ON pushed_requests (client);
CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at);
CREATE INDEX clients_by_algorithm ON clients (realm_id, signs_with);

CREATE TABLE session_clients (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    client TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    issuer TEXT NOT NULL,
    PRIMARY KEY (session_id, client)
);
CREATE INDEX session_clients_by_realm ON session_clients (realm_id);
CREATE INDEX session_clients_by_client ON session_clients (client);

CREATE TABLE logout_outbox (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    session_id TEXT NOT NULL,
    client TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    issuer TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, client)
);
CREATE INDEX logout_outbox_by_realm ON logout_outbox (realm_id);
CREATE INDEX logout_outbox_by_client ON logout_outbox (client);
CREATE INDEX logout_outbox_by_due ON logout_outbox (due_at);

CREATE TABLE registration_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    uses_left BIGINT NOT NULL,
    uses BIGINT
);
CREATE INDEX registration_tokens_by_realm ON registration_tokens (realm_id);
CREATE INDEX registration_tokens_by_expiry ON registration_tokens (expires_at);

CREATE TABLE client_registrations (
    client TEXT NOT NULL PRIMARY KEY REFERENCES clients (id) ON DELETE CASCADE,
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    registered_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX client_registrations_by_realm ON client_registrations (realm_id);

CREATE TABLE events_of_deleted_realms (
    id TEXT NOT NULL PRIMARY KEY,
    realm_id TEXT NOT NULL,
    realm_name TEXT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    user_id TEXT,
    client_id TEXT,
    session_id TEXT,
    address TEXT,
    error TEXT,
    detail TEXT NOT NULL
);
CREATE INDEX events_of_deleted_realms_by_time ON events_of_deleted_realms (at);
CREATE INDEX pushed_requests_by_network ON pushed_requests (client, network, expires_at);

CREATE TABLE keycloak_records (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT NOT NULL,
    name TEXT COLLATE "binary" NOT NULL,
    content TEXT NOT NULL,
    sealing BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (realm_id, kind, id)
);
CREATE INDEX keycloak_records_by_parent ON keycloak_records (realm_id, kind, parent);
CREATE INDEX keycloak_records_by_name ON keycloak_records (realm_id, kind, name);

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
CREATE INDEX users_by_email ON users (realm_id, email_key COLLATE "binary");
CREATE INDEX users_by_name ON users (realm_id, name_key);
CREATE INDEX users_by_last_name ON users (realm_id, last_name_key);
CREATE INDEX users_people ON users (realm_id, username, service_account_client) WHERE service_account_client IS NULL;
CREATE INDEX keycloak_records_by_sealing ON keycloak_records (sealing);
