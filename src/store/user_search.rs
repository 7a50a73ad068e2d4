//! Finding users by what is known of them: one statement over `search_key`, whose lines are user name, e-mail address, whole
//! name, first name and last name.

use super::error::StoreError;
use super::statement::{literal, sql};
use super::user::{Row, user_columns};
use super::{Page, Store};
use crate::protocol::user::{User, canonical};

/// What users are searched by; all of it must fit. Letters' case never matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserSearch {
    /// What any of the fields begins with; `*text*`: holds; `"text"`: is.
    pub any: Option<String>,
    /// What the user name holds.
    pub username: Option<String>,
    /// What the e-mail address holds.
    pub email: Option<String>,
    /// What the first name holds.
    pub first_name: Option<String>,
    /// What the last name holds.
    pub last_name: Option<String>,
    /// The four fields above are the whole text and not a part of it.
    pub exact: bool,
    /// Whether the user may sign in.
    pub enabled: Option<bool>,
    /// Whether the address was proven.
    pub email_verified: Option<bool>,
    /// Attributes that the user has, each with this value among its own.
    pub attributes: Vec<(String, String)>,
}

/// What `search_key` holds; the two names are canonical already.
pub(super) fn key(user: &User, username: &str, email: &str) -> String {
    let line = |text: Option<&str>| canonical(text.unwrap_or_default()).replace('\n', " ");
    let (name, first) = (user.full_name(), user.first_name.as_deref());
    let lines = [line(name.as_deref()), line(first), line(user.last_name.as_deref())];
    format!("{}\n{}\n{}", username.replace('\n', " "), email.replace('\n', " "), lines.join("\n"))
}

/// The conditions of a search; `$1` is the realm.
macro_rules! searched {
    () => {
        " FROM users u WHERE u.realm_id = $1 AND u.service_account_client IS NULL \
         AND u.search_key LIKE $2 ESCAPE '!' \
         AND ('\n' || u.search_key || '\n') LIKE $3 ESCAPE '!' \
         AND ($4 < 0 OR u.enabled = $4) AND ($5 < 0 OR u.email_verified = $5)"
    };
}

impl UserSearch {
    /// A pattern for the whole of `search_key`: it has as many line breaks as the key, so that none of its parts reaches
    /// beyond its own line.
    fn fields(&self) -> String {
        let part = |text: &Option<String>| match text {
            None => "%".to_owned(),
            Some(text) if self.exact => literal(text),
            Some(text) => format!("%{}%", literal(text)),
        };
        let (username, email) = (part(&self.username), part(&self.email));
        format!("{username}\n{email}\n%\n{}\n{}", part(&self.first_name), part(&self.last_name))
    }

    /// A pattern for the key between two line breaks.
    fn anything(&self) -> String {
        let Some(text) = self.any.as_deref().map(str::trim) else { return "%".to_owned() };
        let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let starred = text.strip_prefix('*').map(|text| text.strip_suffix('*').unwrap_or(text));
        match (quoted, starred) {
            (Some(whole), _) => format!("%\n{}\n%", literal(whole)),
            (None, Some(part)) => format!("%{}%", literal(part)),
            (None, None) => format!("%\n{}%", literal(text.strip_suffix('*').unwrap_or(text))),
        }
    }

    fn has_attributes(&self, user: &User) -> bool {
        self.attributes.iter().all(|(name, value)| {
            user.attributes.get(name).is_some_and(|values| values.iter().any(|own| own == value))
        })
    }
}

/// A switch as the statement takes it: below zero for either.
fn either(switch: Option<bool>) -> i64 {
    switch.map_or(-1, i64::from)
}

impl Store {
    /// The people whom a search finds, by user name; service accounts are none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn search_users(
        &self,
        realm_id: &str,
        search: &UserSearch,
        page: Page,
    ) -> Result<Vec<User>, StoreError> {
        let text =
            concat!("SELECT ", user_columns!(), searched!(), " ORDER BY u.username LIMIT $7 OFFSET $6");
        // Attributes are JSON, which the two databases look into in two ways: they are compared here.
        let rows = if search.attributes.is_empty() { page } else { Page::ALL };
        let (enabled, verified) = (either(search.enabled), either(search.email_verified));
        let statement =
            sql!(text, realm_id, search.fields(), search.anything(), enabled, verified, rows.first, rows.max);
        let rows = self.db.listing::<Row>(statement).await?;
        let users = rows.into_iter().map(Row::record).collect::<Result<Vec<_>, _>>()?;
        if search.attributes.is_empty() {
            return Ok(users);
        }
        Ok(page.of(users.into_iter().filter(|user| search.has_attributes(user)).collect()))
    }

    /// How many people a search finds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_searched_users(&self, realm_id: &str, search: &UserSearch) -> Result<i64, StoreError> {
        if !search.attributes.is_empty() {
            let found = self.search_users(realm_id, search, Page::ALL).await?.len();
            return Ok(i64::try_from(found).unwrap_or(i64::MAX));
        }
        let text = concat!("SELECT COUNT(*)", searched!());
        let (enabled, verified) = (either(search.enabled), either(search.email_verified));
        let statement = sql!(text, realm_id, search.fields(), search.anything(), enabled, verified);
        let counted = self.db.listing::<(i64,)>(statement).await?;
        Ok(counted.first().map_or(0, |(count,)| *count))
    }
}
