//! `start`: what `serve` would refuse of it, told by Keycloak's names.

use std::net::SocketAddr;

use super::{
    Options, Process, Reader, data_folder, database, hostname, logging, process, public_url, stand_in,
};
use crate::config::production::refuse;
use crate::config::read::Draft;
use crate::config::{ConfigProblems, Database, Listen, StandIn};
use crate::protocol::issuer::Base;
use crate::realm_file::FileProblem;
use crate::realm_file::read::fields::Context;
use crate::server::Asks;

/// Our fields by the options that they come from, with what to say of one where our own words would not fit.
const FIELDS: [(&str, &str, &str); 6] = [
    (
        "public_url",
        "--hostname",
        "write the address that people use, such as https://id.example.com: tokens and passwords pass there, so it begins with https://",
    ),
    (
        "behind_tls_proxy",
        "--https-certificate-file",
        "without a certificate passwords would cross the network in the clear: name one, with its --https-certificate-key-file, or say which proxy in front speaks TLS with --http-enabled=true --proxy-headers=xforwarded",
    ),
    ("trusted_proxies", "--proxy-trusted-addresses", ""),
    ("tls.certificate_file", "--https-certificate-file", ""),
    ("tls.key_file", "--https-certificate-key-file", ""),
    ("management_listen", "--http-management-port", "needs another port than requests"),
];

/// What the options of `start` come to, as strictly as `serve` takes them.
///
/// # Errors
/// Every option that cannot be read, and all that production refuses.
pub fn production(options: &Options) -> Result<Process, ConfigProblems> {
    let mut reader = Reader { options, problems: Vec::new() };
    let data = data_folder(options);
    let path = reader.relative_path();
    let mut draft = draft(&mut reader, &path);
    let database = reader.read("db", database::address(options, &data)).flatten();
    draft.database = match (&database, database::is_in_memory(options)) {
        (Some(url), _) => reader.read("db", Database::parse(url, &data)),
        (None, true) => Some(Database::memory()),
        (None, false) => Some(Database::file(&data.join("vestibule.db"))),
    };
    if let (Some(database), Some(most)) = (&mut draft.database, database::connections(options)) {
        database.max_connections = most;
    }
    draft.outbound.ca_files = reader.ca_files();
    draft.key_file = Some(data.join("key-encryption.key"));
    let mut cx = Context::default();
    refuse(&mut draft, &mut cx, None);
    if options.text("https-key-store-file").is_some() && draft.certificate_file.is_none() {
        let why = "key stores are not read: write its certificate and key as PEM \
                   (openssl pkcs12 -in FILE -nodes), for --https-certificate-file and --https-certificate-key-file";
        reader.refuse("https-key-store-file", why);
    }
    let Reader { mut problems, .. } = reader;
    let told: Vec<String> = problems.iter().map(|problem| problem.field.clone()).collect();
    problems.extend(cx.problems.into_iter().map(renamed).filter(|problem| !told.contains(&problem.field)));
    if !problems.is_empty() {
        return Err(ConfigProblems(problems));
    }
    let mut config = draft.finished();
    config.stand_in =
        StandIn { at_root_too: !config.base_path.is_empty(), prepares: true, ..stand_in(options) };
    // Who asks by another name is told of it as an address for programs, and of nothing else.
    config.any_host = config.stand_in.follows_back_channel;
    let mut reader = Reader { options, problems: Vec::new() };
    if config.tls.is_some() && options.switch("http-enabled") == Some(true) {
        let https = SocketAddr::new(reader.host(), reader.port("https-port", 8443));
        config.stand_in.https_listen = Some(Listen::At(https));
    }
    logging(options, &mut config);
    Ok(process(options, &data, config))
}

fn draft(reader: &mut Reader<'_>, path: &str) -> Draft {
    let options = reader.options;
    let (plain, host) = (options.switch("http-enabled") == Some(true), reader.host());
    let proxies = reader.proxies(Vec::new());
    let proxied =
        ["proxy-headers", "proxy"].iter().any(|name| options.text(name).is_some_and(|it| it != "none"));
    let port = if plain { reader.port("http-port", 8080) } else { reader.port("https-port", 8443) };
    let tls = reader.tls();
    let public = hostname(options).and_then(|name| public_url(options, name, "https", path));
    let public_url = public.and_then(|text| {
        let read = Base::parse(&text).map_err(|error| format!("{error}, such as https://id.example.com"));
        reader.read("hostname", read)
    });
    Draft {
        public_url,
        listen: Some(SocketAddr::new(host, port)),
        management: Some(Some(SocketAddr::new(host, reader.port("http-management-port", 9000)))),
        behind_tls_proxy: plain && proxied,
        proxies,
        client_certificates: tls.as_ref().is_some_and(|files| files.asks != Asks::Nobody),
        client_ca_file: tls.as_ref().and_then(|files| files.client_authorities.clone()),
        certificate_file: tls.as_ref().map(|files| files.certificate.clone()),
        tls_key_file: tls.map(|files| files.key),
        // Keycloak's administrators and their tools have no other way in; `admin-cli` loses it as it does there.
        admin_cli_password_grant: true,
        ..Draft::default()
    }
}

fn renamed(problem: FileProblem) -> FileProblem {
    match FIELDS.iter().find(|(own, ..)| *own == problem.field) {
        Some((_, option, "")) => FileProblem { field: (*option).to_owned(), ..problem },
        Some((_, option, words)) => {
            FileProblem { field: (*option).to_owned(), message: (*words).to_owned(), ..problem }
        }
        None => problem,
    }
}
