//! The scopes of a fresh realm with their mappers: OpenID Connect Core §5.4 as Keycloak arranges it.

use super::SERVICE_ACCOUNT;
use crate::protocol::mapper::Mapper;
use crate::protocol::scope::{OFFLINE_ACCESS, Scope, ScopeSettings};

/// Where a claim stands.
const EVERYWHERE: [&str; 4] =
    ["access.token.claim", "id.token.claim", "userinfo.token.claim", "introspection.token.claim"];
const TOKENS: [&str; 3] = ["access.token.claim", "id.token.claim", "introspection.token.claim"];
const ACCESS: [&str; 2] = ["access.token.claim", "introspection.token.claim"];

/// All of them for the realm `realm_id`.
pub(super) fn all(realm_id: &str, id: &mut dyn FnMut() -> String) -> Vec<Scope> {
    let mut scope = |(name, description, include_in_token, consent_text, mappers): Row| Scope {
        id: id(),
        realm_id: realm_id.to_owned(),
        name: name.to_owned(),
        description: Some(description.to_owned()),
        settings: ScopeSettings {
            include_in_token,
            consent_text: (!consent_text.is_empty()).then(|| consent_text.to_owned()),
            mappers: mappers.into_iter().map(|mapper| Mapper { id: id(), ..mapper }).collect(),
            scope_mappings: Default::default(),
            built_in: true,
        },
    };
    rows().into_iter().map(&mut scope).collect()
}

/// Name, description, whether tokens show it, what the consent page says, mappers.
type Row = (&'static str, &'static str, bool, &'static str, Vec<Mapper>);

fn rows() -> Vec<Row> {
    vec![
        ("basic", "Who, and when they signed in", false, "", basic()),
        ("profile", "Name and profile", true, "See your name and profile", profile()),
        ("email", "Email address", true, "See your email address", email()),
        ("address", "Postal address", true, "See your postal address", vec![address()]),
        ("phone", "Phone number", true, "See your phone number", phone()),
        (
            OFFLINE_ACCESS,
            "Access while the person is away",
            true,
            "Keep this access while you are away",
            vec![],
        ),
        ("roles", "Roles, and the audiences that follow from them", false, "See your roles", roles()),
        (
            "web-origins",
            "Origins that may call from a browser",
            false,
            "",
            vec![mapper("allowed web origins", "oidc-allowed-origins-mapper", &[], &ACCESS)],
        ),
        (
            "acr",
            "How they signed in",
            false,
            "",
            vec![mapper("acr loa level", "oidc-acr-mapper", &[], &TOKENS)],
        ),
        ("microprofile-jwt", "Claims of MicroProfile JWT", true, "", microprofile()),
        // The token itself names a service's client: no mapper may write `client_id`.
        (SERVICE_ACCOUNT, "Claims of a service", false, "", service()),
    ]
}

fn basic() -> Vec<Mapper> {
    let auth_time =
        [("claim.name", "auth_time"), ("jsonType.label", "long"), ("user.session.note", "AUTH_TIME")];
    vec![
        mapper("sub", "oidc-sub-mapper", &[], &ACCESS),
        mapper("auth_time", "oidc-usersessionmodel-note-mapper", &auth_time, &TOKENS),
    ]
}

fn profile() -> Vec<Mapper> {
    let full_name = mapper("full name", "oidc-full-name-mapper", &[], &EVERYWHERE);
    let attributes = [
        ("username", "username", "preferred_username", "String"),
        ("given name", "firstName", "given_name", "String"),
        ("family name", "lastName", "family_name", "String"),
        ("middle name", "middleName", "middle_name", "String"),
        ("nickname", "nickname", "nickname", "String"),
        ("profile", "profile", "profile", "String"),
        ("picture", "picture", "picture", "String"),
        ("website", "website", "website", "String"),
        ("gender", "gender", "gender", "String"),
        ("birthdate", "birthdate", "birthdate", "String"),
        ("zoneinfo", "zoneinfo", "zoneinfo", "String"),
        ("locale", "locale", "locale", "String"),
        ("updated at", "updatedAt", "updated_at", "long"),
    ];
    std::iter::once(full_name).chain(attributes.into_iter().map(attribute)).collect()
}

fn email() -> Vec<Mapper> {
    let verified = [
        ("claim.name", "email_verified"),
        ("jsonType.label", "boolean"),
        ("user.attribute", "emailVerified"),
    ];
    vec![
        attribute(("email", "email", "email", "String")),
        mapper("email verified", "oidc-usermodel-property-mapper", &verified, &EVERYWHERE),
    ]
}

fn address() -> Mapper {
    let members = [
        ("user.attribute.formatted", "formatted"),
        ("user.attribute.street", "street"),
        ("user.attribute.locality", "locality"),
        ("user.attribute.region", "region"),
        ("user.attribute.postal_code", "postal_code"),
        ("user.attribute.country", "country"),
    ];
    mapper("address", "oidc-address-mapper", &members, &EVERYWHERE)
}

fn phone() -> Vec<Mapper> {
    vec![
        attribute(("phone number", "phoneNumber", "phone_number", "String")),
        attribute(("phone number verified", "phoneNumberVerified", "phone_number_verified", "boolean")),
    ]
}

fn roles() -> Vec<Mapper> {
    let list = |claim| [("claim.name", claim), ("jsonType.label", "String"), ("multivalued", "true")];
    let realm = list("realm_access.roles");
    let client = list("resource_access.${client_id}.roles");
    vec![
        mapper("realm roles", "oidc-usermodel-realm-role-mapper", &realm, &ACCESS),
        mapper("client roles", "oidc-usermodel-client-role-mapper", &client, &ACCESS),
        mapper("audience resolve", "oidc-audience-resolve-mapper", &[], &ACCESS),
    ]
}

fn service() -> Vec<Mapper> {
    let note = |claim| [("claim.name", claim), ("jsonType.label", "String"), ("user.session.note", claim)];
    vec![
        mapper("Client Host", "oidc-usersessionmodel-note-mapper", &note("clientHost"), &TOKENS),
        mapper("Client IP Address", "oidc-usersessionmodel-note-mapper", &note("clientAddress"), &TOKENS),
    ]
}

fn microprofile() -> Vec<Mapper> {
    let groups = [("claim.name", "groups"), ("jsonType.label", "String"), ("multivalued", "true")];
    vec![
        attribute(("upn", "username", "upn", "String")),
        mapper("groups", "oidc-usermodel-realm-role-mapper", &groups, &TOKENS),
    ]
}

/// A user's attribute: the mapper's name, the attribute, the claim, its type.
fn attribute((name, attribute, claim, label): (&str, &str, &str, &str)) -> Mapper {
    let config = [("claim.name", claim), ("jsonType.label", label), ("user.attribute", attribute)];
    mapper(name, "oidc-usermodel-attribute-mapper", &config, &EVERYWHERE)
}

fn mapper(name: &str, kind: &str, config: &[(&str, &str)], targets: &[&str]) -> Mapper {
    let targets = targets.iter().map(|target| (*target, "true"));
    let config = config.iter().copied().chain(targets);
    Mapper {
        name: name.to_owned(),
        kind: kind.to_owned(),
        config: config.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        ..Mapper::default()
    }
}
