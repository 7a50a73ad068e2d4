//! What a machine without Docker and systemd can hold of the deployment files: every path exists, every setting
//! fits the server, and nothing of the hardening got lost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::path::{Path, PathBuf};

use serde_json::Value;
use vestibule::config::{Config, Listen};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn compose() -> Value {
    serde_saphyr::from_str(&read("docker-compose.yml")).unwrap()
}

/// The instructions of the Dockerfile, each on one line.
fn instructions() -> Vec<String> {
    let text = read("Dockerfile").replace("\\\n", " ");
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_image_is_built_from_what_exists_and_is_not_ignored() {
    let ignored = read(".dockerignore");
    let mut sources = 0;
    for line in instructions().iter().filter(|line| line.starts_with("COPY ") && !line.contains("--from=")) {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        for source in &words[..words.len() - 1] {
            assert!(root().join(source).exists(), "{line}: {source} does not exist");
            assert!(ignored.lines().any(|rule| rule == format!("!/{source}")), "{source} is ignored");
            sources += 1;
        }
    }
    assert!(sources >= 5);
}

/// Cargo refuses a manifest that names a file which is not there.
#[test]
fn the_image_has_what_the_manifest_names() {
    let manifest = read("Cargo.toml");
    let copied =
        |folder: &str| instructions().iter().any(|line| line.starts_with(&format!("COPY {folder} ")));
    for (section, folder) in [("[[bench]]", "benches"), ("[[example]]", "examples"), ("[[test]]", "tests")] {
        assert!(!manifest.contains(section) || copied(folder), "the Dockerfile must copy {folder}");
    }
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = ")).unwrap();
    for member in members.trim_matches(['[', ']']).split(", ").map(|member| member.trim_matches('"')) {
        assert!(copied(member), "the Dockerfile must copy {member}");
    }
    assert!(!root().join("build.rs").exists(), "the Dockerfile must copy build.rs");
}

/// Files that the compiler reads beside the sources must be copied as well.
#[test]
fn the_image_has_what_the_sources_include() {
    fn visit(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                visit(&entry, found);
            } else if entry.extension().is_some_and(|extension| extension == "rs")
                && !entry.ends_with("tests.rs")
            {
                let text = std::fs::read_to_string(&entry).unwrap();
                let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
                for opening in ["include_str!(\"", "include_bytes!(\""] {
                    let paths = shipped.split(opening).skip(1).filter_map(|rest| rest.split('"').next());
                    found.extend(paths.map(|path| (entry.clone(), path.to_owned())));
                }
            }
        }
    }
    let mut found = Vec::new();
    visit(&root().join("src"), &mut found);
    assert!(!found.is_empty());
    let copied: Vec<PathBuf> =
        ["src", "migrations", "templates"].iter().map(|folder| root().join(folder)).collect();
    for (source, path) in found {
        let file = source
            .parent()
            .unwrap()
            .join(&path)
            .canonicalize()
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(copied.iter().any(|folder| file.starts_with(folder)), "{} includes {path}", source.display());
    }
}

#[test]
fn the_image_is_small_rootless_and_healthy_by_itself() {
    let lines = instructions();
    let has = |start: &str| lines.iter().any(|line| line.starts_with(start));
    assert!(has("FROM rust:") && has("FROM gcr.io/distroless/"));
    assert!(has("USER 65532:65532") && has("EXPOSE 8080 8443 9000") && has("STOPSIGNAL SIGTERM"));
    let health = lines.iter().find(|line| line.starts_with("HEALTHCHECK")).unwrap();
    assert!(health.ends_with("CMD [\"/usr/local/bin/vestibule\", \"healthcheck\"]"), "no shell: {health}");
    let runs_last = lines.iter().rposition(|line| line.starts_with("RUN")).unwrap();
    let final_stage = lines.iter().rposition(|line| line.starts_with("FROM")).unwrap();
    assert!(runs_last < final_stage, "the final image has no shell to run anything");
}

#[test]
fn compose_mounts_a_configuration_that_loads() {
    let compose = compose();
    let file = compose["configs"]["vestibule"]["file"].as_str().unwrap();
    let env = |name: &str| (name == "VESTIBULE_PUBLIC_URL").then(|| "https://id.example.com".to_owned());
    let config = Config::parse(&read(file), file, &env).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.listen, Listen::At("0.0.0.0:8080".parse().unwrap()));
    assert_eq!(config.database.to_string(), "postgres://vestibule@db:5432/vestibule");
    let published = compose["services"]["vestibule"]["ports"][0].as_str().unwrap();
    assert_eq!(published, format!("127.0.0.1:{port}:{port}", port = config.listen.port()));
    let subnet = compose["networks"]["default"]["ipam"]["config"][0]["subnet"].as_str().unwrap();
    assert_eq!(subnet, "172.30.86.0/24");
    assert!(config.proxies.trusts("172.30.86.1".parse().unwrap()), "the gateway of {subnet}");
    let text = read(file);
    for secret in compose["secrets"].as_object().unwrap().keys() {
        assert!(text.contains(&format!("/run/secrets/{secret}")), "{secret}");
        let source = compose["secrets"][secret]["file"].as_str().unwrap();
        assert!(source.starts_with("keys/"), "{source} would be committed");
    }
    assert!(read(".gitignore").lines().any(|line| line == "/keys"));
}

#[test]
fn compose_keeps_its_hardening() {
    let compose = compose();
    // `<<` is expanded here, as Compose does.
    for service in ["vestibule", "migrate"] {
        let service = &compose["services"][service];
        assert_eq!(service["read_only"], true);
        assert_eq!(service["cap_drop"][0], "ALL");
        assert_eq!(service["security_opt"][0], "no-new-privileges:true");
    }
    let server = &compose["services"]["vestibule"];
    assert_eq!(server["stop_grace_period"], "30s");
    assert_eq!(server["depends_on"]["db"]["condition"], "service_healthy");
    assert!(compose["services"]["db"]["healthcheck"]["test"][1] == "pg_isready");
    assert_eq!(compose["services"]["migrate"]["command"][0], "migrate");
}

#[test]
fn the_unit_starts_the_server_and_keeps_its_hardening() {
    let unit = read("deploy/vestibule.service");
    let lines = [
        "ExecStart=/usr/local/bin/vestibule serve --config /etc/vestibule/vestibule.toml",
        "TimeoutStopSec=30s",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "MemoryDenyWriteExecute=yes",
        "SystemCallFilter=@system-service",
        "LimitCORE=0",
    ];
    for line in lines {
        assert!(unit.lines().any(|own| own == line), "{line}");
    }
    assert!(unit.contains("\nRestrictAddressFamilies="));
}
