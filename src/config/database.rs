//! Which database, with its password kept out of sight.

use std::fmt;
use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;
use zeroize::Zeroizing;

use crate::secrets::Secret;

/// A database's address. `Debug` and `Display` mask its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Database {
    url: Secret,
    /// Most connections: to Postgres, or readers of a SQLite file.
    pub max_connections: u32,
}

impl Database {
    /// Connections, unless told otherwise.
    pub const MAX_CONNECTIONS: u32 = 10;

    /// A SQLite database in memory, gone with the process.
    #[must_use]
    pub fn memory() -> Self {
        Self { url: "sqlite::memory:".into(), max_connections: Self::MAX_CONNECTIONS }
    }

    /// A SQLite file.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        let url = format!("sqlite://{}", path.to_string_lossy());
        Self { url: url.into(), max_connections: Self::MAX_CONNECTIONS }
    }

    /// Reads `sqlite://FILE`, `sqlite::memory:` or `postgres://…`; a relative file is taken from `folder`. A file's path is
    /// taken as it is written: `%20` is three characters.
    ///
    /// # Errors
    /// What to write instead. The text itself is not repeated, since it may hold a password.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let url = match text.split_once(':') {
            Some(("sqlite", rest)) => sqlite(rest, folder)?,
            Some(("postgres" | "postgresql", _)) => postgres(text)?,
            _ => return Err("begin with sqlite:// or postgres://".into()),
        };
        Ok(Self { url: url.into(), max_connections: Self::MAX_CONNECTIONS })
    }

    /// The address with its password, for the one place that connects.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.expose()
    }

    /// Whether it lives in memory only.
    #[must_use]
    pub fn is_memory(&self) -> bool {
        self.url() == "sqlite::memory:"
    }

    /// Whether it is SQLite.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        self.url().starts_with("sqlite:")
    }

    /// The file that it is, when it is one.
    #[must_use]
    pub fn as_file(&self) -> Option<&Path> {
        self.url().strip_prefix("sqlite://").map(Path::new)
    }

    /// Whether a password stands in the address.
    #[must_use]
    pub fn has_password(&self) -> bool {
        Url::parse(self.url()).is_ok_and(|url| {
            url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")
        })
    }

    /// The same database with this password.
    ///
    /// # Errors
    /// When the database is one that takes none, or has one already.
    pub fn with_password(self, password: &Secret) -> Result<Self, String> {
        if self.is_sqlite() {
            return Err("SQLite takes no password".into());
        }
        if self.has_password() {
            return Err("the address of the database holds a password too: keep one of the two".into());
        }
        let mut url = Url::parse(self.url()).map_err(|_| "the address of the database cannot be read")?;
        // `set_password` leaves a `%` as it is, and the driver would read it as the beginning of an escape.
        let escaped = Zeroizing::new(utf8_percent_encode(password.expose(), NON_ALPHANUMERIC).to_string());
        url.set_password(Some(&escaped)).map_err(|()| "the address of the database names no host")?;
        Ok(Self { url: String::from(url).into(), ..self })
    }
}

fn sqlite(rest: &str, folder: &Path) -> Result<String, String> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    match path {
        ":memory:" => return Ok("sqlite::memory:".into()),
        "" => return Err("name a file after sqlite://".into()),
        // Other programs read settings after it, which would be a part of the file's name here.
        path if path.contains('?') => {
            return Err("write the path alone, without ?…; sqlite::memory: is a database in memory".into());
        }
        _ => {}
    }
    Ok(format!("sqlite://{}", folder.join(path).to_string_lossy()))
}

fn postgres(text: &str) -> Result<String, String> {
    let example =
        "write postgres://USER@HOST:PORT/DATABASE, with % escapes for special characters in a password";
    let url = Url::parse(text).map_err(|error| format!("{error}; {example}"))?;
    let socket = url.query_pairs().any(|(name, _)| name == "host");
    if url.host_str().is_none_or(str::is_empty) && !socket {
        return Err(format!("there is no host; {example}"));
    }
    Ok(text.to_owned())
}

impl fmt::Display for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sqlite() {
            return formatter.write_str(self.url());
        }
        let Ok(mut url) = Url::parse(self.url()) else { return formatter.write_str("postgres://…") };
        // A query may hold a password as well, and nothing in it is needed to recognize a database.
        url.set_query(None);
        if url.password().is_some() && url.set_password(Some("***")).is_err() {
            return formatter.write_str("postgres://…");
        }
        write!(formatter, "{url}")
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Database({self}, {} connections)", self.max_connections)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, String> {
        Database::parse(text, Path::new("/etc/a b%")).map(|database| database.url().to_owned())
    }

    #[test]
    fn addresses() {
        let rows = [
            ("sqlite:///var/lib/v.db", Some("sqlite:///var/lib/v.db")),
            ("sqlite:data/v.db", Some("sqlite:///etc/a b%/data/v.db")),
            ("sqlite:///srv/100%/a#b%20.db", Some("sqlite:///srv/100%/a#b%20.db")),
            ("sqlite://v.db?mode=rwc", None),
            ("sqlite::memory:", Some("sqlite::memory:")),
            ("sqlite://:memory:", Some("sqlite::memory:")),
            ("sqlite://", None),
            ("sqlite://x?mode=memory", None),
            ("postgres://v:s@db:5432/v", Some("postgres://v:s@db:5432/v")),
            ("postgresql://db/v", Some("postgresql://db/v")),
            ("postgres:///v?host=/run/postgresql", Some("postgres:///v?host=/run/postgresql")),
            ("postgres:///v", None),
            ("postgres://v@db:port/v", None),
            ("mysql://db/v", None),
            ("/var/lib/v.db", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(parsed(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let inline = "postgres://v:canary@db/v?sslmode=require";
        let database = Database::parse(inline, Path::new("")).unwrap();
        assert_eq!(database.to_string(), "postgres://v:***@db/v");
        let query = Database::parse("postgres://v@db/v?password=canary", Path::new("")).unwrap();
        for shown in [format!("{database:?}"), format!("{query:?}"), query.to_string()] {
            assert!(!shown.contains("canary"), "{shown}");
        }
        let broken = Database::parse("postgres://v:canary@db:port/v", Path::new("")).unwrap_err();
        assert!(!broken.contains("canary"), "{broken}");
    }

    #[test]
    fn a_password_is_put_in_once_and_escaped() {
        let database = |text| Database::parse(text, Path::new("")).unwrap();
        let secret = Secret::from("a/b:c@d%41");
        let whole = database("postgres://v@db/v").with_password(&secret).unwrap();
        assert_eq!(whole.url(), "postgres://v:a%2Fb%3Ac%40d%2541@db/v");
        assert!(database("postgres://v:x@db/v").with_password(&secret).is_err());
        assert!(database("sqlite://v.db").with_password(&secret).is_err());
    }
}
