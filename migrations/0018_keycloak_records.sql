-- What Keycloak's representations say beyond what this server acts upon: beside a record of ours (its kind and id), or
-- as a document of its own. `parent` and `name` are empty where the kind has none.

CREATE TABLE keycloak_records (
    realm_id TEXT NOT NULL REFERENCES realms (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT NOT NULL,
    name TEXT COLLATE "binary" NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (realm_id, kind, id)
);
CREATE INDEX keycloak_records_by_parent ON keycloak_records (realm_id, kind, parent);
CREATE INDEX keycloak_records_by_name ON keycloak_records (realm_id, kind, name);
