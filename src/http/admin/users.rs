//! Users as administrators see them.

use serde_json::json;

use super::answer::{AdminError, Answer, told};
use super::call::Call;
use crate::protocol::user::User;
use crate::store::UserSearch;

/// How many rows a listing has when nobody says.
const USUAL: i64 = 100;

/// The people whom the parameters find, by user name.
pub(super) async fn list(call: Call) -> Answer {
    let page = call.server.page(USUAL)?;
    let users = call.store().search_users(call.realm_id(), &search(&call)?, page).await?;
    let shown = users.iter().map(|user| {
        json!({ "id": user.id, "username": user.username, "email": user.email, "enabled": user.enabled })
    });
    told(&shown.collect::<Vec<_>>())
}

/// How many people the parameters find.
pub(super) async fn count(call: Call) -> Answer {
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

/// What needs mail, which this server does not send.
pub(super) async fn mail(call: Call) -> Answer {
    manageable(&call).await?;
    Err(AdminError::not_implemented("This server sends no mail: set a temporary password instead"))
}

/// Acting as a user: this server gives no session to anybody but the person who signs in.
pub(super) async fn impersonate(call: Call) -> Answer {
    manageable(&call).await?;
    Err(AdminError::not_implemented(
        "This server has no impersonation: exchange a token, or sign in as a test user",
    ))
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
