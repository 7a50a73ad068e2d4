-- The clients that a session signed in to, each with the issuer that it saw: whom the session's end concerns.
CREATE TABLE session_clients (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    client TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    issuer TEXT NOT NULL,
    PRIMARY KEY (session_id, client)
);
CREATE INDEX session_clients_by_realm ON session_clients (realm_id);
CREATE INDEX session_clients_by_client ON session_clients (client);

-- Whether the client wants to be told of the end of sessions; follows its settings.
ALTER TABLE clients ADD COLUMN hears_logout BIGINT NOT NULL DEFAULT 0;

-- Ends of sessions that a client has not been told of yet. Written in the transaction that ends the session; a row goes
-- when the client was told, or when that was tried for too long. It outlives the session and the user, and holds no
-- token: that is made anew for each attempt. `due_at` is also the lease of the node that is telling.
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
