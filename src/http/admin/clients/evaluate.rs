//! What tokens of a client would say: its scopes, mappers and roles tried out on a user, without a sign-in.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::answer::{AdminError, Answer, told};
use super::super::call::Call;
use super::super::mappings::shown;
use super::cover;
use crate::keycloak::mapper::identifier;
use crate::protocol::access_token::{AccessTokenRequest, access_token, jti};
use crate::protocol::admin::Permission;
use crate::protocol::claims::{self, Facts, Subject};
use crate::protocol::client::Client;
use crate::protocol::id_token::{IdTokenRequest, id_token};
use crate::protocol::role::Role;
use crate::protocol::scope::{Granted, grant};
use crate::protocol::user::{User, UserRoles};

/// Whom and what it is tried out on.
struct Trial {
    client: Client,
    user: User,
    roles: UserRoles,
    session: String,
}

impl Trial {
    async fn of(call: &Call) -> Result<Self, AdminError> {
        let client = cover::named(call).await?;
        if !call.may(Permission::ViewUsers) {
            return Err(AdminError::forbidden());
        }
        let id = call.server.query.get("userId").filter(|id| !id.is_empty());
        let who = &call.server.who;
        let id = match id {
            Some(id) => id.to_owned(),
            None if who.realm_id == call.realm_id() => who.user_id.clone(),
            None => return Err(AdminError::not_found("No user found")),
        };
        let user = call.store().user_by_id(call.realm_id(), &id).await?;
        let user = user.ok_or_else(|| AdminError::not_found("No user found"))?;
        let roles = call.store().roles_of_user(call.realm_id(), &user.id).await?;
        let known = call.state.sub(&client, &user.id).into_owned();
        let user = if user.service_account_client.is_none() { User { id: known, ..user } } else { user };
        Ok(Self { client, user, roles, session: Uuid::new_v4().to_string() })
    }

    fn subject<'a>(&'a self, call: &'a Call) -> Subject<'a> {
        let names = &call.state.roles;
        let roles = names.effective(self.roles.role_ids.iter().map(String::as_str));
        Subject { user: &self.user, roles, role_names: names, groups: &self.roles.group_paths, ceiling: None }
    }

    fn facts<'a>(&'a self, call: &'a Call) -> Facts<'a> {
        let settings = &call.state.realm.settings;
        Facts {
            sid: Some(&self.session),
            auth_time: Some(call.now()),
            acr: Some(&settings.password_acr),
            address: None,
        }
    }

    fn lifetime(&self, call: &Call) -> i64 {
        self.client.access_token_lifetime(&call.state.realm.settings)
    }
}

fn granted<'a>(call: &'a Call, client: &Client) -> Result<Granted<'a>, AdminError> {
    let asked = call.server.query.get("scope");
    let granted = grant(asked, client, &call.state.realm.settings, &call.state.scopes);
    granted.map_err(|why| AdminError::bad(why.to_string()))
}

fn issuer(call: &Call) -> String {
    call.server.app.hosts.issuer(&call.server.base, &call.state.realm.name)
}

/// The claims of an access token.
pub(in super::super) async fn access(call: Call) -> Answer {
    let trial = Trial::of(&call).await?;
    let asked = call.server.query.all("audience").map(str::to_owned).collect::<Vec<_>>();
    told(&access_token(&AccessTokenRequest {
        issuer: &issuer(&call),
        client: &trial.client,
        subject: &trial.subject(&call),
        granted: &granted(&call, &trial.client)?,
        facts: trial.facts(&call),
        jti: &jti(None, &trial.session),
        audiences: Some(asked.as_slice()).filter(|asked| !asked.is_empty()),
        confirmation: None,
        now: call.now(),
        lifetime: trial.lifetime(&call),
    }))
}

/// The claims of an ID token.
pub(in super::super) async fn id(call: Call) -> Answer {
    let trial = Trial::of(&call).await?;
    told(&id_token(&IdTokenRequest {
        issuer: &issuer(&call),
        client: &trial.client,
        subject: &trial.subject(&call),
        granted: &granted(&call, &trial.client)?,
        facts: trial.facts(&call),
        nonce: None,
        at_hash: None,
        now: call.now(),
        lifetime: trial.lifetime(&call),
        jti: &trial.session,
    }))
}

/// The answer of the UserInfo endpoint.
pub(in super::super) async fn userinfo(call: Call) -> Answer {
    let trial = Trial::of(&call).await?;
    let granted = granted(&call, &trial.client)?;
    told(&claims::userinfo(&trial.subject(&call), &trial.client, &granted, &trial.facts(&call)))
}

/// The mappers that run, each with where it comes from.
pub(in super::super) async fn mappers(call: Call) -> Answer {
    let client = cover::named(&call).await?;
    let granted = granted(&call, &client)?;
    let of_scopes = granted.scopes.iter().flat_map(|scope| {
        scope.settings.mappers.iter().map(|mapper| (&scope.id, &scope.name, "client-scope", mapper))
    });
    let own = client.settings.mappers.iter().map(|mapper| (&client.id, &client.client_id, "client", mapper));
    let shown = of_scopes.chain(own).map(|(holder, name, kind, mapper)| {
        json!({
            "containerId": holder,
            "containerName": name,
            "containerType": kind,
            "mapperId": identifier(holder, mapper),
            "mapperName": mapper.name,
            "protocolMapper": mapper.kind,
        })
    });
    told(&shown.collect::<Vec<Value>>())
}

/// The roles of a container (the realm by its name or `id`, or a client by its `id`) that tokens show when the user has
/// them.
pub(in super::super) async fn shown_roles(call: Call) -> Answer {
    roles(&call, true).await
}

/// Those that they do not show.
pub(in super::super) async fn hidden_roles(call: Call) -> Answer {
    roles(&call, false).await
}

async fn roles(call: &Call, through: bool) -> Answer {
    let client = cover::named(call).await?;
    let granted = granted(call, &client)?;
    let named = call.part("container");
    let realm = &call.state.realm;
    let container = if [&realm.name, &realm.id].into_iter().any(|name| name == named) {
        None
    } else {
        let found = call.store().client_by_id(call.realm_id(), named).await?;
        Some(found.ok_or_else(|| AdminError::not_found("Role Container not found"))?.id)
    };
    let of_scopes = granted.scopes.iter().flat_map(|scope| &scope.settings.scope_mappings);
    let ids = client.settings.scope_mappings.iter().chain(of_scopes).map(String::as_str);
    let mapped = call.state.roles.effective(ids);
    let passes = |role: &Role| {
        client.settings.full_scope_allowed
            || role.client.as_ref() == Some(&client.id)
            || mapped.iter().any(|one| one.id == role.id)
    };
    let fits = |role: &&Role| role.client == container && passes(role) == through;
    let mut found: Vec<&Role> = call.state.roles.iter().filter(fits).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    told(&found.into_iter().map(|role| shown(call, role)).collect::<Vec<_>>())
}
