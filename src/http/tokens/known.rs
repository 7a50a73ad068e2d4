//! What a client knows of a person, and what was granted to it, as rules want them.

use std::borrow::Cow;

use crate::http::bearer::Live;
use crate::http::context::RealmContext;
use crate::protocol::claims::{Facts, Subject};
use crate::protocol::client::Client;
use crate::protocol::grant::Grant;
use crate::protocol::scope::{self, Granted};
use crate::protocol::session::Session;
use crate::protocol::user::{User, UserRoles};

/// The name by which `client` knows a person (Core §8.1).
#[must_use]
pub fn sub<'a>(context: &RealmContext, client: &Client, user_id: &'a str) -> Cow<'a, str> {
    context.state.sub(client, user_id)
}

/// A session as `client` knows it, to be compared with what the client says of it.
#[must_use]
pub fn session_known_to<'a>(
    context: &RealmContext,
    client: &Client,
    session: &'a Session,
) -> Cow<'a, Session> {
    match sub(context, client, &session.user_id) {
        Cow::Borrowed(_) => Cow::Borrowed(session),
        Cow::Owned(user_id) => Cow::Owned(Session { user_id, ..session.clone() }),
    }
}

/// A user as `client` knows them. A service account is no person, and keeps its name.
pub(super) fn known_to<'a>(context: &RealmContext, client: &Client, user: &'a User) -> Cow<'a, User> {
    match sub(context, client, &user.id) {
        Cow::Owned(id) if user.service_account_client.is_none() => Cow::Owned(User { id, ..user.clone() }),
        _ => Cow::Borrowed(user),
    }
}

/// What is left today of what a live access token was issued for.
pub(super) fn granted_now<'a>(context: &'a RealmContext, live: &Live) -> Granted<'a> {
    granted_to(context, live, &live.entry.client)
}

/// What is left today of what a live access token was issued for, as far as `client` may have it.
#[must_use]
pub fn granted_to<'a>(context: &'a RealmContext, live: &Live, client: &Client) -> Granted<'a> {
    let settings = &context.state.realm.settings;
    let shown = live.claims.text("scope").unwrap_or_default();
    match &live.grant {
        Some(grant) => {
            scope::keep(&scope::regrant(&grant.scope, client, settings, &context.state.scopes), shown)
        }
        None => scope::of_service(shown, client, settings, &context.state.scopes),
    }
}

/// What was granted, with the claims that were asked for one by one.
pub(super) fn with_claims<'a>(
    context: &'a RealmContext,
    granted: &Granted<'a>,
    client: &'a Client,
    grant: &Grant,
) -> Granted<'a> {
    let settings = &context.state.realm.settings;
    granted.with_claims(&grant.request.claims, client, settings, &context.state.scopes)
}

pub(super) fn subject<'a>(context: &'a RealmContext, user: &'a User, roles: &'a UserRoles) -> Subject<'a> {
    let realm_roles = &context.state.roles;
    Subject {
        user,
        roles: realm_roles.effective(roles.role_ids.iter().map(String::as_str)),
        role_names: realm_roles,
        groups: &roles.group_paths,
        ceiling: None,
    }
}

pub(super) fn facts(grant: Option<&Grant>) -> Facts<'_> {
    Facts {
        sid: grant.and_then(|grant| grant.session_id.as_deref()),
        auth_time: grant.map(|grant| grant.auth_time),
        acr: grant.map(|grant| grant.acr.as_str()),
        address: None,
    }
}
