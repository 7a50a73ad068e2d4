use std::fs;

use super::*;
use crate::protocol::forwarded::ProxyHeaders;

const SAMPLE: &str = include_str!("../../vestibule.sample.toml");

/// The least that production asks for.
const LEAST: &str = r#"
public_url = "https://id.example.com"
behind_tls_proxy = true
trusted_proxies = ["127.0.0.1", "::1"]
database = "sqlite:///var/lib/vestibule/vestibule.db"
key_file = "/etc/vestibule/key-encryption.key"
"#;

fn parse(text: &str) -> Result<Config, ConfigProblems> {
    Config::parse(text, "v.toml", &|name| (name == "DB").then(|| "postgres://v:canary@db/v".to_owned()))
}

fn problems(text: &str) -> Vec<String> {
    parse(text).unwrap_err().0.iter().map(ToString::to_string).collect()
}

/// `LEAST` with `from` changed into `to`; both may be lines of their own.
fn changed(from: &str, to: &str) -> String {
    assert!(LEAST.contains(from), "{from}");
    LEAST.replace(from, to)
}

/// The sample with every `# key = value` made a setting.
fn spelled_out() -> String {
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| key.bytes().all(is_key)) => {
            rest.to_owned()
        }
        _ => line.to_owned(),
    };
    SAMPLE.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte == b'_'
}

#[test]
fn the_sample_shows_the_defaults() {
    let least = parse(LEAST).unwrap();
    assert_eq!(parse(SAMPLE).unwrap(), least);
    assert_eq!(parse(&spelled_out()).unwrap(), least);
}

#[test]
fn the_sample_shows_every_key() {
    const TABLES: [&str; 5] = ["tls", "outbound", "limits", "hashing", "log"];
    let headings = TABLES.map(|table| (format!("{table}."), format!("[{table}]\n")));
    for (table, heading) in [(String::new(), String::new())].into_iter().chain(headings) {
        let found = problems(&format!("{LEAST}{heading}zzzzzzzzzz = 1\n"));
        let known = found
            .iter()
            .find_map(|line| line.split_once(&format!("{table}zzzzzzzzzz: unknown field; known are ")))
            .unwrap()
            .1;
        let mut count = 0;
        for key in known.split(", ").filter(|key| !TABLES.contains(key)) {
            let shown = spelled_out().lines().any(|line| line.starts_with(&format!("{key} = ")));
            assert!(shown, "vestibule.sample.toml does not show {table}{key}");
            count += 1;
        }
        assert!(count >= 2);
    }
}

#[test]
fn a_server_that_ends_tls_itself_needs_no_proxy() {
    let proxy = "behind_tls_proxy = true\ntrusted_proxies = [\"127.0.0.1\", \"::1\"]\n";
    let tls = "[tls]\ncertificate_file = \"c.pem\"\nkey_file = \"/k.pem\"\n";
    let config = parse(&format!("{}{tls}", changed(proxy, ""))).unwrap();
    let files = TlsFiles {
        certificate: "c.pem".into(),
        key: "/k.pem".into(),
        asks: Asks::Nobody,
        client_authorities: None,
    };
    assert_eq!(config.tls, Some(files));
    assert_eq!(config.client_certificates(), None);
    assert!(config.proxies.trusted.is_empty());
}

/// A server that ends TLS and asks clients for certificates at `url`.
fn asking(url: &str) -> String {
    format!(
        "{LEAST}[tls]\ncertificate_file = \"c.pem\"\nkey_file = \"/k.pem\"\n\
         client_certificates = true\nclient_certificates_url = \"{url}\"\n"
    )
}

#[test]
fn rfc8705_5_clients_may_be_asked_at_one_name_alone() {
    let config = parse(&asking("https://mtls.example.com:8443")).unwrap();
    assert_eq!(config.tls.as_ref().unwrap().asks, Asks::At("mtls.example.com".into()));
    let base = Base::parse("https://mtls.example.com:8443").unwrap();
    let asked = ClientCertificates { authorities: false, base: Some(base.clone()) };
    assert_eq!(config.client_certificates(), Some(asked));
    assert_eq!(config.hosts().aliases(), [base], "it is answered too");
}

#[test]
fn production_refuses() {
    let rows: Vec<(&str, String, &str)> = vec![
        ("http", changed("https://id", "http://id"), "v.toml:2: public_url: must begin with https://"),
        (
            "no issuer",
            changed("public_url = \"https://id.example.com\"", ""),
            "v.toml: public_url: is missing",
        ),
        (
            "a certificate without its key",
            format!("{LEAST}[tls]\ncertificate_file = \"c.pem\"\n"),
            "v.toml: tls.key_file: is missing",
        ),
        (
            "authorities of clients that nobody asks",
            format!("{LEAST}[tls]\nclient_ca_file = \"c.pem\"\n"),
            "v.toml:8: tls.client_ca_file: is of no use without",
        ),
        (
            "certificates of clients behind a proxy",
            format!("{LEAST}[tls]\nclient_certificates = true\n"),
            "v.toml:8: tls.client_certificates: needs certificate_file",
        ),
        (
            "an address for certificates that is the public one",
            asking("https://id.example.com:8443"),
            "v.toml:11: tls.client_certificates_url: needs a host name of its own",
        ),
        (
            "one that is no name",
            asking("https://10.0.0.1"),
            "v.toml:11: tls.client_certificates_url: needs a host name of its own",
        ),
        (
            "one without TLS",
            asking("http://mtls.example.com"),
            "v.toml:11: tls.client_certificates_url: must begin with https",
        ),
        ("no TLS", changed("behind_tls_proxy = true", ""), "v.toml: behind_tls_proxy: must be true"),
        (
            "TLS said off",
            changed("proxy = true", "proxy = false"),
            "v.toml:3: behind_tls_proxy: must be true",
        ),
        (
            "no proxies",
            changed("trusted_proxies = [\"127.0.0.1\", \"::1\"]", ""),
            "v.toml: trusted_proxies: is missing",
        ),
        (
            "every proxy",
            changed("\"::1\"", "\"0.0.0.0/0\""),
            "v.toml:4: trusted_proxies: must not hold every",
        ),
        (
            "bad range",
            changed("\"::1\"", "\"10.0.0.0/99\""),
            "v.toml:4: trusted_proxies[1]: \"10.0.0.0/99\" is not",
        ),
        (
            "in memory",
            changed("sqlite:///var/lib/vestibule/vestibule.db", "sqlite::memory:"),
            "v.toml:5: database: must not be in memory",
        ),
        (
            "mysql",
            changed("sqlite:///var/lib/vestibule/vestibule.db", "mysql://v"),
            "v.toml:5: database: begin with",
        ),
        (
            "no key",
            changed("key_file = \"/etc/vestibule/key-encryption.key\"", ""),
            "v.toml: key_file: is missing",
        ),
        (
            "unknown key",
            format!("{LEAST}listne = \"\""),
            "v.toml:7: listne: unknown field; did you mean `listen`?",
        ),
        (
            "key of dev",
            format!("{LEAST}ephemeral = true"),
            "v.toml:7: ephemeral: is for `vestibule dev` only",
        ),
        (
            "wrong type",
            format!("{LEAST}listen = 8080"),
            "v.toml:7: listen: expected a string, found a number",
        ),
        (
            "no port",
            format!("{LEAST}listen = \"localhost\""),
            "v.toml:7: listen: write an address and a port",
        ),
        (
            "one port",
            format!("{LEAST}listen = \"0.0.0.0:80\"\nmanagement_listen = \"127.0.0.1:80\""),
            "v.toml:8: management_listen: needs another port",
        ),
        (
            "path of an alias",
            format!("{LEAST}aliases = [\"http://a\", \"http://b/x\"]"),
            "v.toml:7: aliases[1]: must end in the path",
        ),
        ("base path", format!("{LEAST}base_path = \"/auth\""), "v.toml:7: base_path: must be \"\""),
        (
            "header size",
            format!("{LEAST}[limits]\nheader_bytes = \"1KiB\""),
            "v.toml:8: limits.header_bytes: must be from 8192",
        ),
        (
            "odd size",
            format!("{LEAST}[limits]\nbody_bytes = \"1MB\""),
            "v.toml:8: limits.body_bytes: write bytes",
        ),
        (
            "no time",
            format!("{LEAST}[limits]\nrequest_timeout = 0"),
            "v.toml:8: limits.request_timeout: must be from 1 s",
        ),
        (
            "delay",
            format!("{LEAST}[limits]\nshutdown_delay = \"30s\""),
            "v.toml:8: limits.shutdown_delay: must be shorter",
        ),
        ("level", format!("{LEAST}[log]\nlevel = \"loud\""), "v.toml:8: log.level: \"loud\" is no log level"),
        (
            "format",
            format!("{LEAST}[log]\nformat = \"jsn\""),
            "v.toml:8: log.format: unknown value; did you mean `json`?",
        ),
        (
            "environment",
            format!("{LEAST}root_realm = \"${{NONE}}\""),
            "v.toml:7: root_realm: the environment variable NONE is not set",
        ),
        ("no TOML", format!("{LEAST}listen = "), "v.toml:7: "),
    ];
    for (name, text, expected) in rows {
        let found = problems(&text);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert!(found[0].starts_with(expected), "{name}: {} instead of {expected}", found[0]);
    }
}

#[test]
fn every_problem_is_told_at_once() {
    let found = problems("public_url = \"http://a\"\nlisten = 1\nwhat = 2\n[log]\nlevel = \"x\"\n");
    let fields = ["behind_tls_proxy", "database", "key_file", "public_url", "listen", "what", "log.level"];
    for field in fields {
        assert!(found.iter().any(|line| line.contains(&format!(" {field}: "))), "{field} in {found:?}");
    }
    assert_eq!(found.len(), fields.len(), "{found:?}");
}

#[test]
fn settings_are_read() {
    let text = changed("sqlite:///var/lib/vestibule/vestibule.db", "${DB}")
        + r#"
aliases = ["http://id.internal:8080"]
listen = "[::]:80"
management_listen = ""
database_connections = 50
proxy_headers = "forwarded"
root_realm = "main"
realm_files = ["a.toml"]
[limits]
header_bytes = 65536
body_bytes = "2MiB"
drain_timeout = "1m"
[hashing]
concurrent = 3
[log]
format = "json"
level = "info,vestibule::store=debug"
"#;
    let config = parse(&text).unwrap();
    assert_eq!(config.listen.to_string(), "[::]:80");
    assert_eq!(config.management_listen, None);
    assert_eq!((config.database.url(), config.database.max_connections), ("postgres://v:canary@db/v", 50));
    assert_eq!(config.proxies.headers, ProxyHeaders::Forwarded);
    assert_eq!(config.realm_files, [PathBuf::from("a.toml")]);
    assert_eq!((config.limits.header_bytes, config.limits.body_bytes), (65_536, 2 * 1024 * 1024));
    assert_eq!(config.limits.drain_timeout, Duration::from_secs(60));
    assert_eq!((config.hashing.concurrent, config.hashing.queued), (3, passwords::Limits::default().queued));
    assert_eq!(config.log_format, LogFormat::Json);
    let hosts = config.hosts();
    assert!(hosts.accepts_issuer("https://id.example.com", "main"));
    assert!(!format!("{config:?}").contains("canary"));
}

#[test]
fn no_problem_shows_a_secret() {
    let text = changed("sqlite:///var/lib/vestibule/vestibule.db", "postgres://v:canary@db:port/v");
    assert!(problems(&text).iter().all(|line| !line.contains("canary")));
}

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        let folder = Self { folder: tempfile::tempdir().unwrap() };
        folder.write("key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", 0o600);
        folder
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn load(&self) -> Result<Config, String> {
        Config::load(&self.folder.path().join("v.toml")).map_err(|problems| problems.to_string())
    }
}

#[test]
fn files_are_looked_at() {
    let folder = Folder::new();
    let good = changed("/etc/vestibule/key-encryption.key", "key");
    folder.write("v.toml", &good, 0o644);
    let found = folder.load().unwrap_err();
    let told =
        "database: there is no folder /var/lib/vestibule; to make it: install -d -m 0700 /var/lib/vestibule";
    assert!(found.contains(told), "{found}");
    let good = good.replace("/var/lib/vestibule/", "");
    folder.write("v.toml", &good, 0o644);
    let config = folder.load().unwrap();
    assert_eq!(config.key_file, Some(folder.folder.path().join("key")), "relative to the file");

    folder.write("key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", 0o644);
    assert!(folder.load().unwrap_err().contains("may be read by others"));
    folder.write("key", "too short\n", 0o600);
    assert!(folder.load().unwrap_err().contains("key_file: "));
    folder.write("v.toml", LEAST, 0o644);
    assert!(
        folder
            .load()
            .unwrap_err()
            .contains("v.toml:6: key_file: /etc/vestibule/key-encryption.key: does not exist")
    );
    folder.write(
        "v.toml",
        &format!("{good}realm_files = [\"none.toml\"]\n[outbound]\nca_file = \"none.pem\"\n"),
        0o644,
    );
    let found = folder.load().unwrap_err();
    assert!(found.contains("realm_files[0]: ") && found.contains("outbound.ca_file: "), "{found}");
    assert!(Config::load(Path::new("/nowhere/v.toml")).unwrap_err().to_string().contains("cannot be read"));
}

#[test]
fn the_password_of_the_database() {
    let folder = Folder::new();
    let good = changed("/etc/vestibule/key-encryption.key", "key");
    let with = |database: &str| good.replace("sqlite:///var/lib/vestibule/vestibule.db", database);
    folder.write("password", "canary/1\n", 0o600);

    folder.write(
        "v.toml",
        &format!("{}database_password_file = \"password\"\n", with("postgres://v@db/v")),
        0o644,
    );
    assert_eq!(folder.load().unwrap().database.url(), "postgres://v:canary%2F1@db/v");
    folder.write("password", "canary/1\n", 0o644);
    let found = folder.load().unwrap_err();
    assert!(found.contains("v.toml:7: database_password_file: may be read by everybody"), "{found}");
    folder.write("password", "canary/1\n", 0o600);

    let both = format!("{}database_password_file = \"password\"\n", with("postgres://v:x@db/v"));
    folder.write("v.toml", &both, 0o600);
    assert!(folder.load().unwrap_err().contains("v.toml:7: database_password_file: the address"));

    folder.write("v.toml", &with("postgres://v:canary@db/v"), 0o600);
    assert_eq!(folder.load().unwrap().database.to_string(), "postgres://v:***@db/v");
    folder.write("v.toml", &with("postgres://v:canary@db/v"), 0o644);
    let found = folder.load().unwrap_err();
    assert!(found.contains("database: holds a password in a file that others may read"), "{found}");
    folder.write("v.toml", &with("postgres://v:${NONE:x}@db/v"), 0o644);
    assert_eq!(folder.load().unwrap().database.url(), "postgres://v:x@db/v", "from the environment");
    assert!(!found.contains("canary"), "{found}");
}

#[test]
fn development_alone() {
    let config = Config::development(&Development::default()).unwrap();
    assert_eq!(
        (config.mode, config.listen, config.public_url.clone()),
        (Mode::Dev, Listen::Loopback(8080), None)
    );
    assert_eq!(config.management_listen, Some(Listen::Loopback(9000)));
    assert_eq!(config.database.url(), "sqlite://.vestibule/vestibule.db");
    assert_eq!(config.key_file, Some(PathBuf::from(".vestibule/key-encryption.key")));
    assert!(config.hosts().accepts_issuer("http://localhost:8080/realms/main", "main"));
    assert!(!config.is_dev_in_the_open());
}

#[test]
fn development_as_told() {
    let usual = Development::default;
    let fixture = Config::development(&Development { ephemeral: true, port: 0, ..usual() }).unwrap();
    assert!(fixture.database.is_memory() && fixture.key_file.is_none());
    assert_eq!(fixture.management_listen, Some(Listen::Loopback(0)));

    let open =
        Development { host: Some([0, 0, 0, 0].into()), any_host: true, base_path: "/auth".into(), ..usual() };
    let open = Config::development(&open).unwrap();
    assert!(open.is_dev_in_the_open());
    assert!(open.hosts().accepts_issuer("http://keycloak:8080/auth/realms/main", "main"));

    let tunnel = Development { public_url: Some("https://tunnel.example/id".into()), ..usual() };
    let tunnel = Config::development(&tunnel).unwrap();
    assert_eq!(tunnel.base_path, "/id");

    let wrong = Development {
        public_url: Some("tunnel".into()),
        database: Some("mysql://x".into()),
        ephemeral: true,
        management_port: Some(8080),
        ..usual()
    };
    let found = Config::development(&wrong).unwrap_err();
    let fields: Vec<_> = found.0.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["--public-url", "--database", "--ephemeral", "--management-port"]);
    assert!(found.to_string().starts_with("--public-url: must begin with"), "{found}");
}

proptest::proptest! {
    #[test]
    fn any_text_gives_an_answer(text in "\\PC{0,200}", key in "[a-z_]{1,12}", value in "\\PC{0,20}") {
        let _ = parse(&text);
        let _ = parse(&format!("{LEAST}{key} = {value}\n[limits]\n{key} = \"{value}\"\n"));
    }
}
