//! What production refuses, and what of a configuration does not hold together (hardening: secure defaults).

use std::path::Path;

use super::fields::note;
use super::read::Draft;
use crate::protocol::forwarded::Cidr;
use crate::protocol::issuer::Base;
use crate::realm_file::read::fields::{Context, Fields};
use crate::server::Tls;
use crate::vault::Vault;

/// Options of `dev` that somebody may carry over into a file.
const DEV_KEYS: [&str; 8] =
    ["any_host", "data", "demo_realm", "dev", "ephemeral", "import_realm", "management_port", "watch"];

/// Names what only `dev` understands, instead of calling it unknown.
pub(super) fn refuse_dev_keys(fields: &mut Fields<'_>) {
    for name in DEV_KEYS.into_iter().filter(|name| fields.has(name)).collect::<Vec<_>>() {
        if let Some((path, node)) = fields.take(name) {
            fields.cx.refuse(node.line, &path, "is for `vestibule dev` only: remove it");
        }
    }
}

/// Notes every rule that the draft breaks. `look` is the configuration file, when files are to be looked at.
pub(super) fn refuse(draft: &mut Draft, cx: &mut Context, look: Option<&Path>) {
    addresses(draft, cx);
    proxies(draft, cx);
    database(draft, cx);
    times(draft, cx);
    if draft.key_file.is_none() && !is_noted(cx, "key_file") {
        note(
            cx,
            "key_file",
            "is missing: name a file with a key-encryption key, readable by the server alone",
        );
    }
    if let Some(file) = look {
        secrets_in_the_open(draft, cx, file);
        files(draft, cx);
        if draft.database_password_file.is_some() {
            draft.join_password(cx);
        }
    }
}

fn addresses(draft: &Draft, cx: &mut Context) {
    match &draft.public_url {
        None if !is_noted(cx, "public_url") => {
            note(
                cx,
                "public_url",
                "is missing: write the address that people use, such as https://id.example.com",
            );
        }
        Some(public) if !public.is_secure() => note(
            cx,
            "public_url",
            "must begin with https://: tokens and passwords pass there; `vestibule dev` takes http",
        ),
        _ => {}
    }
    let path = draft.public_url.as_ref().map_or("", Base::path);
    if draft.base_path.as_deref().is_some_and(|own| own != path) && draft.public_url.is_some() {
        note(cx, "base_path", format!("must be {path:?}, the path of public_url, or be left out"));
    }
    for (index, alias) in draft.aliases.iter().enumerate() {
        if draft.public_url.is_some() && alias.path() != path {
            note(cx, &format!("aliases[{index}]"), format!("must end in the path of public_url, {path:?}"));
        }
    }
    if let (Some(listen), Some(Some(management))) = (draft.listen, draft.management)
        && listen.port() == management.port()
        && listen.port() != 0
    {
        note(cx, "management_listen", "needs another port than `listen`");
    }
}

fn proxies(draft: &Draft, cx: &mut Context) {
    let pair = [("tls.certificate_file", &draft.certificate_file), ("tls.key_file", &draft.tls_key_file)];
    let named = pair.iter().filter(|(_, file)| file.is_some()).count();
    for (field, _) in pair.iter().filter(|(_, file)| file.is_none() && named == 1) {
        note(cx, field, "is missing: certificate and key go together");
    }
    certificates(draft, cx, named > 0);
    if !draft.behind_tls_proxy && named == 0 {
        note(
            cx,
            "behind_tls_proxy",
            "must be true: without [tls] this server speaks plain HTTP and needs a proxy in front that speaks TLS",
        );
    } else if draft.behind_tls_proxy && draft.proxies.trusted.is_empty() && !is_noted(cx, "trusted_proxies") {
        note(
            cx,
            "trusted_proxies",
            "is missing: list the addresses of the proxy in front, such as [\"127.0.0.1\", \"::1\"] or [\"10.0.0.0/8\"]",
        );
    }
    if draft.proxies.trusted.iter().any(|range| Cidr::EVERY.contains(range)) {
        note(
            cx,
            "trusted_proxies",
            "must not hold every address: whoever connects could pretend to be anyone",
        );
    }
}

/// Asking clients for certificates.
fn certificates(draft: &Draft, cx: &mut Context, ends_tls: bool) {
    if !ends_tls && draft.client_certificates {
        let message = "needs certificate_file and key_file: a proxy in front hides clients'";
        note(cx, "tls.client_certificates", message);
    }
    for (field, there) in [
        ("tls.client_ca_file", draft.client_ca_file.is_some()),
        ("tls.client_certificates_url", draft.client_certificates_url.is_some()),
    ] {
        if there && !draft.client_certificates {
            note(cx, field, "is of no use without client_certificates = true");
        }
    }
    let (Some(url), Some(public)) = (&draft.client_certificates_url, &draft.public_url) else { return };
    let mut refuse = |message: String| note(cx, "tls.client_certificates_url", message);
    if !url.is_secure() || url.path() != public.path() {
        refuse(format!("must begin with https:// and end in the path of public_url, {:?}", public.path()));
    }
    // A client names the host in the handshake, but neither its port nor an IP address.
    let address =
        url.host().starts_with('[') || url.host().bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.'));
    if address || url.host() == public.host() {
        refuse("needs a host name of its own: by it the server knows whom to ask".to_owned());
    }
}

fn database(draft: &Draft, cx: &mut Context) {
    match &draft.database {
        None if !is_noted(cx, "database") => {
            note(
                cx,
                "database",
                "is missing: write sqlite:///var/lib/vestibule/vestibule.db or postgres://…",
            );
        }
        Some(database) if database.is_memory() => {
            note(cx, "database", "must not be in memory: everything would be gone at the next start");
        }
        _ => {}
    }
}

fn times(draft: &Draft, cx: &mut Context) {
    if draft.limits.shutdown_delay >= draft.limits.drain_timeout {
        note(cx, "limits.shutdown_delay", "must be shorter than drain_timeout, which it is a part of");
    }
}

/// A password in a file that everybody may read is no secret.
fn secrets_in_the_open(draft: &Draft, cx: &mut Context, file: &Path) {
    if draft.password_inline && is_open(file) {
        note(
            cx,
            "database",
            "holds a password in a file that others may read: make the file 0600, or use database_password_file",
        );
    }
    if draft.database_password_file.as_deref().is_some_and(is_open) {
        note(
            cx,
            "database_password_file",
            "may be read by everybody: make it 0600, or 0640 for a group of its own",
        );
    }
}

#[cfg(unix)]
fn is_open(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_open(_: &Path) -> bool {
    false
}

fn files(draft: &Draft, cx: &mut Context) {
    if let Some(files) = draft.tls() {
        if is_open(&files.key) {
            note(
                cx,
                "tls.key_file",
                "may be read by everybody: make it 0600, or 0640 for a group of its own",
            );
        }
        if let Err(error) = Tls::load(files.clone()) {
            let authorities = files.client_authorities.as_ref().is_some_and(|file| error.is_about(file));
            let field = match error.is_about(&files.key) {
                true => "tls.key_file",
                false if authorities => "tls.client_ca_file",
                false => "tls.certificate_file",
            };
            note(cx, field, error.to_string());
        }
    }
    if let Some(Err(error)) = draft.key_file.as_deref().map(Vault::load) {
        let advice = error.fault.advice(&error.path);
        note(cx, "key_file", format!("{}: {}{advice}", error.path.display(), error.fault));
    }
    let folder = draft.database.as_ref().and_then(|database| database.as_file()?.parent());
    if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        let message = format!("there is no folder {0}; to make it: install -d -m 0700 {0}", folder.display());
        note(cx, "database", message);
    }
    let named =
        draft.realm_files.iter().enumerate().map(|(index, file)| (format!("realm_files[{index}]"), file));
    let named = named.chain(draft.outbound.ca_files.iter().map(|file| ("outbound.ca_file".to_owned(), file)));
    for (field, file) in named.collect::<Vec<_>>() {
        if let Err(error) = std::fs::File::open(file) {
            note(cx, &field, format!("{}: {error}", file.display()));
        }
    }
}

/// Whether something is wrong at `field` already, so that it does not count as missing too.
fn is_noted(cx: &Context, field: &str) -> bool {
    cx.problems
        .iter()
        .any(|problem| problem.field == field || problem.field.starts_with(&format!("{field}[")))
}
