//! Finding users by what is known of them: over `search_key`, whose lines are user name, e-mail address, whole name, first
//! name and last name.
//!
//! What something begins with is found by an index when few have it. When many have it, or what is sought may stand
//! anywhere, users are looked at in the order of their names until the page is full.

use super::error::StoreError;
use super::statement::{Value, literal, sql};
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

/// What one of the fields is to be.
enum Sought<'a> {
    Whole(&'a str),
    Beginning(&'a str),
    Part(&'a str),
}

/// What `search_key` holds; the two names are canonical already.
pub(super) fn key(user: &User, username: &str, email: &str) -> String {
    let line = |text: Option<&str>| canonical(text.unwrap_or_default()).replace('\n', " ");
    let (name, first) = (user.full_name(), user.first_name.as_deref());
    let lines = [line(name.as_deref()), line(first), line(user.last_name.as_deref())];
    format!("{}\n{}\n{}", username.replace('\n', " "), email.replace('\n', " "), lines.join("\n"))
}

/// The whole name and the last name as `search_key` holds them, each with an index of its own. A whole name begins with the
/// first one.
pub(super) fn names(user: &User) -> [String; 2] {
    let line = |text: Option<&str>| {
        let text = canonical(text.unwrap_or_default()).replace('\n', " ");
        text.chars().take(INDEXED).collect()
    };
    [line(user.full_name().as_deref()), line(user.last_name.as_deref())]
}

/// At most so many are found by an index and then sorted.
const FEW: i64 = 1_000;

/// At most so many are compared at a time.
const BATCH: i64 = 500;

/// Characters of a name that its index has.
const INDEXED: usize = 250;

/// Those for whom one of four keys lies between two texts, of each key as many as the last number at most; `$1` is the
/// realm. Four questions and not one with `OR`: without statistics SQLite would rather look at the whole realm.
macro_rules! candidates {
    ($a:literal $b:literal $c:literal $d:literal $e:literal $f:literal $g:literal $h:literal $most:literal) => {
        concat!(
            "SELECT id FROM (SELECT c.id FROM users c WHERE c.realm_id = $1 AND c.username BETWEEN ",
            $a,
            " AND ",
            $b,
            " LIMIT ",
            $most,
            ") one UNION SELECT id FROM (SELECT c.id FROM users c WHERE c.realm_id = $1 \
             AND c.email_key COLLATE \"binary\" BETWEEN ",
            $c,
            " AND ",
            $d,
            " LIMIT ",
            $most,
            ") two UNION SELECT id FROM (SELECT c.id FROM users c WHERE c.realm_id = $1 AND c.name_key BETWEEN ",
            $e,
            " AND ",
            $f,
            " LIMIT ",
            $most,
            ") three UNION SELECT id FROM (SELECT c.id FROM users c WHERE c.realm_id = $1 \
             AND c.last_name_key BETWEEN ",
            $g,
            " AND ",
            $h,
            " LIMIT ",
            $most,
            ") four"
        )
    };
}

/// Where a search looks among candidates, whose values come after its own. SQLite keeps to the order of a `CROSS JOIN`.
macro_rules! among_candidates {
    () => {
        concat!(
            " FROM (",
            candidates!("$6" "$7" "$8" "$9" "$10" "$11" "$12" "$13" "$14"),
            ") found CROSS JOIN users u WHERE u.id = found.id AND "
        )
    };
}

/// The first and the last text that a key may be: user name, e-mail address, whole name, last name.
type Ranges = [(String, String); 4];

/// Every text that begins with `text`, in the order of bytes.
fn beginning_with(text: &str) -> (String, String) {
    let text: String = text.chars().take(INDEXED).collect();
    let last = format!("{text}\u{10ffff}");
    (text, last)
}

/// No text at all.
fn nothing() -> (String, String) {
    ("b".to_owned(), "a".to_owned())
}

/// The conditions of a search; `$1` is the realm.
macro_rules! searched {
    () => {
        "u.realm_id = $1 AND u.service_account_client IS NULL \
         AND u.search_key LIKE $2 ESCAPE '!' \
         AND ('\n' || u.search_key || '\n') LIKE $3 ESCAPE '!' \
         AND ($4 < 0 OR u.enabled = $4) AND ($5 < 0 OR u.email_verified = $5)"
    };
}

impl UserSearch {
    /// Where the keys lie of all who can be found; none when they may lie anywhere.
    fn ranges(&self) -> Option<Ranges> {
        if let Some(Sought::Whole(text) | Sought::Beginning(text)) = self.sought() {
            let text = canonical(text);
            return (!text.is_empty()).then(|| std::array::from_fn(|_| beginning_with(&text)));
        }
        let own = [&self.username, &self.email, &self.first_name, &self.last_name];
        let given = own.iter().position(|text| text.is_some()).filter(|_| self.exact)?;
        let text = canonical(own.get(given)?.as_deref()?);
        // A first name has no key of its own, and begins the whole name.
        Some(std::array::from_fn(|key| if key == given { beginning_with(&text) } else { nothing() }))
    }

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

    /// How [`UserSearch::any`] is meant.
    fn sought(&self) -> Option<Sought<'_>> {
        let text = self.any.as_deref()?.trim();
        let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let starred = text.strip_prefix('*').map(|text| text.strip_suffix('*').unwrap_or(text));
        Some(match (quoted, starred) {
            (Some(whole), _) => Sought::Whole(whole),
            (None, Some(part)) => Sought::Part(part),
            (None, None) => Sought::Beginning(text.strip_suffix('*').unwrap_or(text)),
        })
    }

    /// A pattern for the key between two line breaks.
    fn anything(&self) -> String {
        match self.sought() {
            None => "%".to_owned(),
            Some(Sought::Whole(text)) => format!("%\n{}\n%", literal(text)),
            Some(Sought::Part(text)) => format!("%{}%", literal(text)),
            Some(Sought::Beginning(text)) => format!("%\n{}%", literal(text)),
        }
    }

    /// The values of `searched!`.
    fn conditions(&self, realm_id: &str) -> [Value; 5] {
        let (enabled, verified) = (either(self.enabled), either(self.email_verified));
        [realm_id.into(), self.fields().into(), self.anything().into(), enabled.into(), verified.into()]
    }

    fn has_attributes(&self, user: &User) -> bool {
        self.attributes.iter().all(|(name, value)| {
            user.attributes.get(name).is_some_and(|values| values.iter().any(|own| own == value))
        })
    }
}

/// A pattern for the JSON text of attributes that has them among others, with this value among its own.
fn holding(name: &str, value: &str) -> Result<String, StoreError> {
    let text = |text: &str| -> Result<String, StoreError> {
        Ok(serde_json::to_string(text)?.replace('!', "!!").replace('%', "!%").replace('_', "!_"))
    };
    Ok(format!("%{}:[%{}%", text(name)?, text(value)?))
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
        if !search.attributes.is_empty() {
            let (mut found, mut skipped) = (Vec::new(), 0);
            self.each_with_attributes(realm_id, search, |user| {
                if skipped < page.first {
                    skipped += 1;
                } else {
                    found.push(user);
                }
                i64::try_from(found.len()).is_ok_and(|rows| rows < page.max)
            })
            .await?;
            return Ok(found);
        }
        let conditions = search.conditions(realm_id);
        let statement = match self.few(realm_id, search).await? {
            Some(few) => {
                let text = concat!(
                    "SELECT ",
                    user_columns!(),
                    among_candidates!(),
                    searched!(),
                    " ORDER BY u.username LIMIT $16 OFFSET $15"
                );
                sql!(text).with(conditions).with(few).with([page.first.into(), page.max.into()])
            }
            None => {
                let text = concat!(
                    "SELECT ",
                    user_columns!(),
                    " FROM users u WHERE ",
                    searched!(),
                    " ORDER BY u.username LIMIT $7 OFFSET $6"
                );
                sql!(text).with(conditions).with([page.first.into(), page.max.into()])
            }
        };
        let rows = self.db.listing::<Row>(statement).await?;
        rows.into_iter().map(Row::record).collect()
    }

    /// How many people a search finds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_searched_users(&self, realm_id: &str, search: &UserSearch) -> Result<i64, StoreError> {
        if !search.attributes.is_empty() {
            let mut count = 0;
            let counted = |_| {
                count += 1;
                true
            };
            self.each_with_attributes(realm_id, search, counted).await?;
            return Ok(count);
        }
        let conditions = search.conditions(realm_id);
        let statement = match self.few(realm_id, search).await? {
            Some(few) => {
                let text = concat!("SELECT COUNT(*)", among_candidates!(), searched!());
                sql!(text).with(conditions).with(few)
            }
            None => sql!(concat!("SELECT COUNT(*) FROM users u WHERE ", searched!())).with(conditions),
        };
        let counted = self.db.listing::<(i64,)>(statement).await?;
        Ok(counted.first().map_or(0, |(count,)| *count))
    }

    /// Shows the users whom a search by attributes finds, by user name, until `goes_on` says no. Attributes are JSON, which
    /// the two databases look into in two ways: its text says who can be meant, so many at a time, and which of them are is
    /// compared here.
    async fn each_with_attributes(
        &self,
        realm_id: &str,
        search: &UserSearch,
        mut goes_on: impl FnMut(User) -> bool + Send,
    ) -> Result<(), StoreError> {
        let Some((name, value)) = search.attributes.first() else { return Ok(()) };
        let (holding, few) = (holding(name, value)?, self.few(realm_id, search).await?);
        let mut after = String::new();
        loop {
            let conditions = search.conditions(realm_id);
            let statement = match &few {
                Some(few) => {
                    let text = concat!(
                        "SELECT ",
                        user_columns!(),
                        among_candidates!(),
                        searched!(),
                        " AND u.username > $15 AND u.attributes LIKE $16 ESCAPE '!' ORDER BY u.username LIMIT $17"
                    );
                    sql!(text).with(conditions).with(few.iter().cloned())
                }
                None => {
                    let text = concat!(
                        "SELECT ",
                        user_columns!(),
                        " FROM users u WHERE ",
                        searched!(),
                        " AND u.username > $6 AND u.attributes LIKE $7 ESCAPE '!' ORDER BY u.username LIMIT $8"
                    );
                    sql!(text).with(conditions)
                }
            };
            let statement = statement.with([(&after).into(), (&holding).into(), BATCH.into()]);
            let rows = self.db.listing::<Row>(statement).await?;
            let is_last = i64::try_from(rows.len()).is_ok_and(|rows| rows < BATCH);
            for row in rows {
                let user = row.record()?;
                after.clone_from(&user.username);
                if search.has_attributes(&user) && !goes_on(user) {
                    return Ok(());
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// The values of `candidates!`, when few can be found.
    async fn few(&self, realm_id: &str, search: &UserSearch) -> Result<Option<Vec<Value>>, StoreError> {
        let Some(ranges) = search.ranges() else { return Ok(None) };
        let ends = ranges.into_iter().flat_map(|(first, last)| [first.into(), last.into()]);
        let values: Vec<Value> = ends.chain([(FEW + 1).into()]).collect();
        let text = concat!(
            "SELECT COUNT(*) FROM (",
            candidates!("$2" "$3" "$4" "$5" "$6" "$7" "$8" "$9" "$10"),
            ") found"
        );
        let counted = self.db.listing::<(i64,)>(sql!(text, realm_id).with(values.clone())).await?;
        Ok(counted.first().is_some_and(|(count,)| *count <= FEW).then_some(values))
    }
}
