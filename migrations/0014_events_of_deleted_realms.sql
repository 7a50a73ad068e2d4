-- What is left of a realm that was deleted: who did what in it, under the name that it had, until the events are too
-- old like any others. No reference to `realms`: that is the point.
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
