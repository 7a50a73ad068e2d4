//! Realm files: read, compared with a realm, applied.
