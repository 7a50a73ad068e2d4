//! A realm's own settings.

use serde_json::Value;

use super::filled;
use super::record::{ATTRIBUTES, Kept, attributes};
use super::representation::{RealmRepresentation, RoleRepresentation};
use crate::clock::Timestamp;
use crate::protocol::device_code;
use crate::protocol::jws::Algorithm;
use crate::protocol::realm::{LONGEST_LIFETIME, Realm, RealmSettings};

const PUSHED_REQUEST: &str = "parRequestUriLifespan";

/// What a new realm says in Keycloak of that on which nothing acts here, so that what reads it finds what it expects.
const SAID: [(&str, &str); 21] = [
    ("sslRequired", "\"external\""),
    ("registrationAllowed", "false"),
    ("registrationEmailAsUsername", "false"),
    ("verifyEmail", "false"),
    ("resetPasswordAllowed", "false"),
    ("editUsernameAllowed", "false"),
    ("revokeRefreshToken", "false"),
    ("refreshTokenMaxReuse", "0"),
    ("internationalizationEnabled", "false"),
    ("eventsEnabled", "false"),
    ("adminEventsEnabled", "false"),
    ("actionTokenGeneratedByAdminLifespan", "43200"),
    ("actionTokenGeneratedByUserLifespan", "300"),
    ("accessCodeLifespanUserAction", "300"),
    ("oauth2DevicePollingInterval", "5"),
    ("otpPolicyType", "\"totp\""),
    ("otpPolicyAlgorithm", "\"HmacSHA1\""),
    ("otpPolicyInitialCounter", "0"),
    ("otpPolicyDigits", "6"),
    ("otpPolicyLookAheadWindow", "1"),
    ("otpPolicyPeriod", "30"),
];

/// What Keycloak says of its own brake unless it was told otherwise.
const BRAKE: [(&str, i64); 4] = [
    ("failureFactor", 30),
    ("waitIncrementSeconds", 60),
    ("maxFailureWaitSeconds", 900),
    ("maxDeltaTimeSeconds", 43_200),
];

/// `base` with what `realm` says of the realm itself, and what it says beyond. What is in the realm (roles, clients,
/// users, documents, …) is the caller's and stays in `realm`.
#[must_use]
pub fn from_representation(realm: &RealmRepresentation, base: Realm) -> (Realm, Kept) {
    let mut kept = realm.kept.clone();
    let mut settings = base.settings;
    lifespans(realm, &mut settings);
    brute_force(realm, &mut settings, &mut kept);
    // What would be said anyway needs no keeping; an older word is taken back.
    for (name, value) in SAID {
        let usual: Option<Value> = serde_json::from_str(value).ok();
        if usual.is_some() && kept.get(name) == usual.as_ref() {
            kept.insert(name.to_owned(), Value::Null);
        }
    }
    let mut attributes = realm.attributes.clone().unwrap_or_default();
    if let Some(span) = attributes.remove(PUSHED_REQUEST) {
        match span.parse() {
            Ok(span) if span > 0 => settings.pushed_request = span,
            _ => drop(attributes.insert(PUSHED_REQUEST.to_owned(), span)),
        }
    }
    if !attributes.is_empty() {
        kept.insert(ATTRIBUTES.to_owned(), attributes.into_iter().collect());
    }
    if let Some(name) = &realm.default_signature_algorithm {
        // One that this server cannot make tokens with is kept; the realm's stays.
        match name.parse::<Algorithm>() {
            Ok(_) => {
                settings.signature_algorithm.clone_from(name);
                kept.insert("defaultSignatureAlgorithm".to_owned(), Value::Null);
            }
            Err(_) => drop(kept.insert("defaultSignatureAlgorithm".to_owned(), name.clone().into())),
        }
    }
    set(&mut settings.remember_me, realm.remember_me);
    addresses(realm, &mut settings);
    settings.not_before = match realm.not_before {
        Some(0) => None,
        Some(at) => Some(Timestamp(at)),
        None => settings.not_before,
    };
    set(&mut settings.default_scopes, realm.default_default_client_scopes.clone());
    set(&mut settings.optional_scopes, realm.default_optional_client_scopes.clone());
    let display_name = match &realm.display_name {
        Some(name) => filled(Some(name)),
        None => base.display_name,
    };
    let name = filled(realm.realm.as_deref()).unwrap_or(base.name);
    (Realm { name, display_name, enabled: realm.enabled.unwrap_or(base.enabled), settings, ..base }, kept)
}

/// What is wrong with the lifespans, in words that name the field; none when they are within bounds.
#[must_use]
pub fn problem(realm: &RealmRepresentation) -> Option<String> {
    let spans = [
        ("accessTokenLifespan", realm.access_token_lifespan, LONGEST_LIFETIME),
        ("accessCodeLifespan", realm.access_code_lifespan, 600),
        ("accessCodeLifespanLogin", realm.access_code_lifespan_login, 86_400),
        ("ssoSessionIdleTimeout", realm.sso_session_idle_timeout, LONGEST_LIFETIME),
        ("ssoSessionMaxLifespan", realm.sso_session_max_lifespan, LONGEST_LIFETIME),
        ("ssoSessionIdleTimeoutRememberMe", realm.sso_session_idle_timeout_remember_me, LONGEST_LIFETIME),
        ("ssoSessionMaxLifespanRememberMe", realm.sso_session_max_lifespan_remember_me, LONGEST_LIFETIME),
        ("offlineSessionIdleTimeout", realm.offline_session_idle_timeout, LONGEST_LIFETIME),
        ("offlineSessionMaxLifespan", realm.offline_session_max_lifespan, LONGEST_LIFETIME),
        ("oauth2DeviceCodeLifespan", realm.oauth2_device_code_lifespan, device_code::LONGEST_LIFETIME),
    ];
    spans
        .into_iter()
        .find(|(_, span, most)| span.is_some_and(|span| span > *most))
        .map(|(name, _, most)| format!("{name} must be at most {most} seconds"))
}

/// Nobody signs in by an address that may be another's: either switch takes the other back, the second of them last.
fn addresses(realm: &RealmRepresentation, settings: &mut RealmSettings) {
    if let Some(on) = realm.login_with_email_allowed {
        settings.login_with_email = on;
        settings.duplicate_emails &= !on;
    }
    if let Some(on) = realm.duplicate_emails_allowed {
        settings.duplicate_emails = on;
        settings.login_with_email &= !on;
    }
}

fn lifespans(realm: &RealmRepresentation, settings: &mut RealmSettings) {
    for (place, span) in [
        (&mut settings.access_token, realm.access_token_lifespan),
        (&mut settings.code, realm.access_code_lifespan),
        (&mut settings.login, realm.access_code_lifespan_login),
        (&mut settings.session_idle, realm.sso_session_idle_timeout),
        (&mut settings.session_max, realm.sso_session_max_lifespan),
        (&mut settings.offline_idle, realm.offline_session_idle_timeout),
        (&mut settings.device_code, realm.oauth2_device_code_lifespan),
    ] {
        set(place, span.filter(|span| *span > 0));
    }
    // Zero is Keycloak's way to say that a remembered session lives as any other.
    let (idle, max) = (settings.session_idle, settings.session_max);
    for (place, span, plain) in [
        (&mut settings.remember_me_idle, realm.sso_session_idle_timeout_remember_me, idle),
        (&mut settings.remember_me_max, realm.sso_session_max_lifespan_remember_me, max),
    ] {
        set(place, span.map(|span| if span > 0 { span } else { plain }));
    }
    match (realm.offline_session_max_lifespan_enabled, realm.offline_session_max_lifespan) {
        (Some(false), _) => settings.offline_max = None,
        (Some(true), span) => settings.offline_max = span.filter(|span| *span > 0).or(settings.offline_max),
        (None, _) => {}
    }
}

/// The brake is never off here: what is said of it is kept, and heeded where Keycloak's own is on.
fn brute_force(realm: &RealmRepresentation, settings: &mut RealmSettings, kept: &mut Kept) {
    let brake = &mut settings.brute_force;
    let said = [
        ("failureFactor", realm.failure_factor, &mut brake.max_failures),
        ("waitIncrementSeconds", realm.wait_increment_seconds, &mut brake.wait),
        ("maxFailureWaitSeconds", realm.max_failure_wait_seconds, &mut brake.max_wait),
        ("maxDeltaTimeSeconds", realm.max_delta_time_seconds, &mut brake.window),
    ];
    for (name, value, place) in said {
        let Some(value) = value else { continue };
        let usual = BRAKE.contains(&(name, value));
        kept.insert(name.to_owned(), if usual { Value::Null } else { value.into() });
        if realm.brute_force_protected == Some(true) && value > 0 {
            *place = value;
        }
    }
    if let Some(on) = realm.brute_force_protected {
        kept.insert("bruteForceProtected".to_owned(), if on { on.into() } else { Value::Null });
    }
}

/// The representation of `realm` itself; `default_role` is the role that every user has.
#[must_use]
pub fn to_representation(
    realm: &Realm,
    default_role: Option<RoleRepresentation>,
    mut kept: Kept,
) -> RealmRepresentation {
    let settings = &realm.settings;
    for (name, value) in SAID {
        if !kept.contains_key(name) {
            kept.insert(name.to_owned(), serde_json::from_str(value).unwrap_or(Value::Null));
        }
    }
    let [failure_factor, wait_increment_seconds, max_failure_wait_seconds, max_delta_time_seconds] =
        BRAKE.map(|(name, usual)| Some(kept.remove(name).and_then(|value| value.as_i64()).unwrap_or(usual)));
    let protected = kept.remove("bruteForceProtected").and_then(|value| value.as_bool()).unwrap_or(false);
    let algorithm =
        kept.remove("defaultSignatureAlgorithm").and_then(|name| name.as_str().map(str::to_owned));
    let mut all =
        std::collections::BTreeMap::from([(PUSHED_REQUEST.to_owned(), settings.pushed_request.to_string())]);
    all.extend(attributes(&kept));
    kept.remove(ATTRIBUTES);
    // From before anything acted on it.
    kept.remove("duplicateEmailsAllowed");
    RealmRepresentation {
        id: Some(realm.id.clone()),
        realm: Some(realm.name.clone()),
        display_name: realm.display_name.clone(),
        enabled: Some(realm.enabled),
        not_before: Some(settings.not_before.map_or(0, |at| at.0)),
        default_signature_algorithm: Some(algorithm.unwrap_or_else(|| settings.signature_algorithm.clone())),
        access_token_lifespan: Some(settings.access_token),
        access_code_lifespan: Some(settings.code),
        access_code_lifespan_login: Some(settings.login),
        sso_session_idle_timeout: Some(settings.session_idle),
        sso_session_max_lifespan: Some(settings.session_max),
        sso_session_idle_timeout_remember_me: Some(settings.remember_me_idle),
        sso_session_max_lifespan_remember_me: Some(settings.remember_me_max),
        offline_session_idle_timeout: Some(settings.offline_idle),
        offline_session_max_lifespan_enabled: Some(settings.offline_max.is_some()),
        offline_session_max_lifespan: Some(settings.offline_max.unwrap_or(5_184_000)),
        oauth2_device_code_lifespan: Some(settings.device_code),
        remember_me: Some(settings.remember_me),
        login_with_email_allowed: Some(settings.login_with_email),
        duplicate_emails_allowed: Some(settings.duplicate_emails),
        brute_force_protected: Some(protected),
        failure_factor,
        wait_increment_seconds,
        max_failure_wait_seconds,
        max_delta_time_seconds,
        attributes: Some(all),
        default_role,
        default_default_client_scopes: Some(settings.default_scopes.clone()),
        default_optional_client_scopes: Some(settings.optional_scopes.clone()),
        kept,
        ..RealmRepresentation::default()
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
