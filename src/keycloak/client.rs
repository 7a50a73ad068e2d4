//! Clients.

mod addresses;
mod attributes;
mod exchange;
mod own;
mod rules;

use std::collections::BTreeMap;

use serde_json::Value;

use super::record::{ATTRIBUTES, Kept};
use super::representation::ClientRepresentation;
use super::{filled, mapper};
use crate::clock::Timestamp;
use crate::protocol::client::{Client, ClientAuthentication, ClientSettings, GrantType, Pkce};
use crate::protocol::realm::RealmSettings;
use crate::secrets::Secret;
pub use rules::{LONGEST_NAME, name_problem, problem};

/// What stands in the place of a secret that is not shown.
pub const MASK: &str = "**********";

/// A client as a representation describes it.
#[derive(Debug)]
pub struct ClientRead {
    /// The record; its stored secret is the base's.
    pub client: Client,
    /// What the representation says beyond.
    pub kept: Kept,
    /// A new secret.
    pub secret: Option<Secret>,
}

/// Ways to authenticate by Keycloak's names; a public client carries the first, as there.
const AUTHENTICATORS: [(&str, ClientAuthentication); 3] = [
    ("client-secret", ClientAuthentication::Secret),
    ("client-secret-jwt", ClientAuthentication::ClientSecretJwt),
    ("client-jwt", ClientAuthentication::PrivateKeyJwt),
];

/// Members of a representation that stand for a grant.
const SWITCHES: [&str; 3] = ["bearerOnly", "implicitFlowEnabled", "protocol"];

/// A client as Keycloak begins one, to be the base of a representation: for sign-in by code, all roles in its tokens.
#[must_use]
pub fn begin(realm_id: &str, client_id: &str, id: String) -> Client {
    Client {
        id,
        realm_id: realm_id.to_owned(),
        client_id: client_id.to_owned(),
        enabled: true,
        secret_hash: None,
        settings: ClientSettings {
            grants: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
            full_scope_allowed: true,
            pkce: Pkce::Optional,
            ..ClientSettings::default()
        },
    }
}

/// `base` with what `client` says, and what it says beyond. Its identifier, its scope mappings and its service account
/// are the caller's.
pub fn from_representation(
    client: ClientRepresentation,
    base: Client,
    new_id: &mut dyn FnMut() -> String,
) -> ClientRead {
    let mut kept = client.kept.clone();
    let mut given = client.attributes.clone().unwrap_or_default();
    let mut settings = base.settings;
    texts(&client, &mut settings, &mut kept);
    authentication(&client, &mut settings, &mut kept);
    let exchanges = exchange::asked(&given);
    grants(&client, &mut given, &mut settings, &mut kept);
    addresses::read(&client, &mut given, &mut settings, &mut kept);
    scopes(&client, &mut settings);
    attributes::read(&mut given, &mut settings);
    own::read(&mut given, &mut settings);
    exchange::read(exchanges, &mut given, &mut settings);
    if let Some(mappers) = client.protocol_mappers {
        settings.mappers = mapper::from_representations(mappers, &settings.mappers, &mut kept, new_id);
    }
    if !given.is_empty() {
        let value = |text: String| if text.is_empty() { Value::Null } else { text.into() };
        kept.insert(
            ATTRIBUTES.to_owned(),
            given.into_iter().map(|(name, text)| (name, value(text))).collect(),
        );
    }
    let record = Client {
        client_id: client.client_id.filter(|id| !id.is_empty()).unwrap_or(base.client_id),
        enabled: client.enabled.unwrap_or(base.enabled),
        settings,
        ..base
    };
    let secret = client.secret.filter(|secret| !secret.is_empty() && secret != MASK).map(Secret::from);
    ClientRead { client: record, kept, secret }
}

fn texts(client: &ClientRepresentation, settings: &mut ClientSettings, kept: &mut Kept) {
    for (place, text) in
        [(&mut settings.name, &client.name), (&mut settings.description, &client.description)]
    {
        if let Some(text) = text {
            *place = filled(Some(text));
        }
    }
    for (name, text) in [("rootUrl", &client.root_url), ("adminUrl", &client.admin_url)] {
        if let Some(text) = text {
            kept.insert(name.to_owned(), filled(Some(text)).map_or(Value::Null, Value::from));
        }
    }
    if let Some(on) = client.consent_required {
        settings.consent = on;
    }
    settings.full_scope_allowed = client.full_scope_allowed.unwrap_or(settings.full_scope_allowed);
    settings.not_before = match client.not_before {
        Some(0) => None,
        Some(at) => Some(Timestamp(at)),
        None => settings.not_before,
    };
}

fn authentication(client: &ClientRepresentation, settings: &mut ClientSettings, kept: &mut Kept) {
    let named = client.client_authenticator_type.as_deref();
    let known = named.and_then(|name| AUTHENTICATORS.iter().find(|(one, _)| *one == name));
    if let Some(name) = named {
        let unknown = known.is_none().then(|| Value::from(name));
        kept.insert("clientAuthenticatorType".to_owned(), unknown.unwrap_or(Value::Null));
    }
    let was_public = settings.authentication == ClientAuthentication::None;
    if client.public_client.unwrap_or(was_public) {
        settings.authentication = ClientAuthentication::None;
    } else if let Some((_, method)) = known {
        settings.authentication = *method;
    } else if was_public {
        settings.authentication = ClientAuthentication::Secret;
    }
}

/// The switches of a client as grants. One that gets no tokens, or speaks another protocol, has none; its switches are
/// kept for when it does.
fn grants(
    client: &ClientRepresentation,
    given: &mut BTreeMap<String, String>,
    settings: &mut ClientSettings,
    kept: &mut Kept,
) {
    let members = [
        ("bearerOnly", client.bearer_only.map(Value::from)),
        ("implicitFlowEnabled", client.implicit_flow_enabled.map(Value::from)),
        (
            "protocol",
            client
                .protocol
                .as_deref()
                .map(|one| if one == mapper::PROTOCOL { Value::Null } else { one.into() }),
        ),
    ];
    for (name, value) in members {
        match value {
            Some(value) if value != Value::Bool(false) => drop(kept.insert(name.to_owned(), value)),
            Some(_) => drop(kept.insert(name.to_owned(), Value::Null)),
            None => {}
        }
    }
    let mut switch = |name: &str| given.remove(name).map(|value| value.eq_ignore_ascii_case("true"));
    let switches = [
        (GrantType::AuthorizationCode, client.standard_flow_enabled),
        (GrantType::Password, client.direct_access_grants_enabled),
        (GrantType::ClientCredentials, client.service_accounts_enabled),
        (GrantType::DeviceCode, switch(attributes::DEVICE)),
        (GrantType::TokenExchange, switch(attributes::EXCHANGE)),
        (GrantType::JwtBearer, switch(attributes::JWT_BEARER)),
    ];
    // Unlike the others it is on where nobody says so.
    let refresh =
        given.remove(attributes::REFRESH).map(|on| on.is_empty() || on.eq_ignore_ascii_case("true"));
    let before = interactive(settings);
    for (grant, on) in switches {
        match on {
            Some(true) => drop(settings.grants.insert(grant)),
            Some(false) => drop(settings.grants.remove(&grant)),
            None => {}
        }
    }
    let had = settings.grants.contains(&GrantType::RefreshToken);
    let refreshes = interactive(settings) && refresh.unwrap_or(had || !before);
    if refreshes {
        settings.grants.insert(GrantType::RefreshToken);
    } else {
        settings.grants.remove(&GrantType::RefreshToken);
    }
    if gets_no_tokens(kept) {
        settings.grants.clear();
    }
}

/// Whether what is kept of a client says that it gets no tokens, or speaks another protocol: then it has no grants.
#[must_use]
pub fn gets_no_tokens(kept: &Kept) -> bool {
    kept.get("bearerOnly").is_some_and(|on| on == true) || kept.get("protocol").is_some_and(Value::is_string)
}

/// Whether the client gets tokens for people, which it may refresh.
fn interactive(settings: &ClientSettings) -> bool {
    [GrantType::AuthorizationCode, GrantType::Password, GrantType::DeviceCode]
        .iter()
        .any(|grant| settings.grants.contains(grant))
}

/// Naming one of the lists empties the other, as Keycloak does with a new client; an update that names one keeps both.
fn scopes(client: &ClientRepresentation, settings: &mut ClientSettings) {
    let (default, optional) = (&client.default_client_scopes, &client.optional_client_scopes);
    if default.is_none() && optional.is_none() {
        return;
    }
    settings.default_scopes = default.clone().or(settings.default_scopes.take()).or(Some(Vec::new()));
    settings.optional_scopes = optional.clone().or(settings.optional_scopes.take()).or(Some(Vec::new()));
}

/// The representation of `client`. `secret` is what is shown of its secret; `realm` says which scopes it has when it
/// names none.
#[must_use]
pub fn to_representation(
    client: &Client,
    secret: Option<&str>,
    realm: &RealmSettings,
    mut kept: Kept,
) -> ClientRepresentation {
    let settings = &client.settings;
    let mut all = attributes::write(settings);
    own::write(settings, &mut all);
    exchange::write(settings, &mut all);
    for (name, value) in super::record::attributes(&kept) {
        all.entry(name).or_insert(value);
    }
    kept.remove(ATTRIBUTES);
    let uris = addresses::write(settings, &mut kept);
    let mut text = |name: &str| kept.remove(name).and_then(|value| value.as_str().map(str::to_owned));
    let (root_url, admin_url, base_url) = (text("rootUrl"), text("adminUrl"), text("baseUrl"));
    let [bearer_only, implicit_flow, protocol] = SWITCHES.map(|name| kept.remove(name));
    let frontchannel = kept.remove(addresses::SWITCH).is_some_and(|on| on == true);
    let authenticator =
        kept.remove("clientAuthenticatorType").and_then(|value| value.as_str().map(str::to_owned));
    let method = AUTHENTICATORS.iter().find(|(_, method)| *method == settings.authentication);
    let may = |grant| Some(client.may(grant));
    ClientRepresentation {
        id: Some(client.id.clone()),
        client_id: Some(client.client_id.clone()),
        name: settings.name.clone(),
        description: settings.description.clone(),
        root_url,
        admin_url,
        base_url: base_url.or_else(|| settings.client_uri.clone()),
        enabled: Some(client.enabled),
        client_authenticator_type: Some(
            authenticator.unwrap_or_else(|| method.map_or("client-secret", |(name, _)| name).to_owned()),
        ),
        secret: secret.map(str::to_owned),
        redirect_uris: Some(uris),
        web_origins: Some(settings.web_origins.clone()),
        not_before: Some(settings.not_before.map_or(0, |at| at.0)),
        bearer_only: Some(bearer_only.is_some_and(|on| on == true)),
        consent_required: Some(settings.consent),
        standard_flow_enabled: may(GrantType::AuthorizationCode),
        implicit_flow_enabled: Some(implicit_flow.is_some_and(|on| on == true)),
        direct_access_grants_enabled: may(GrantType::Password),
        service_accounts_enabled: may(GrantType::ClientCredentials),
        public_client: Some(client.is_public()),
        frontchannel_logout: Some(frontchannel || settings.frontchannel_logout_uri.is_some()),
        protocol: Some(
            protocol
                .and_then(|name| name.as_str().map(str::to_owned))
                .unwrap_or_else(|| mapper::PROTOCOL.to_owned()),
        ),
        attributes: Some(all),
        full_scope_allowed: Some(settings.full_scope_allowed),
        protocol_mappers: Some(mapper::identified(&client.id, &settings.mappers, &mut kept))
            .filter(|mappers| !mappers.is_empty()),
        default_client_scopes: Some(
            settings.default_scopes.as_ref().unwrap_or(&realm.default_scopes).clone(),
        ),
        optional_client_scopes: Some(
            settings.optional_scopes.as_ref().unwrap_or(&realm.optional_scopes).clone(),
        ),
        access: None,
        kept,
    }
}

#[cfg(test)]
mod tests;
