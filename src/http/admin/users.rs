//! Users as administrators see and change them.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::{beside, credentials, groups, identities};
use crate::http::service_account::renewed;
use crate::keycloak::representation::UserRepresentation;
use crate::keycloak::user::{from_representation, problem, to_representation};
use crate::keycloak::{Beside, Kept};
use crate::protocol::admin::Permission;
use crate::protocol::credential::OTP;
use crate::protocol::look_alike::look_alike;
use crate::protocol::user::{User, canonical};
use crate::store::{Change, UserSearch};

/// How many rows a listing has when nobody says.
pub(super) const USUAL: i64 = 100;

/// The people whom the parameters find, by user name.
pub(super) async fn list(call: Call) -> Answer {
    let page = call.server.page(USUAL)?;
    if let Some(users) = identities::holders(&call).await? {
        return listed(&call, &page.of(users));
    }
    let users = call.store().search_users(call.realm_id(), &search(&call)?, page).await?;
    listed(&call, &users)
}

/// Users as lists show them.
pub(super) fn listed(call: &Call, users: &[User]) -> Answer {
    let brief = call.server.flag("briefRepresentation")? == Some(true);
    let shown = users.iter().map(|user| {
        let mut shown = to_representation(user, false, Kept::new());
        if brief {
            shown.attributes = None;
        }
        shown.access = Some(access(call));
        shown
    });
    told(&shown.collect::<Vec<_>>())
}

/// What the caller may do with a user.
fn access(call: &Call) -> std::collections::BTreeMap<String, bool> {
    let manages = call.may(Permission::ManageUsers);
    let rights = [
        ("manageGroupMembership", manages),
        ("view", call.may(Permission::ViewUsers)),
        ("mapRoles", manages),
        ("impersonate", call.may(Permission::Impersonate)),
        ("manage", manages),
    ];
    rights.map(|(name, granted)| (name.to_owned(), granted)).into()
}

/// How many people the parameters find.
pub(super) async fn count(call: Call) -> Answer {
    if let Some(users) = identities::holders(&call).await? {
        return told(&users.len());
    }
    told(&call.store().count_searched_users(call.realm_id(), &search(&call)?).await?)
}

fn search(call: &Call) -> Result<UserSearch, AdminError> {
    let text = |name: &str| call.server.query.get(name).map(str::to_owned);
    let attributes = call.server.query.get("q").map(attributes).transpose()?;
    Ok(UserSearch {
        any: text("search"),
        username: text("username"),
        email: text("email"),
        first_name: text("firstName"),
        last_name: text("lastName"),
        exact: call.server.flag("exact")?.unwrap_or(false),
        enabled: call.server.flag("enabled")?,
        email_verified: call.server.flag("emailVerified")?,
        attributes: attributes.unwrap_or_default(),
    })
}

/// `key:value key2:"a value"`.
pub(super) fn attributes(q: &str) -> Result<Vec<(String, String)>, AdminError> {
    let wrong = || AdminError::bad("q must be written key:value, several parted by a space");
    let mut rest = q.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (key, after) = word(rest, ':').ok_or_else(wrong)?;
        let (value, after) = word(after.strip_prefix(':').ok_or_else(wrong)?, ' ').ok_or_else(wrong)?;
        found.push((key.to_owned(), value.to_owned()));
        rest = after.trim_start();
    }
    Ok(found)
}

/// The text up to `end`, or between two quotation marks, and what follows it.
fn word(text: &str, end: char) -> Option<(&str, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted.split_once('"');
    }
    let at = text.find(end).unwrap_or(text.len());
    let (word, after) = text.split_at_checked(at)?;
    (!word.is_empty()).then_some((word, after))
}

/// One user.
pub(super) async fn read(call: Call) -> Answer {
    let user = named(&call).await?;
    let kept = beside::shown(&call, Beside::User, &user.id).await?;
    let others = call.store().credentials_of_user(call.realm_id(), &user.id).await?;
    let has_otp = others.iter().any(|credential| credential.kind == OTP);
    let mut shown = to_representation(&user, has_otp, kept);
    shown.access = Some(access(&call));
    shown.kept.entry("disableableCredentialTypes").or_insert_with(|| json!([]));
    if let Some(client) = &user.service_account_client {
        let client = call.store().client_by_id(call.realm_id(), client).await?;
        shown.service_account_client_id = client.map(|client| client.client_id);
    }
    told(&shown)
}

/// Makes a user with what the body says: credentials, groups, attributes. Roles have addresses of their own.
pub(super) async fn create(call: Call) -> Answer {
    let body: UserRepresentation = call.server.json()?;
    let name = username(body.username.as_deref())?;
    checked(&body)?;
    let fresh = User::new(call.realm_id(), &Uuid::new_v4().to_string(), &name, call.now());
    let base = User { enabled: false, ..fresh };
    let id = base.id.clone();
    let given = given(&call, &id, &body).await?;
    let credentials = credentials::read(&call, &id, body.credentials.clone().unwrap_or_default()).await?;
    let (mut user, kept) = from_representation(UserRepresentation { id: None, ..body }, base);
    user.created_at = call.now();
    credentials.demand(&mut user);
    let mut changes = vec![Change::PutUser(Box::new(user))];
    changes.extend(apart(&call, &id, Some(&name)));
    changes.extend(credentials.changes);
    changes.extend(given);
    changes.extend(beside::begin(call.realm_id(), Beside::User, &id, kept));
    commit(&call, changes, Operation::Create, &id).await?;
    call.created(&["users", &id])
}

/// The roles of a new user are those of everyone, as in Keycloak; the groups too, and those that the body names.
async fn given(call: &Call, id: &str, body: &UserRepresentation) -> Result<Vec<Change>, AdminError> {
    let (realm, roles) = (&call.state.realm, &call.state.roles);
    let role_ids = roles.realm_role(&realm.default_role()).map(|role| role.id.clone());
    let default = call.store().groups_among(&realm.id, &realm.settings.default_groups).await?;
    let mut group_ids: Vec<String> = default.into_iter().map(|group| group.id).collect();
    for path in body.groups.iter().flatten() {
        let group = call.store().group_by_path(&realm.id, &groups::written(path)).await?;
        let group = group
            .ok_or_else(|| AdminError::bad(format!("Unable to find group specified by path: {path}")))?;
        groups::covered(call, &group.id).await?;
        group_ids.push(group.id.clone());
    }
    let (realm_id, user_id) = (call.realm_id().to_owned(), id.to_owned());
    let roles = role_ids.into_iter().map(|role_id| Change::AddUserRole {
        realm_id: realm_id.clone(),
        user_id: user_id.clone(),
        role_id,
    });
    let groups = group_ids.into_iter().map(|group_id| Change::AddUserGroup {
        realm_id: realm_id.clone(),
        user_id: user_id.clone(),
        group_id,
    });
    Ok(roles.chain(groups).collect())
}

/// The canonical user name.
fn username(name: Option<&str>) -> Result<String, AdminError> {
    let name = name.map(canonical).filter(|name| !name.is_empty());
    name.ok_or_else(|| AdminError::bad("User name is missing"))
}

/// What Keycloak's own profile asks of every realm's users.
fn checked(body: &UserRepresentation) -> Result<(), AdminError> {
    match problem(body) {
        Some(problem) => Err(AdminError::field(problem.field, problem.message, problem.params)),
        None => Ok(()),
    }
}

/// Where people sign in by e-mail address too, nobody's name may be another's address; and a `new_name` in letters of
/// another script must not look like another's (attacks U08).
fn apart(call: &Call, user_id: &str, new_name: Option<&str>) -> Vec<Change> {
    let (realm_id, user_id) = (call.realm_id().to_owned(), user_id.to_owned());
    let look_alike = new_name.and_then(look_alike);
    let unlike = look_alike.map(|look_alike| Change::ExpectUnlike {
        realm_id: realm_id.clone(),
        user_id: user_id.clone(),
        look_alike,
    });
    let by_both = call.state.realm.settings.login_with_email;
    let own = by_both.then_some(Change::ExpectOwnLogins { realm_id, user_id });
    unlike.into_iter().chain(own).collect()
}

pub(super) async fn commit(
    call: &Call,
    changes: Vec<Change>,
    operation: Operation,
    id: &str,
) -> Result<(), AdminError> {
    let made = call.commit(changes, operation, "USER", &format!("users/{id}")).await;
    made.map_err(|error| {
        AdminError::of_conflict(error, |what| match what {
            "user name" => AdminError::conflict("User exists with same username"),
            "email" => AdminError::conflict("User exists with same email"),
            _ => AdminError::not_found("User not found"),
        })
    })
}

/// Changes what the body says. Roles and groups have addresses of their own. Who is disabled is signed out.
pub(super) async fn update(call: Call) -> Answer {
    let old = manageable(&call).await?;
    let body: UserRepresentation = call.server.json()?;
    if body.id.as_ref().is_some_and(|id| *id != old.id) {
        return Err(AdminError::bad("The body speaks of another user than the address"));
    }
    if body.username.is_some() {
        username(body.username.as_deref())?;
    }
    checked(&body)?;
    let credentials = credentials::read(&call, &old.id, body.credentials.clone().unwrap_or_default()).await?;
    // Hashed once, which takes a while; the user is read after it, as often as somebody else is quicker.
    let said = Arc::new((body, credentials));
    call.repeated(move |call| {
        let said = Arc::clone(&said);
        Box::pin(async move { try_update(call, &said.0, &said.1).await })
    })
    .await
}

async fn try_update(call: &Call, body: &UserRepresentation, credentials: &credentials::Ready) -> Answer {
    let old = manageable(call).await?;
    let (mut user, new) = from_representation(body.clone(), old.clone());
    user.created_at = old.created_at;
    if old.service_account_client.is_some() && user.username != old.username {
        let (field, message) = ("username", "error-user-attribute-read-only");
        return Err(AdminError::field(field, message, json!([field])));
    }
    credentials.demand(&mut user);
    let new_name = Some(user.username.clone()).filter(|name| *name != old.username);
    let (id, disabled) = (old.id.clone(), old.enabled && !user.enabled);
    let replaced = credentials.password && credentials::has_password(call, &id).await?;
    let is_service = old.service_account_client.is_some();
    let mut changes = vec![Change::ExpectUser(Box::new(old)), Change::PutUser(Box::new(user))];
    changes.extend(apart(call, &id, new_name.as_deref()));
    changes.extend(credentials.changes.clone());
    if disabled || replaced {
        changes.extend(credentials::signed_out(call, &id));
    }
    if is_service {
        changes.push(Change::Reconfigure { realm_id: call.realm_id().to_owned() });
    }
    if let Some(kept) = beside::keep(call, Beside::User, &id, new).await? {
        changes.push(kept);
        changes = call.guarded(changes);
    }
    commit(call, changes, Operation::Update, &id).await?;
    done()
}

/// Takes a user away. A client that acts as itself has a new account in the place of the one that goes, which has no more
/// than every user has.
pub(super) async fn delete(call: Call) -> Answer {
    let user = manageable(&call).await?;
    let mut changes = vec![Change::DeleteUser {
        realm_id: call.realm_id().to_owned(),
        id: user.id.clone(),
        at: call.now(),
    }];
    if let Some(client) = &user.service_account_client {
        let client = call.store().client_by_id(call.realm_id(), client).await?;
        changes.extend(client.iter().flat_map(|client| renewed(&call.state, client, call.now())));
        changes.push(Change::Reconfigure { realm_id: call.realm_id().to_owned() });
    }
    commit(&call, changes, Operation::Delete, &user.id).await?;
    done()
}

/// The user of the address.
pub(super) async fn named(call: &Call) -> Result<User, AdminError> {
    let user = call.store().user_by_id(call.realm_id(), call.part("user")).await?;
    user.ok_or_else(|| AdminError::not_found("User not found"))
}

/// The user of the address, if the caller may look after them.
pub(super) async fn manageable(call: &Call) -> Result<User, AdminError> {
    let user = named(call).await?;
    covered(call, &user.id).await?;
    Ok(user)
}

/// Nobody looks after an administrator who has more rights than they (attacks A02): a password that they set would be the
/// way to those rights.
pub(super) async fn covered(call: &Call, user_id: &str) -> Result<(), AdminError> {
    let (realm, roles) = (&call.state.realm.name, &call.state.roles);
    let assigned = call.store().roles_of_user(call.realm_id(), user_id).await?.role_ids;
    if call.rights.covers(realm, roles, assigned.iter().map(String::as_str)) {
        Ok(())
    } else {
        Err(AdminError::above("The user"))
    }
}

#[cfg(test)]
mod tests {
    use super::attributes;

    #[test]
    fn attributes_of_a_search() {
        let pairs = |q: &str| {
            let found = attributes(q).ok()?;
            Some(found.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(","))
        };
        for (q, expected) in [
            ("", Some("")),
            ("team:red", Some("team=red")),
            ("team:red  size:10", Some("team=red,size=10")),
            ("team:\"dark red\" size:10", Some("team=dark red,size=10")),
            ("\"the team\":red", Some("the team=red")),
            ("url:http://x", Some("url=http://x")),
            ("team", None),
            ("team:", None),
            (":red", None),
            ("team:\"red", None),
        ] {
            assert_eq!(pairs(q).as_deref(), expected, "{q}");
        }
    }
}
