//! The names of Keycloak's options.

/// Those that mean something here.
pub(super) const ACTED_UPON: [&str; 58] = [
    "bootstrap-admin-client-id",
    "bootstrap-admin-client-secret",
    "bootstrap-admin-password",
    "bootstrap-admin-username",
    "client-id",
    "client-secret:env",
    "config-file",
    "data",
    "db",
    "db-password",
    "db-pool-max-size",
    "db-schema",
    "db-url",
    "db-url-database",
    "db-url-host",
    "db-url-port",
    "db-url-properties",
    "db-username",
    "dir",
    "file",
    "health-enabled",
    "help",
    "help-all",
    "home-dir",
    "hostname",
    "hostname-backchannel-dynamic",
    "hostname-port",
    "hostname-strict",
    "hostname-url",
    "http-enabled",
    "http-host",
    "http-management-health-enabled",
    "http-management-port",
    "http-management-relative-path",
    "http-management-scheme",
    "http-port",
    "http-relative-path",
    "https-certificate-file",
    "https-certificate-key-file",
    "https-client-auth",
    "https-port",
    "https-trust-store-file",
    "import",
    "import-realm",
    "legacy-observability-interface",
    "log-console-level",
    "log-console-output",
    "log-level",
    "override",
    "password:env",
    "proxy",
    "proxy-headers",
    "proxy-trusted-addresses",
    "realm",
    "truststore-paths",
    "username",
    "users",
    "users-per-file",
];

/// Those of which nobody misses anything: what they ask for is so anyway, or is about Java's ways.
pub(super) const WITHOUT_MEANING: [&str; 12] = [
    "auto-build",
    "cache",
    "cache-stack",
    "hostname-debug",
    "hostname-strict-backchannel",
    "hostname-strict-https",
    "https-management-client-auth",
    "log",
    "metrics-enabled",
    "optimized",
    "run-in-container",
    "verbose",
];

/// What the names of Keycloak's other options begin with, of the server's and of its distribution's.
const FAMILIES: [&str; 25] = [
    "bootstrap-admin-",
    "cache-",
    "config-keystore",
    "db-",
    "feature-",
    "features",
    "fips-",
    "health-",
    "hostname-",
    "http-",
    "https-",
    "legacy-",
    "log-",
    "metrics-",
    "no-prompt",
    "openapi-",
    "proxy-",
    "server-",
    "shutdown-",
    "spi-",
    "telemetry-",
    "tracing-",
    "transaction-",
    "truststore-",
    "vault",
];

/// Whether Keycloak may have an option of this name.
#[must_use]
pub(super) fn is_keycloaks(name: &str) -> bool {
    ACTED_UPON.contains(&name)
        || WITHOUT_MEANING.contains(&name)
        || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// Those that stand alone: what follows them is no value.
pub(super) const FLAGS: [&str; 6] =
    ["auto-build", "help", "help-all", "import-realm", "optimized", "verbose"];

/// Variables of Keycloak 25 and before, with the option that each is now. A newer name wins.
pub(super) const OLDER: [(&str, &str); 12] = [
    ("KEYCLOAK_ADMIN", "bootstrap-admin-username"),
    ("KEYCLOAK_ADMIN_PASSWORD", "bootstrap-admin-password"),
    ("KEYCLOAK_USER", "bootstrap-admin-username"),
    ("KEYCLOAK_PASSWORD", "bootstrap-admin-password"),
    ("KEYCLOAK_FRONTEND_URL", "hostname"),
    ("KEYCLOAK_IMPORT", "import"),
    ("DB_VENDOR", "db"),
    ("DB_ADDR", "db-url-host"),
    ("DB_PORT", "db-url-port"),
    ("DB_DATABASE", "db-url-database"),
    ("DB_USER", "db-username"),
    ("DB_PASSWORD", "db-password"),
];

/// Those whose value is nobody's business.
#[must_use]
pub(super) fn is_secret(name: &str) -> bool {
    name.contains("password") || name.contains("secret") || name == "db-url"
}
