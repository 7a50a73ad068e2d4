//! What `--help` says of commands whose options are not declared.

/// Of `start-dev`.
pub(super) const START_DEV: &str = "\
Run for development in the place of Keycloak: any host name, plain http, wildcards in redirect URIs, the password grant

Usage: vestibule start-dev [OPTION]...

Every option is a variable too: --http-port is KC_HTTP_PORT. One that is unknown does nothing, and is told of once.

Options:
  --import-realm                         import the realm files of DATA/import; a realm that is there is skipped
  --override true                        bring a realm that is there to what its file says
  --dir DIR                              import from this folder
  --data DIR                             database and keys [default: /opt/keycloak/data if it is there, else .vestibule]
  --http-port N                          [default: 8080]
  --http-host ADDRESS                    [default: 0.0.0.0]
  --http-relative-path /auth             path of every address; all is served without it too
  --http-management-port N               health and metrics [default: 9000]
  --http-management-health-enabled false tell health on the main port too
  --hostname NAME|URL                    the one name of the issuer [default: the name that a request asks by]
  --hostname-port N
  --hostname-backchannel-dynamic true    programs are told of the name that they ask by
  --proxy-headers xforwarded|forwarded   believe the proxy in front; --proxy-trusted-addresses says which one
  --https-certificate-file FILE          answer over TLS too, with --https-certificate-key-file FILE (PEM)
  --https-port N                         [default: 8443]
  --https-client-auth request            ask clients for certificates; --https-trust-store-file FILE says of whom
  --truststore-paths FILE|DIR,…          whom else to trust for outbound connections (PEM)
  --config-file FILE                     more options [default: /opt/keycloak/conf/keycloak.conf, if it is there]
  --db dev-file|dev-mem|postgres         with --db-url (jdbc:postgresql://…), or --db-url-host, -port, -database;
                                         --db-username, --db-password
  --bootstrap-admin-username NAME        a first administrator, with --bootstrap-admin-password;
                                         KEYCLOAK_ADMIN and KEYCLOAK_ADMIN_PASSWORD do as well
  --bootstrap-admin-client-id ID         the same as a client, with --bootstrap-admin-client-secret
  --log-level LEVEL                      error, warn, info, debug or trace
  --log-console-output json

Examples:
  vestibule start-dev --import-realm
  KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=admin vestibule start-dev --http-port 8180
";

/// Of `start`.
pub(super) const START: &str = "\
Run in production in the place of Keycloak, as strictly as `vestibule serve`

Usage: vestibule start [OPTION]...

Takes the options of `vestibule start-dev --help`. Needs --hostname, and a certificate or a proxy that speaks TLS:

  vestibule start --hostname id.example.com --https-certificate-file tls.crt --https-certificate-key-file tls.key
  vestibule start --hostname id.example.com --http-enabled true --proxy-headers xforwarded \\
      --proxy-trusted-addresses 10.0.0.0/8 --db postgres --db-url jdbc:postgresql://db/keycloak

The file of key-encryption keys, DATA/key-encryption.key, is made at the first start: keep a copy, and keep it with the
database. With --hostname-strict false, --http-enabled true, no proxy and the database in a file, Keycloak's own guides
call it development, and so it is: it runs as start-dev, and says so.
";

/// Of `build`.
pub(super) const BUILD: &str = "\
Accepted for Keycloak's sake: there is nothing to build

Usage: vestibule build [OPTION]...

Example:
  vestibule build && vestibule start --optimized --hostname https://id.example.com
";

/// Of `show-config`.
pub(super) const SHOW_CONFIG: &str = "\
Show the options of Keycloak that were found, in arguments and variables, and those that do nothing here

Usage: vestibule show-config [OPTION]...

Example:
  KC_HTTP_PORT=8180 vestibule show-config --hostname id.example.com
";

/// Of `import`.
pub(super) const IMPORT: &str = "\
Import realm files as Keycloak does

Usage: vestibule import --file FILE | --dir DIR [--override true|false] [OPTION]...

  --file FILE        one file: Keycloak's realm JSON, or a realm file
  --dir DIR          all of a folder
  --override false   skip realms that are there [default: true, they are brought to what the file says]
  --data, --db …     the database, as `vestibule start-dev --help` says

A running server follows within a second. With a database server, --https-certificate-file or an https --hostname it is
as careful as `vestibule start`: secrets are kept as hashes, and redirect URIs with wildcards are refused.

Examples:
  vestibule import --file shop-realm.json
  vestibule import --dir backup --override false --db postgres --db-url jdbc:postgresql://db/keycloak
";

/// Of `export`.
pub(super) const EXPORT: &str = "\
Export realms as Keycloak does, secrets and stored passwords included; a server may be running on the database

Usage: vestibule export --dir DIR | --file FILE [--realm NAME] [OPTION]...

  --dir DIR             NAME-realm.json of each realm, and its users beside it
  --file FILE           everything in one file
  --realm NAME          this realm alone [default: all]
  --users WAY           different_files  files of users beside that of the realm, NAME-users-0.json and so on
                        same_file        one file of users, NAME-users.json
                        realm_file       in the file of the realm
                        skip             no users
                        [default: different_files with --dir, realm_file with --file]
  --users-per-file N    [default: 50]
  --data, --db …        the database, as `vestibule start-dev --help` says

Examples:
  vestibule export --dir backup --realm shop
  vestibule export --file shop.json --realm shop --users skip

The files are for their owner alone. A secret that production keeps as a hash cannot be written: its client needs a
new one where the files are imported. `vestibule export NAME` writes one realm to standard output, without secrets.
";

/// Of `bootstrap-admin`.
pub(super) const BOOTSTRAP_ADMIN: &str = "\
Make an administrator of all realms

Usage: vestibule bootstrap-admin user [--username NAME] [--password:env VARIABLE] [OPTION]...
       vestibule bootstrap-admin service [--client-id ID] [--client-secret:env VARIABLE] [OPTION]...

  --username NAME               [default: temp-admin]
  --password:env VARIABLE       the variable that holds the password; without it one is drawn, and shown this once
  --client-id ID                [default: temp-admin]
  --client-secret:env VARIABLE  the same for the secret
  --config FILE                 of the server that this configuration of `vestibule serve` describes
  --database URL                of this database: sqlite://FILE or postgres://…
  --data, --db …                or of the database that these name, as `vestibule start-dev --help` says
                                [default: of `vestibule dev` in this folder]

The realm master is made where it is not there. A running server follows within a second.

Examples:
  vestibule bootstrap-admin user
  ADMIN_PASSWORD=… vestibule bootstrap-admin user --username ops --password:env ADMIN_PASSWORD --config vestibule.toml
  vestibule bootstrap-admin service --client-id terraform --config vestibule.toml
";
