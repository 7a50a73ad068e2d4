//! Keycloak's ways to name a database.

use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::Options;
use crate::config::Database;

/// Whether nothing is to be kept.
pub(super) fn is_in_memory(options: &Options) -> bool {
    options.text("db") == Some("dev-mem")
}

/// The address of the database; none for a file of our own in the data folder.
///
/// # Errors
/// What to write instead, without repeating what may hold a password.
pub(super) fn address(options: &Options, data: &Path) -> Result<Option<String>, String> {
    match options.text("db") {
        None | Some("dev-file" | "dev-mem" | "h2" | "sqlite") => Ok(None),
        Some("postgres" | "postgresql") => postgres(options).map(Some),
        Some(text) if text.contains("://") => {
            Database::parse(text, data).map(|database| Some(database.url().to_owned()))
        }
        Some(other) => Err(format!("{other:?} is not supported: write postgres, dev-file or dev-mem")),
    }
}

/// How many connections are wished for.
pub(super) fn connections(options: &Options) -> Option<u32> {
    options.text("db-pool-max-size")?.parse().ok().filter(|most| *most > 0)
}

fn postgres(options: &Options) -> Result<String, String> {
    let text = |name| options.text(name);
    let mut url = match text("db-url") {
        Some(jdbc) => whole(jdbc)?,
        None => {
            let host = text("db-url-host").unwrap_or("localhost");
            let port = text("db-url-port").unwrap_or("5432");
            let database = text("db-url-database").unwrap_or("keycloak");
            let properties = text("db-url-properties").unwrap_or_default();
            let unreadable = |_| "db-url-host, -port, -database and -properties make no address".to_owned();
            Url::parse(&format!("postgres://{host}:{port}/{database}{properties}")).map_err(unreadable)?
        }
    };
    schema(options, &mut url)?;
    let hostless = |()| "the address of the database names no host".to_owned();
    if let Some(user) = text("db-username") {
        url.set_username(&utf8_percent_encode(user, NON_ALPHANUMERIC).to_string()).map_err(hostless)?;
    }
    if let Some(password) = text("db-password") {
        let escaped = utf8_percent_encode(password, NON_ALPHANUMERIC).to_string();
        url.set_password(Some(&escaped)).map_err(hostless)?;
    }
    Ok(url.into())
}

/// The schema, as an option or in JDBC's words in the address, in those of Postgres; and JDBC's word for TLS.
fn schema(options: &Options, url: &mut Url) -> Result<(), String> {
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut schema = options.text("db-schema").map(str::to_owned);
    pairs.retain_mut(|(name, value)| match name.as_str() {
        "currentSchema" => {
            schema.get_or_insert_with(|| value.clone());
            false
        }
        "ssl" => {
            let on = value.is_empty() || value == "true";
            (*name, *value) = ("sslmode".to_owned(), if on { "require" } else { "prefer" }.to_owned());
            true
        }
        _ => true,
    });
    if let Some(schema) = schema {
        if !schema.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err("the schema is of letters, digits and _: write another in db-schema".to_owned());
        }
        pairs.push(("options".to_owned(), format!("-c search_path={schema}")));
    }
    url.set_query(None);
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Ok(())
}

/// `jdbc:postgresql://HOST:PORT/DATABASE?user=…`.
fn whole(jdbc: &str) -> Result<Url, String> {
    let example = || "write jdbc:postgresql://HOST:PORT/DATABASE in db-url".to_owned();
    let bare = jdbc.strip_prefix("jdbc:").unwrap_or(jdbc);
    let rest = bare.strip_prefix("postgresql://").or_else(|| bare.strip_prefix("postgres://"));
    Url::parse(&format!("postgres://{}", rest.ok_or_else(example)?)).map_err(|_| example())
}
