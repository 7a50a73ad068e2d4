//! Every parser of outside input under libFuzzer, as one program: `FUZZ_TARGET` names the target, and `fuzz/run` builds
//! and runs them all. A target feeds bytes to one parser and holds what the parser promises (the `Z` rows of the
//! project's hardening list); a panic is a finding.
#![no_main]

mod addresses;
mod connections;
mod credentials;
mod files;
mod representations;
mod requests;
mod tokens;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

/// A target: its name, and what it does with the bytes.
type Target = (&'static str, fn(&[u8]));

/// In the order in which `fuzz/run` takes them.
const TARGETS: &[Target] = &[
    ("redirect_match", addresses::redirect_match),
    ("redirect_registration", addresses::redirect_registration),
    ("page_address", addresses::page_address),
    ("forwarded", addresses::forwarded),
    ("params", requests::params),
    ("authorization_request", requests::authorization_request),
    ("request_object", requests::request_object),
    ("structured_parameters", requests::structured),
    ("client_metadata", requests::client_metadata),
    ("scope", requests::scope),
    ("user_name", requests::user_name),
    ("basic_credentials", credentials::basic),
    ("client_assertion", credentials::client_assertion),
    ("user_code", credentials::user_code),
    ("password_hash", credentials::password_hash),
    ("jws", tokens::jws),
    ("key_set", tokens::key_set),
    ("dpop_proof", tokens::dpop_proof),
    ("certificate", connections::certificate),
    ("certificate_name", connections::certificate_name),
    ("head", connections::head),
    ("cookies", connections::cookies),
    ("session_code", connections::session_code),
    ("realm_file", files::realm_file),
    ("keycloak_realm", files::keycloak_realm),
    ("keycloak_credentials", files::keycloak_credentials),
    ("admin_client", representations::client),
    ("admin_user", representations::user),
    ("admin_others", representations::others),
    ("configuration", files::configuration),
];

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    found.unwrap_or_else(|| panic!("FUZZ_TARGET must be one of {}", names.join(" "))).1
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));

/// The bytes as text, cut at line ends into `N` parts; none when there are fewer.
fn lines<const N: usize>(bytes: &[u8]) -> Option<[&str; N]> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut parts = text.splitn(N, '\n');
    let mut made = [""; N];
    for part in &mut made {
        *part = parts.next()?;
    }
    Some(made)
}
