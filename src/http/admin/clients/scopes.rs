//! The client scopes that a client has without asking, and those that it has when it asks; and the realm's, which clients
//! have that name none.

use serde_json::{Value, json};

use super::super::answer::{AdminError, Answer, done, told};
use super::super::call::{Call, Operation};
use super::super::client_scopes;
use super::cover;
use crate::protocol::client::Client;
use crate::protocol::realm::Realm;
use crate::store::Change;

/// Which of the two lists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Default,
    Optional,
}

impl List {
    fn part(self) -> &'static str {
        match self {
            Self::Default => "default-client-scopes",
            Self::Optional => "optional-client-scopes",
        }
    }

    /// Puts `name` on the list and takes it from the other; or takes it from this one.
    fn change(self, [default, optional]: [&mut Vec<String>; 2], name: &str, added: bool) {
        let (own, other) = match self {
            Self::Default => (default, optional),
            Self::Optional => (optional, default),
        };
        if added {
            other.retain(|one| one != name);
            if !own.iter().any(|one| one == name) {
                own.push(name.to_owned());
            }
        } else {
            own.retain(|one| one != name);
        }
    }
}

fn shown(call: &Call, names: &[String]) -> Vec<Value> {
    let scopes = &call.state.scopes;
    let known = names.iter().filter_map(|name| scopes.iter().find(|scope| scope.name == *name));
    known.map(|scope| json!({ "id": scope.id, "name": scope.name })).collect()
}

/// A client's default ones.
pub(in super::super) async fn default(call: Call) -> Answer {
    let client = cover::named(&call).await?;
    let realm = &call.state.realm.settings;
    told(&shown(&call, client.settings.default_scopes.as_ref().unwrap_or(&realm.default_scopes)))
}

/// A client's optional ones.
pub(in super::super) async fn optional(call: Call) -> Answer {
    let client = cover::named(&call).await?;
    let realm = &call.state.realm.settings;
    told(&shown(&call, client.settings.optional_scopes.as_ref().unwrap_or(&realm.optional_scopes)))
}

/// Gives a client a default one.
pub(in super::super) async fn add_default(call: Call) -> Answer {
    call.repeated(|call| Box::pin(change(call, List::Default, true))).await
}

/// Takes a default one from a client.
pub(in super::super) async fn remove_default(call: Call) -> Answer {
    call.repeated(|call| Box::pin(change(call, List::Default, false))).await
}

/// Gives a client an optional one.
pub(in super::super) async fn add_optional(call: Call) -> Answer {
    call.repeated(|call| Box::pin(change(call, List::Optional, true))).await
}

/// Takes an optional one from a client.
pub(in super::super) async fn remove_optional(call: Call) -> Answer {
    call.repeated(|call| Box::pin(change(call, List::Optional, false))).await
}

async fn change(call: &Call, list: List, added: bool) -> Answer {
    let client = cover::changeable(call).await?;
    let scope = client_scopes::named(call)?;
    client_scopes::covered(call, scope)?;
    let realm = &call.state.realm.settings;
    let mut settings = client.settings.clone();
    let mut default = settings.default_scopes.take().unwrap_or_else(|| realm.default_scopes.clone());
    let mut optional = settings.optional_scopes.take().unwrap_or_else(|| realm.optional_scopes.clone());
    list.change([&mut default, &mut optional], &scope.name, added);
    (settings.default_scopes, settings.optional_scopes) = (Some(default), Some(optional));
    let path = format!("clients/{}/{}/{}", client.id, list.part(), scope.id);
    let client = Box::new(Client { settings, ..client });
    let changes = vec![call.unmoved(), Change::PutClient { client, at: call.now() }];
    call.commit(changes, operation(added), "CLIENT", &path).await?;
    done()
}

fn operation(added: bool) -> Operation {
    if added { Operation::Create } else { Operation::Delete }
}

/// The realm's default ones.
pub(in super::super) async fn realm_default(call: Call) -> Answer {
    told(&shown(&call, &call.state.realm.settings.default_scopes))
}

/// The realm's optional ones.
pub(in super::super) async fn realm_optional(call: Call) -> Answer {
    told(&shown(&call, &call.state.realm.settings.optional_scopes))
}

/// Adds to the realm's default ones.
pub(in super::super) async fn add_realm_default(call: Call) -> Answer {
    call.repeated(|call| Box::pin(change_realm(call, List::Default, true))).await
}

/// Takes from the realm's default ones.
pub(in super::super) async fn remove_realm_default(call: Call) -> Answer {
    call.repeated(|call| Box::pin(change_realm(call, List::Default, false))).await
}

/// Adds to the realm's optional ones.
pub(in super::super) async fn add_realm_optional(call: Call) -> Answer {
    call.repeated(|call| Box::pin(change_realm(call, List::Optional, true))).await
}

/// Takes from the realm's optional ones.
pub(in super::super) async fn remove_realm_optional(call: Call) -> Answer {
    call.repeated(|call| Box::pin(change_realm(call, List::Optional, false))).await
}

async fn change_realm(call: &Call, list: List, added: bool) -> Answer {
    let scope = client_scopes::named(call)?;
    client_scopes::covered(call, scope)?;
    let mut realm: Realm = call.state.realm.clone();
    let settings = &mut realm.settings;
    list.change([&mut settings.default_scopes, &mut settings.optional_scopes], &scope.name, added);
    let path = format!("default-{}/{}", list.part(), scope.id);
    let changes = vec![call.unmoved(), Change::PutRealm { realm, at: call.now() }];
    match call.commit(changes, operation(added), "CLIENT_SCOPE", &path).await {
        Ok(()) => done(),
        Err(error) => Err(AdminError::from(error)),
    }
}
