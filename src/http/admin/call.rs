//! A request that passed the guard: who calls, over which realm, with what.

use axum::body::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

use super::answer::{AdminError, Answer, created};
use crate::app::Shared;
use crate::clock::Timestamp;
use crate::http::params::Params;
use crate::protocol::admin::{Caller, Permission, Rights};
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::issuer::Base;
use crate::realms::RealmState;
use crate::store::{Change, Page, Store};

/// Most rows that one answer lists (attacks A05).
const MOST_ROWS: i64 = 10_000;

/// How many lists and objects of a body may be inside of each other.
const DEEPEST: usize = 64;

/// How often a change is made anew because somebody else was quicker.
const MOST_ATTEMPTS: u32 = 32;

/// How much longer the pause before each of them is than the one before.
const PAUSE: Duration = Duration::from_millis(2);

/// An answer in the making.
pub(super) type Attempt<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// A request that needs no realm.
pub(super) struct ServerCall {
    /// The server.
    pub(super) app: Shared,
    /// Where it was asked.
    pub(super) base: Base,
    /// What the caller may do.
    pub(super) caller: Caller,
    /// Who the caller is: realm, user, client, network address.
    pub(super) who: Who,
    /// Parameters of the address.
    pub(super) query: Params,
    /// The body, when it is no form.
    pub(super) body: Bytes,
    /// The parts of a form.
    pub(super) form: BTreeMap<String, Vec<u8>>,
}

/// Who calls, for the audit trail.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) realm_id: String,
    pub(super) user_id: String,
    pub(super) client_id: String,
    pub(super) address: String,
}

/// A request about one realm.
pub(super) struct Call {
    /// The rest of it.
    pub(super) server: ServerCall,
    /// The realm, which may be disabled or without keys yet.
    pub(super) state: Arc<RealmState>,
    /// What the caller may do with it.
    pub(super) rights: Rights,
    /// The parts of the address that name something.
    pub(super) path: Vec<(String, String)>,
}

/// What was done, by Keycloak's names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Create,
    Update,
    Delete,
    Action,
}

impl Operation {
    fn kind(self) -> AuditKind {
        match self {
            Self::Create => AuditKind::AdminCreate,
            Self::Update => AuditKind::AdminUpdate,
            Self::Delete => AuditKind::AdminDelete,
            Self::Action => AuditKind::AdminAction,
        }
    }
}

impl ServerCall {
    /// The body as JSON. What it says beyond `T` is not refused.
    ///
    /// # Errors
    /// 400 for what is no such JSON, or is nested too deeply to be kept and read again inside of something else.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, AdminError> {
        read_json(&self.body)
    }

    /// The part `file` of a form as JSON, or the body when it is no form.
    ///
    /// # Errors
    /// 400, as for [`ServerCall::json`].
    pub(super) fn json_or_file<T: DeserializeOwned>(&self) -> Result<T, AdminError> {
        read_json(self.form.get("file").map_or(&self.body, |file| file.as_slice()))
    }

    /// The page that `first` and `max` name; without `max` it has `usual` rows.
    ///
    /// # Errors
    /// 400 for what is no number, and beyond the bounds (attacks A05).
    pub(super) fn page(&self, usual: i64) -> Result<Page, AdminError> {
        let first = self.number("first", 0, i64::MAX)?.unwrap_or(0);
        let max = self.number("max", 1, MOST_ROWS)?.unwrap_or(usual).min(MOST_ROWS);
        Ok(Page { first, max })
    }

    fn number(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, AdminError> {
        let Some(text) = self.query.get(name) else { return Ok(None) };
        let number = text.parse::<i64>().ok().filter(|number| (least..=most).contains(number));
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(AdminError::bad(format!("{name} must be a whole number from {least} to {most}"))),
        }
    }

    /// A parameter that is `true` or `false`, in letters of any case: Python's clients write `True`.
    ///
    /// # Errors
    /// 400 for anything else.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, AdminError> {
        match self.query.get(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(AdminError::bad(format!("{name} must be true or false"))),
        }
    }

    /// What is kept of a change: who made it, and of what, but not its values.
    pub(super) fn event(&self, realm_id: &str, operation: Operation, kind: &str, path: &str) -> Change {
        let Who { realm_id: realm, user_id, client_id, address } = &self.who;
        let auth = json!({ "realmId": realm, "userId": user_id, "clientId": client_id });
        Change::Audit(AuditEvent {
            id: Uuid::now_v7().to_string(),
            realm_id: realm_id.to_owned(),
            at: self.app.clock.now(),
            kind: operation.kind(),
            user_id: None,
            client_id: None,
            session_id: None,
            address: Some(address.clone()),
            error: None,
            detail: json!({ "resourceType": kind, "resourcePath": path, "auth": auth }),
        })
    }
}

/// Whether a body may give a new record this identifier, which then stands in addresses.
///
/// # Errors
/// 400 when not.
pub(super) fn is_identifier(id: &str) -> Result<(), AdminError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if id.is_empty() || id.len() > 36 || !id.bytes().all(plain) {
        return Err(AdminError::bad("An id has at most 36 letters, digits and '-'"));
    }
    Ok(())
}

fn read_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, AdminError> {
    if depth(text) > DEEPEST {
        return Err(AdminError::unreadable(format!("it is nested more than {DEEPEST} levels deep")));
    }
    serde_json::from_slice(text).map_err(AdminError::unreadable)
}

/// How many lists and objects are inside of each other, in text that may be JSON.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth = depth.saturating_add(1);
                deepest = depth.max(deepest);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

impl Call {
    /// The store.
    pub(super) fn store(&self) -> &Store {
        &self.server.app.store
    }

    /// Identifier of the realm.
    pub(super) fn realm_id(&self) -> &str {
        &self.state.realm.id
    }

    /// The moment.
    pub(super) fn now(&self) -> Timestamp {
        self.server.app.clock.now()
    }

    /// A part of the address.
    pub(super) fn part(&self, name: &str) -> &str {
        self.path.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Whether the caller may do this too.
    pub(super) fn may(&self, permission: Permission) -> bool {
        self.rights.any_of(permission.roles())
    }

    /// What must be so that a change which was made from what was read is made: nobody changed the realm since. To be
    /// committed first, by what [`Call::repeated`] runs.
    pub(super) fn unmoved(&self) -> Change {
        Change::ExpectVersion { realm_id: self.realm_id().to_owned(), version: self.state.realm.version }
    }

    /// `changes` of what is no configuration, made only if nobody changed the realm since. Whoever read it before them
    /// makes theirs anew.
    pub(super) fn guarded(&self, mut changes: Vec<Change>) -> Vec<Change> {
        if !changes.is_empty() {
            changes.insert(0, self.unmoved());
            changes.push(Change::Reconfigure { realm_id: self.realm_id().to_owned() });
        }
        changes
    }

    /// Answers by `attempt`, once more with the realm as it is by then when somebody else was quicker: of changes to
    /// parts of one record side by side, none is lost. On this node they come one after another, so that it is only other
    /// nodes that can be quicker. What takes long (a hash) belongs before it.
    ///
    /// # Errors
    /// Those of `attempt`; 503 when the turn does not come in time.
    pub(super) async fn repeated<F>(mut self, attempt: F) -> Answer
    where
        F: for<'a> Fn(&'a Self) -> Attempt<'a> + Send + Sync,
    {
        let app = Arc::clone(&self.server.app);
        let turn = app.configuring.of(self.realm_id(), 1).await?;
        if turn.waited() {
            self.read_again().await?;
        }
        for nth in 1..MOST_ATTEMPTS {
            match attempt(&self).await {
                Err(AdminError::Moved) => {}
                answer => return answer,
            }
            tokio::time::sleep(PAUSE.saturating_mul(nth)).await;
            self.read_again().await?;
        }
        attempt(&self).await
    }

    async fn read_again(&mut self) -> Result<(), AdminError> {
        let app = &self.server.app;
        app.realms.refresh(&app.store).await?;
        let state = app.realms.administered(&app.store, &self.state.realm.name).await?;
        self.state = state.ok_or_else(|| AdminError::not_found("Realm not found."))?;
        Ok(())
    }

    /// Commits `changes` and the event that tells of them, in one transaction.
    pub(super) async fn commit(
        &self,
        mut changes: Vec<Change>,
        operation: Operation,
        kind: &str,
        path: &str,
    ) -> Result<(), crate::store::StoreError> {
        changes.push(self.server.event(self.realm_id(), operation, kind, path));
        self.server.app.commit(changes).await
    }

    /// 201 with the address of what was made: `users/{id}`, each part of `path` escaped.
    pub(super) fn created(&self, path: &[&str]) -> Answer {
        let escaped = |part: &&str| percent_encode(part.as_bytes(), PLAIN).to_string();
        let path = path.iter().map(escaped).collect::<Vec<_>>().join("/");
        created(&format!("{}/admin/realms/{}/{path}", self.server.base, self.state.realm.name))
    }

    /// The realm with its first keys, which are made in the background after it is: whoever asks for them waits. A realm
    /// that is switched off may have none.
    ///
    /// # Errors
    /// Trouble of ours.
    pub(super) async fn with_keys(&self) -> Result<Arc<RealmState>, AdminError> {
        if !self.state.ring.keys().is_empty() {
            return Ok(Arc::clone(&self.state));
        }
        let app = &self.server.app;
        let named = app.realms.named(&app.store, &self.state.realm.name).await?;
        Ok(named.unwrap_or_else(|| Arc::clone(&self.state)))
    }
}

/// What must be escaped in a part of an address: all but RFC 3986's unreserved characters.
const PLAIN: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[cfg(test)]
mod tests {
    use super::depth;

    #[test]
    fn o03_levels_of_json_are_counted_outside_of_texts() {
        for (text, expected) in [
            ("1", 0),
            ("[]", 1),
            (r#"{"a": [{}, {}]}"#, 3),
            (r#"["[[[["]"#, 1),
            (r#"["\"[[[", "\\", []]"#, 2),
            ("]]][", 1),
        ] {
            assert_eq!(depth(text.as_bytes()), expected, "{text}");
        }
    }
}
