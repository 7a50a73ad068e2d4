//! Requests: parameters, and what an authorization request says.

use vestibule::clock::Timestamp;
use vestibule::http::params::{MAX_PARAMS, Params};
use vestibule::protocol::authorization_details::{self, COMMON_FIELDS, DetailType};
use vestibule::protocol::authorize::{AuthorizationRequest, RequestParameters, Target};
use vestibule::protocol::claims_request::ClaimsRequest;
use vestibule::protocol::client::{Client, ClientSettings, GrantType};
use vestibule::protocol::jws;
use vestibule::protocol::outbound::OutboundRules;
use vestibule::protocol::realm::RealmSettings;
use vestibule::protocol::redirect_uri::{Strictness, validate_registration};
use vestibule::protocol::register::{self, Metadata, Offer};
use vestibule::protocol::user::canonical;
use vestibule::protocol::{request_object, scope};

/// Z03: no name twice, no NUL, bounded; and what was read, written again, reads the same.
pub fn params(bytes: &[u8]) {
    let Ok(params) = Params::parse(bytes) else { return };
    let names: Vec<&str> = params.names().collect();
    assert!(names.len() <= MAX_PARAMS);
    let mut written = form_urlencoded::Serializer::new(String::new());
    for name in &names {
        assert_eq!(names.iter().filter(|other| *other == name).count(), 1);
        let value = params.get(name).unwrap_or_default();
        assert!(!name.contains('\0') && !value.contains('\0'));
        written.append_pair(name, value);
    }
    let again = Params::parse(written.finish().as_bytes()).expect("what was accepted is accepted again");
    assert!(again == params);
}

/// No request makes the reader panic, and no answer leaves for an address that is not registered.
pub fn authorization_request(bytes: &[u8]) {
    let Ok(params) = Params::parse(bytes) else { return };
    let pairs = params.names().map(|name| (name.to_owned(), params.get(name).unwrap_or_default().to_owned()));
    let parameters = RequestParameters(pairs.filter(|(_, value)| !value.is_empty()).collect());
    let client = app();
    let Ok(target) = Target::prove(&parameters, Some(&client), Strictness::Serve) else { return };
    assert_eq!(target.redirect_uri(), "https://app.example/cb");
    let _ = AuthorizationRequest::read(&parameters, &client, target);
}

/// A request object says texts alone, and none of them has another request inside.
pub fn request_object(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(token) = jws::parse(text) else { return };
    let (outer, client) = (RequestParameters::default(), app());
    let read = request_object::parameters(
        token.header.typ.as_deref(),
        &token.claims,
        &outer,
        &client,
        "https://op.example",
        Timestamp(1_800_000_000),
    );
    if let Ok(RequestParameters(inner)) = read {
        assert!(inner.values().all(|value| !value.contains('\0')));
        assert!(!inner.contains_key("request") && !inner.contains_key("request_uri"));
    }
}

/// The parameter `claims`, and details of a type that the realm knows.
pub fn structured(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = ClaimsRequest::read(Some(text));
    let realm = RealmSettings {
        authorization_details_types: vec![DetailType {
            name: "files".into(),
            fields: COMMON_FIELDS.map(str::to_owned).into(),
            ..DetailType::default()
        }],
        ..RealmSettings::default()
    };
    let mut client = app();
    client.settings.authorization_details_types = vec!["files".into()];
    for detail in authorization_details::read(Some(text), &client, &realm).unwrap_or_default() {
        assert_eq!(detail.kind(), "files");
        assert!(text.len() <= authorization_details::MOST_BYTES);
        let _ = detail.lines();
    }
}

/// What a client says of itself: whatever is taken would be taken of an operator too.
pub fn client_metadata(bytes: &[u8]) {
    let Ok(document) = jws::strict_object(bytes) else { return };
    let Ok(metadata) = Metadata::read(&document) else { return };
    let realm = RealmSettings::default();
    let offer = Offer {
        realm: &realm,
        signs: &[jws::Algorithm::RS256],
        certificates: None,
        outbound: OutboundRules::default(),
    };
    let Ok(settings) = register::settings(&metadata, None, offer, Timestamp(1_800_000_000)) else { return };
    assert!(settings.consent && !settings.full_scope_allowed);
    for uri in settings.redirect_uris.iter().chain(&settings.post_logout_redirect_uris) {
        assert!(validate_registration(uri, Strictness::Serve).is_ok(), "{uri:?}");
    }
}

/// Scopes: what is granted was offered, and no more than once.
pub fn scope(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let scopes = [];
    let Ok(granted) = scope::grant(Some(text), &app(), &RealmSettings::default(), &scopes) else { return };
    assert!(matches!(granted.token_scope().as_str(), "" | "openid"), "{text:?}");
}

/// Z19: one spelling for a name, and it is its own.
pub fn user_name(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if text.chars().count() > 255 {
        return;
    }
    let once = canonical(text);
    assert_eq!(canonical(&once), once, "{text:?}");
    assert_eq!(once.trim(), once);
}

/// A client with one address.
fn app() -> Client {
    Client {
        id: "1".into(),
        realm_id: "r".into(),
        client_id: "app".into(),
        enabled: true,
        secret_hash: None,
        settings: ClientSettings {
            grants: [GrantType::AuthorizationCode].into(),
            redirect_uris: vec!["https://app.example/cb".into()],
            ..ClientSettings::default()
        },
    }
}
