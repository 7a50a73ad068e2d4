-- By which list of secret names what is kept of Keycloak was sealed; 0: it is from before any was.

ALTER TABLE keycloak_records ADD COLUMN sealing BIGINT NOT NULL DEFAULT 0;
CREATE INDEX keycloak_records_by_sealing ON keycloak_records (sealing);
