//! Passwords and other credentials of users, as administrators set, see and take them away. None of them is ever shown.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::{beside, users};
use crate::keycloak::credential::{
    KEPT, PASSWORD, Password, from_representations, problem, to_representation,
};
use crate::keycloak::representation::CredentialRepresentation;
use crate::keycloak::user::UPDATE_PASSWORD;
use crate::keycloak::{Beside, Kept};
use crate::protocol::credential::{Credential, OTP};
use crate::protocol::user::User;
use crate::store::{Change, StoreError};

/// What is said when there is none.
const MISSING: &str = "Credential not found";

/// The member of representations that holds what a person calls a credential.
const LABEL: &str = "userLabel";

/// Characters that it has at most, as in Keycloak's column.
const LONGEST_LABEL: usize = 255;

/// The credentials of a body, ready to be kept.
pub(super) struct Ready {
    /// What keeps them.
    pub(super) changes: Vec<Change>,
    /// Whether a password is among them.
    pub(super) password: bool,
    temporary: bool,
}

impl Ready {
    /// A temporary password makes its user choose another.
    pub(super) fn demand(&self, user: &mut User) {
        let asked = |user: &User| user.required_actions.iter().any(|action| action == UPDATE_PASSWORD);
        if self.password && self.temporary && !asked(user) {
            user.required_actions.push(UPDATE_PASSWORD.to_owned());
        }
    }

    /// The same of a password that is set for its own sake: a lasting one is no more to be replaced.
    fn settle(&self, user: &mut User) {
        if self.password {
            user.required_actions.retain(|action| action != UPDATE_PASSWORD);
        }
        self.demand(user);
    }
}

/// Reads the credentials of a body: a password in the clear is hashed, what must be read again is sealed.
pub(super) async fn read(
    call: &Call,
    user_id: &str,
    body: Vec<CredentialRepresentation>,
) -> Result<Ready, AdminError> {
    let (realm_id, app) = (call.realm_id(), &call.server.app);
    let is_password =
        |one: &CredentialRepresentation| one.kind.as_deref().is_none_or(|kind| kind == PASSWORD);
    if body.iter().any(|one| is_password(one) && one.value.as_deref() == Some("")) {
        return Err(AdminError::bad("No password provided"));
    }
    if let Some(problem) = body.iter().find_map(problem) {
        return Err(AdminError::bad(problem));
    }
    let mut new_id = || Uuid::new_v4().to_string();
    let read = from_representations(body, realm_id, user_id, &[], call.now(), &mut new_id);
    if let Some(problem) = read.problems.first() {
        return Err(AdminError::bad(problem.to_string()));
    }
    let hash = match read.password {
        Some(Password::Plain(password)) => Some(app.passwords.hash(app.passwords.profile(), password).await?),
        Some(Password::Stored(hash)) => Some(hash),
        None => None,
    };
    let password = hash.is_some();
    let set = hash.map(|hash| Change::SetPassword {
        realm_id: realm_id.to_owned(),
        user_id: user_id.to_owned(),
        hash,
    });
    let others = read.others.into_iter().map(|credential| {
        let secret = app.vault.seal(&credential.place(), credential.secret.as_bytes());
        Change::PutCredential(Credential { secret, ..credential })
    });
    let changes = set.into_iter().chain(others).collect();
    Ok(Ready { changes, password, temporary: read.temporary })
}

/// Whether the user has a password.
pub(super) async fn has_password(call: &Call, user_id: &str) -> Result<bool, AdminError> {
    Ok(call.store().password_hash(call.realm_id(), user_id).await?.is_some())
}

/// Whoever held the old password is out, offline grants included (attacks F06).
pub(super) fn signed_out(call: &Call, user_id: &str) -> [Change; 2] {
    let (realm_id, user_id, at) = (call.realm_id().to_owned(), user_id.to_owned(), call.now());
    [
        Change::EndSessionsOfUser { realm_id: realm_id.clone(), user_id: user_id.clone(), at },
        Change::RevokeGrantsOfUser { realm_id, user_id, at },
    ]
}

/// Sets a password.
pub(super) async fn reset_password(call: Call) -> Answer {
    let user = users::manageable(&call).await?;
    let mut body: CredentialRepresentation = call.server.json()?;
    if body.kind.as_deref().is_some_and(|kind| kind != PASSWORD) {
        return Err(AdminError::bad("Only a password can be set here"));
    }
    if body.value.as_deref().is_none_or(str::is_empty) {
        return Err(AdminError::bad("No password provided"));
    }
    body.kind = Some(PASSWORD.to_owned());
    // Hashed once, which takes a while; the user is read after it, as often as somebody else is quicker.
    let ready = Arc::new(read(&call, &user.id, vec![body]).await?);
    call.repeated(move |call| {
        let ready = Arc::clone(&ready);
        Box::pin(async move { try_reset(call, &ready).await })
    })
    .await
}

async fn try_reset(call: &Call, ready: &Ready) -> Answer {
    let old = users::manageable(call).await?;
    let (id, mut user) = (old.id.clone(), old.clone());
    ready.settle(&mut user);
    let (realm_id, actions) = (call.realm_id().to_owned(), user.required_actions);
    let mut changes = vec![
        Change::ExpectUser(Box::new(old)),
        Change::SetRequiredActions { realm_id, user_id: id.clone(), actions },
    ];
    changes.extend(ready.changes.clone());
    if has_password(call, &id).await? {
        changes.extend(signed_out(call, &id));
    }
    let path = format!("users/{id}/reset-password");
    call.commit(changes, Operation::Action, "USER", &path).await?;
    done()
}

/// The user's credentials, without what is secret of them (attacks A06). The password goes by the user's identifier.
pub(super) async fn list(call: Call) -> Answer {
    let user = users::named(&call).await?;
    let mut shown = Vec::new();
    if has_password(&call, &user.id).await? {
        let mut password = Kept::from_iter([
            ("id".to_owned(), user.id.as_str().into()),
            ("type".to_owned(), PASSWORD.into()),
            ("createdDate".to_owned(), user.created_at.0.saturating_mul(1_000).into()),
            ("credentialData".to_owned(), "{}".into()),
        ]);
        let kept = beside::kept(&call, Beside::User, &user.id).await?;
        if let Some(label) = kept.get(KEPT).and_then(|kept| kept.get(LABEL)) {
            password.insert(LABEL.to_owned(), label.clone());
        }
        shown.push(Value::Object(password));
    }
    let others = call.store().credentials_of_user(call.realm_id(), &user.id).await?;
    shown.extend(others.iter().map(|credential| json!(to_representation(credential, None))));
    told(&shown)
}

/// Kinds of credentials that another system keeps for this one: there is none.
pub(super) async fn stored_elsewhere(call: Call) -> Answer {
    users::named(&call).await?;
    told(&Vec::<String>::new())
}

/// Takes a credential away.
pub(super) async fn delete(call: Call) -> Answer {
    let user = users::manageable(&call).await?;
    let id = call.part("credential").to_owned();
    let (realm_id, user_id) = (call.realm_id().to_owned(), user.id.clone());
    let change = if is_password(&call, &user, &id).await? {
        Change::RemovePassword { realm_id, user_id }
    } else {
        Change::DeleteCredential { realm_id, user_id, id: other(&call, &user, &id).await?.id }
    };
    let path = format!("users/{}/credentials/{id}", user.id);
    call.commit(vec![change], Operation::Action, "USER", &path).await?;
    done()
}

async fn other(call: &Call, user: &User, id: &str) -> Result<Credential, AdminError> {
    let others = call.store().credentials_of_user(call.realm_id(), &user.id).await?;
    let found = others.into_iter().find(|credential| credential.id == id);
    found.ok_or_else(|| AdminError::not_found(MISSING))
}

/// Calls a credential something; the body is the text itself, or JSON.
pub(super) async fn label(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_label(call))).await
}

async fn try_label(call: &Call) -> Answer {
    let user = users::manageable(call).await?;
    let text = String::from_utf8_lossy(&call.server.body).trim().to_owned();
    let text = serde_json::from_str::<String>(&text).unwrap_or(text);
    if text.trim().is_empty() {
        return Err(AdminError::missing("missingCredentialLabel", "Credential label must not be empty"));
    }
    if text.chars().count() > LONGEST_LABEL {
        return Err(AdminError::bad(format!("A credential's label has at most {LONGEST_LABEL} characters")));
    }
    let (realm_id, id) = (call.realm_id().to_owned(), call.part("credential").to_owned());
    let path = format!("users/{}/credentials/{id}/userLabel", user.id);
    let changes = if is_password(call, &user, &id).await? {
        let kept = beside::kept(call, Beside::User, &user.id).await?;
        let mut described = kept.get(KEPT).and_then(Value::as_object).cloned().unwrap_or_default();
        described.insert(LABEL.to_owned(), text.into());
        let all = Kept::from_iter([(KEPT.to_owned(), described.into())]);
        call.guarded(beside::keep(call, Beside::User, &user.id, all).await?.into_iter().collect())
    } else {
        other(call, &user, &id).await?;
        vec![Change::LabelCredential { realm_id, user_id: user.id, id, label: Some(text) }]
    };
    gone(call.commit(changes, Operation::Update, "USER", &path).await)
}

/// The password is known by the user's identifier.
async fn is_password(call: &Call, user: &User, id: &str) -> Result<bool, AdminError> {
    Ok(id == user.id && has_password(call, id).await?)
}

fn gone(done_so: Result<(), StoreError>) -> Answer {
    done_so.map_err(|error| AdminError::of_conflict(error, |_| AdminError::not_found(MISSING)))?;
    done()
}

/// Makes a credential the first that is tried.
pub(super) async fn move_first(call: Call) -> Answer {
    reorder(&call, None).await
}

/// Makes a credential the next after another.
pub(super) async fn move_after(call: Call) -> Answer {
    reorder(&call, Some(call.part("other"))).await
}

/// The password comes before all others whatever is said: it is asked for first.
async fn reorder(call: &Call, after: Option<&str>) -> Answer {
    let user = users::manageable(call).await?;
    let id = call.part("credential");
    if is_password(call, &user, id).await? {
        return match after {
            None => done(),
            Some(_) => Err(AdminError::bad("The password comes before all other credentials")),
        };
    }
    let moved = other(call, &user, id).await?;
    let mut others = call.store().credentials_of_user(call.realm_id(), &user.id).await?;
    others.retain(|credential| credential.id != moved.id);
    let place = match after {
        None => 0,
        Some(before) if is_password(call, &user, before).await? => 0,
        Some(before) => {
            let found = others.iter().position(|credential| credential.id == before);
            found.ok_or_else(|| AdminError::not_found(MISSING))?.saturating_add(1)
        }
    };
    let path = format!("users/{}/credentials/{}", user.id, moved.id);
    others.insert(place.min(others.len()), moved);
    let ordered = (1_i64..).zip(others).map(|(nth, credential)| Change::PlaceCredential {
        realm_id: credential.realm_id,
        user_id: credential.user_id,
        id: credential.id,
        priority: nth.saturating_mul(10),
    });
    gone(call.commit(ordered.collect(), Operation::Update, "USER", &path).await)
}

/// Takes all credentials of some kinds away.
pub(super) async fn disable_types(call: Call) -> Answer {
    let user = users::manageable(&call).await?;
    let kinds: Vec<String> = call.server.json()?;
    let (realm_id, user_id) = (call.realm_id().to_owned(), user.id.clone());
    let others = call.store().credentials_of_user(call.realm_id(), &user.id).await?;
    let named = |kind: &str| kinds.iter().any(|one| one == kind || (one == "totp" && kind == OTP));
    let mut changes: Vec<Change> = others
        .into_iter()
        .filter(|credential| named(&credential.kind))
        .map(|credential| Change::DeleteCredential {
            realm_id: realm_id.clone(),
            user_id: user_id.clone(),
            id: credential.id,
        })
        .collect();
    if named(PASSWORD) {
        changes.push(Change::RemovePassword { realm_id, user_id });
    }
    let path = format!("users/{}/disable-credential-types", user.id);
    call.commit(changes, Operation::Action, "USER", &path).await?;
    done()
}
