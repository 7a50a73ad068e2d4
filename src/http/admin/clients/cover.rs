//! Whom administrators may change a client for (attacks A03): nobody gets by a client what they have not themselves.

use super::super::answer::AdminError;
use super::super::call::Call;
use super::super::client_scopes;
use crate::protocol::admin::is_entrance;
use crate::protocol::client::Client;
use crate::protocol::mapper::Mapper;

/// The client of the address.
pub(in super::super) async fn named(call: &Call) -> Result<Client, AdminError> {
    let client = call.store().client_by_id(call.realm_id(), call.part("client")).await?;
    client.ok_or_else(|| AdminError::not_found("Could not find client"))
}

/// The client of the address, if the caller may change it.
pub(in super::super) async fn changeable(call: &Call) -> Result<Client, AdminError> {
    let client = named(call).await?;
    covered(call, &client).await?;
    Ok(client)
}

/// Whether the caller has every right over the realm.
pub(super) fn covers_everything(call: &Call) -> bool {
    call.rights.covers_all(&call.state.realm.name, &call.state.roles)
}

/// A client by which administrators come in is for those who have every right; one whose service account administrates,
/// for those who have its rights.
pub(super) async fn covered(call: &Call, client: &Client) -> Result<(), AdminError> {
    if covers_everything(call) {
        return Ok(());
    }
    let (realm, roles) = (&call.state.realm.name, &call.state.roles);
    if is_entrance(realm, client) {
        return Err(AdminError::above("The client"));
    }
    let Some(account) = call.store().user_of_service_account(call.realm_id(), &client.id).await? else {
        return Ok(());
    };
    let assigned = call.store().roles_of_user(call.realm_id(), &account.id).await?.role_ids;
    if call.rights.covers(realm, roles, assigned.iter().map(String::as_str)) {
        Ok(())
    } else {
        Err(AdminError::above("The service account of the client"))
    }
}

/// What a client is to be: no name by which administrators come in, no mapper and no audience above the caller.
/// What `old` had already is not asked about.
pub(super) fn settings(call: &Call, old: Option<&Client>, client: &Client) -> Result<(), AdminError> {
    let (realm, roles) = (&call.state.realm.name, &call.state.roles);
    if is_entrance(realm, client) && !covers_everything(call) {
        return Err(AdminError::above("The client"));
    }
    let before = old.map(|old| old.settings.mappers.as_slice()).unwrap_or_default();
    covers_mappers(call, before, &client.settings.mappers)?;
    let mut rest = client.settings.clone();
    rest.mappers.clear();
    if let Some(old) = old {
        rest.audiences.retain(|name| !old.settings.audiences.contains(name));
        rest.exchange.retain(|rule| !old.settings.exchange.contains(rule));
    }
    if call.rights.covers_settings(realm, roles, &rest) {
        Ok(())
    } else {
        Err(AdminError::above("An audience of the client"))
    }
}

/// The client scopes that `client` names and `old` had not (a new client: the realm's clients have not) must be such as
/// the caller may give. Names of none are left out, as Keycloak does.
pub(super) fn scopes(call: &Call, old: Option<&Client>, client: &mut Client) -> Result<(), AdminError> {
    let realm = &call.state.realm.settings;
    let old = old.map(|old| &old.settings);
    let default = old.and_then(|old| old.default_scopes.as_ref()).unwrap_or(&realm.default_scopes);
    let optional = old.and_then(|old| old.optional_scopes.as_ref()).unwrap_or(&realm.optional_scopes);
    let had = |name: &str| default.iter().chain(optional).any(|one| one == name);
    let named = |name: &str| call.state.scopes.iter().find(|scope| scope.name == name);
    let settings = &mut client.settings;
    for list in [&mut settings.default_scopes, &mut settings.optional_scopes].into_iter().flatten() {
        list.retain(|name| had(name) || named(name).is_some());
        for scope in list.iter().filter(|name| !had(name)).filter_map(|name| named(name)) {
            client_scopes::covered(call, scope)?;
        }
    }
    Ok(())
}

/// The mappers that are not among those of before.
pub(in super::super) fn covers_mappers(
    call: &Call,
    before: &[Mapper],
    after: &[Mapper],
) -> Result<(), AdminError> {
    let (realm, roles) = (&call.state.realm.name, &call.state.roles);
    let known =
        |mapper: &Mapper| before.iter().any(|old| old.kind == mapper.kind && old.config == mapper.config);
    for mapper in after.iter().filter(|mapper| !known(mapper)) {
        if let Some(claim) = mapper.forges() {
            let why = format!("Claim {claim} is the protocol's own and cannot be mapped");
            return Err(AdminError::bad(why));
        }
        if !call.rights.covers_mapper(realm, roles, mapper) {
            return Err(AdminError::above("The protocol mapper"));
        }
    }
    for (index, mapper) in after.iter().enumerate() {
        if mapper.name.is_empty() {
            return Err(AdminError::bad("Protocol mapper name is missing"));
        }
        if after.iter().take(index).any(|earlier| earlier.name == mapper.name) {
            return Err(AdminError::conflict("Protocol mapper exists with same name"));
        }
    }
    Ok(())
}
