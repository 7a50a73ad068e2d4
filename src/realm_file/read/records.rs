//! From tables to the records of a realm: the fields of the short form, each named once.

use super::super::spec::{
    BruteForceSpec, GroupSpec, LifetimesSpec, RealmSpec, RoleSpec, ScopeSpec, UserSpec,
};
use super::claims;
use super::clients;
use super::fields::Fields;
use super::trusted_issuers;
use crate::protocol::authorization_details::{COMMON_FIELDS, DetailType};
use crate::protocol::register::Registration;
use crate::secrets::Secret;

const ALGORITHMS: [(&str, &str); 4] =
    [("RS256", "RS256"), ("PS256", "PS256"), ("ES256", "ES256"), ("EdDSA", "EdDSA")];

const REGISTRATION: [(&str, Registration); 3] =
    [("off", Registration::Off), ("token", Registration::Token), ("open", Registration::Open)];

/// A realm; its places are filled in by the caller.
pub(super) fn realm(fields: &mut Fields<'_>) -> Option<RealmSpec> {
    let name = fields.required("name");
    let spec = RealmSpec {
        name: String::new(),
        display_name: fields.text("display_name"),
        enabled: fields.switch("enabled"),
        logo_uri: fields.text("logo_uri"),
        signature_algorithm: fields.choice("signature_algorithm", &ALGORITHMS).map(str::to_owned),
        lifetimes: fields.table("lifetimes", lifetimes).unwrap_or_default(),
        remember_me: fields.switch("remember_me"),
        login_with_email: fields.switch("login_with_email"),
        duplicate_emails: fields.switch("duplicate_emails"),
        refresh_retry_window: fields.seconds("refresh_retry_window"),
        require_pushed_authorization_requests: fields.switch("require_pushed_authorization_requests"),
        authorization_details_types: fields.tables("authorization_details_types", detail_type),
        password_acr: fields.text("password_acr"),
        recent_acr: fields.text("recent_acr"),
        recent_acr_age: fields.seconds("recent_acr_age"),
        dpop_nonce: fields.switch("dpop_nonce"),
        brute_force: fields.table("brute_force", brute_force).unwrap_or_default(),
        registration: fields.choice("registration", &REGISTRATION),
        registration_grants: fields
            .choices("registration_grants", &clients::GRANTS)
            .map(|grants| grants.into_iter().collect()),
        registration_pkce: fields.choice("registration_pkce", &clients::PKCE),
        registration_limit: fields.whole("registration_limit"),
        default_scopes: fields.texts("default_scopes"),
        optional_scopes: fields.texts("optional_scopes"),
        trusted_issuers: fields.tables("trusted_issuers", trusted_issuers::issuer),
        roles: fields.tables("roles", role).unwrap_or_default(),
        scopes: fields.tables("scopes", scope).unwrap_or_default(),
        clients: fields.tables("clients", clients::client).unwrap_or_default(),
        groups: fields.tables("groups", group).unwrap_or_default(),
        users: fields.tables("users", user).unwrap_or_default(),
        keycloak: None,
        places: Default::default(),
    };
    Some(RealmSpec { name: name?, ..spec })
}

fn lifetimes(fields: &mut Fields<'_>) -> Option<LifetimesSpec> {
    Some(LifetimesSpec {
        access_token: fields.seconds("access_token"),
        code: fields.seconds("code"),
        pushed_request: fields.seconds("pushed_request"),
        device_code: fields.seconds("device_code"),
        login: fields.seconds("login"),
        session_idle: fields.seconds("session_idle"),
        session_max: fields.seconds("session_max"),
        remember_me_idle: fields.seconds("remember_me_idle"),
        remember_me_max: fields.seconds("remember_me_max"),
        offline_idle: fields.seconds("offline_idle"),
        offline_max: fields.seconds("offline_max"),
    })
}

fn detail_type(fields: &mut Fields<'_>) -> Option<DetailType> {
    let name = fields.required("name");
    let consent_text = fields.text("consent_text").filter(|text| !text.is_empty());
    let known = fields.texts("fields");
    let known = known.unwrap_or_else(|| COMMON_FIELDS.map(str::to_owned).to_vec());
    Some(DetailType { name: name?, consent_text, fields: known })
}

fn brute_force(fields: &mut Fields<'_>) -> Option<BruteForceSpec> {
    Some(BruteForceSpec {
        max_failures: fields.whole("max_failures"),
        max_account_failures: fields.whole("max_account_failures"),
        max_address_failures: fields.whole("max_address_failures"),
        wait: fields.seconds("wait"),
        max_wait: fields.seconds("max_wait"),
        window: fields.seconds("window"),
    })
}

/// A role of the realm or of a client.
pub(super) fn role(fields: &mut Fields<'_>) -> Option<RoleSpec> {
    let name = fields.required("name");
    let description = fields.text("description");
    let composites = fields.texts("composites");
    let attributes = fields.attributes("attributes");
    Some(RoleSpec { name: name?, description, composites, attributes })
}

fn scope(fields: &mut Fields<'_>) -> Option<ScopeSpec> {
    let name = fields.required("name");
    let spec = ScopeSpec {
        name: String::new(),
        description: fields.text("description"),
        consent_text: fields.text("consent_text"),
        include_in_token: fields.switch("include_in_token"),
        mappers: claims::mappers(fields),
        scope_mappings: fields.texts("scope_mappings"),
    };
    Some(ScopeSpec { name: name?, ..spec })
}

fn group(fields: &mut Fields<'_>) -> Option<GroupSpec> {
    let name = fields.required("name");
    let spec = GroupSpec {
        name: String::new(),
        roles: fields.texts("roles"),
        attributes: fields.attributes("attributes"),
        groups: fields.tables("groups", group).unwrap_or_default(),
    };
    Some(GroupSpec { name: name?, ..spec })
}

fn user(fields: &mut Fields<'_>) -> Option<UserSpec> {
    let username = fields.required("username");
    let spec = UserSpec {
        id: fields.text("id"),
        username: String::new(),
        password: fields.text("password").map(Secret::from),
        password_hash: fields.text("password_hash").map(Secret::from),
        email: fields.text("email"),
        email_verified: fields.switch("email_verified"),
        first_name: fields.text("first_name"),
        last_name: fields.text("last_name"),
        enabled: fields.switch("enabled"),
        roles: fields.texts("roles"),
        groups: fields.texts("groups"),
        required_actions: fields.texts("required_actions"),
        attributes: fields.attributes("attributes"),
    };
    Some(UserSpec { username: username?, ..spec })
}
