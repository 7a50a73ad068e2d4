//! What a person should hear of a representation: what of it is kept and has no effect, and why; which clients it lets
//! be weaker than production does.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::keycloak::Kept;
use crate::keycloak::document::DocumentKind;
use crate::keycloak::representation::CredentialRepresentation;
use crate::protocol::client::{Client, GrantType};
use crate::protocol::mapper::{Kind, Mapper};
use crate::protocol::redirect_uri::Strictness;
use crate::protocol::sign_in_step::ASKED;

/// Names of members that are kept without effect, by the reason and by what has them.
#[derive(Debug, Default)]
pub(super) struct WithoutEffect(BTreeMap<(&'static str, &'static str), BTreeSet<String>>);

/// Members that are kept as they were written and do act: as addresses, as the switches of what a client may do, or
/// within the record that they stand beside.
const ACTS: [&str; 9] = [
    "redirectUris",
    "rootUrl",
    "baseUrl",
    "bearerOnly",
    "protocol",
    "bruteForceProtected",
    "credentials",
    "totp",
    "keycloakVersion",
];

/// Kept members of a brake that acts on them while it is on.
const BRAKE: [&str; 4] =
    ["failureFactor", "waitIncrementSeconds", "maxFailureWaitSeconds", "maxDeltaTimeSeconds"];

const OTHER: &str = "nothing here acts on it";
const NO_PAGE: &str = "no page asks for it: development passes over it, production holds the sign-in up";
const FLOWS: &str = "the steps of a sign-in are built in";
const ALGORITHM: &str = "tokens are signed by RS256, PS256, ES256 or EdDSA";

/// Why members have no effect, by the beginning of their names.
const REASONS: [(&str, &str); 41] = [
    ("access.token.signed.response.alg", ALGORITHM),
    ("accountTheme", "pages have one look"),
    ("adminTheme", "pages have one look"),
    ("adminEvents", "every event is kept"),
    ("adminUrl", "sign-out is told by `backchannel.logout.url`"),
    ("alwaysDisplayInConsole", "there is no list of applications"),
    ("authenticationFlowBindingOverrides", FLOWS),
    ("browserFlow", FLOWS),
    ("browserSecurityHeaders", "pages have headers of their own, as strict as they can be"),
    ("clientAuthenticationFlow", FLOWS),
    ("client_credentials.use_refresh_token", "a service asks for a new token instead"),
    ("clientAuthenticatorType", "the client proves itself by its secret instead"),
    ("defaultLocale", "pages are in English"),
    ("defaultSignatureAlgorithm", ALGORITHM),
    ("directGrantFlow", FLOWS),
    ("dockerAuthenticationFlow", FLOWS),
    ("emailTheme", "no mail is sent"),
    ("enabledEventTypes", "every event is kept"),
    ("events", "every event is kept"),
    ("failureFactor", "heeded while `bruteForceProtected` is on"),
    ("exclude.issuer.from.auth.response", "answers always say who gives them"),
    ("exclude.session.state.from.auth.response", "answers always name the session"),
    ("federatedIdentities", "nobody is signed in by other servers"),
    ("firstBrokerLoginFlow", FLOWS),
    ("frontchannelLogout", "there is no `frontchannel.logout.url`"),
    ("id.token.signed.response.alg", ALGORITHM),
    ("implicitFlowEnabled", "the implicit flow is not offered: use the code flow"),
    ("internationalizationEnabled", "pages are in English"),
    ("localizationTexts", "pages have this server's texts; of these `termsText` alone is shown"),
    ("loginTheme", "pages have one look"),
    ("maxDeltaTimeSeconds", "heeded while `bruteForceProtected` is on"),
    ("maxFailureWaitSeconds", "heeded while `bruteForceProtected` is on"),
    ("nodeReRegistrationTimeout", "nodes of applications do not register"),
    ("registrationFlow", FLOWS),
    ("resetCredentialsFlow", FLOWS),
    ("smtpServer", "no mail is sent"),
    ("sslRequired", "the server's own configuration says where TLS ends"),
    ("supportedLocales", "pages are in English"),
    ("surrogateAuthRequired", OTHER),
    ("userManagedAccessAllowed", "UMA is not offered"),
    ("waitIncrementSeconds", "heeded while `bruteForceProtected` is on"),
];

impl WithoutEffect {
    /// Notes what of `kept` has no effect; `what` has it.
    pub(super) fn note(&mut self, what: &'static str, kept: &Kept) {
        let is_braked = kept.get("bruteForceProtected") == Some(&Value::Bool(true));
        // A client of another protocol gets nothing of all that it says.
        if what == "clients" && kept.get("protocol").is_some_and(Value::is_string) {
            self.insert(
                what,
                "its protocol is not offered",
                "all of a client of another protocol".to_owned(),
            );
            return;
        }
        for (name, value) in kept.iter().filter(|(_, value)| says_something(value)) {
            match (name.as_str(), value) {
                ("attributes", Value::Object(attributes)) => self.attributes(what, attributes),
                ("protocolMappers", Value::Object(mappers)) => self.mappers(what, mappers),
                (name, _) if ACTS.contains(&name) || (is_braked && BRAKE.contains(&name)) => {}
                (name, _) => self.insert(what, reason(name), name.to_owned()),
            }
        }
    }

    /// Notes that there are documents of this kind.
    pub(super) fn note_documents(&mut self, kind: DocumentKind) {
        let why = match kind {
            DocumentKind::IdentityProvider | DocumentKind::IdentityProviderMapper => {
                "nobody is signed in by other servers"
            }
            DocumentKind::AuthenticationFlow
            | DocumentKind::AuthenticatorConfig
            | DocumentKind::RequiredAction => FLOWS,
            DocumentKind::Component => "keys and user profile are this server's own",
        };
        self.insert("the realm", why, format!("{}s", kind.kind()));
    }

    /// Notes which of `mappers` are of a kind that writes nothing here; `what` has them.
    pub(super) fn note_mappers(&mut self, what: &'static str, mappers: &[Mapper]) {
        for mapper in mappers.iter().filter(|mapper| Kind::parse(&mapper.kind).is_none()) {
            // SAML's come with every realm of Keycloak, for clients whose protocol is told of already.
            if !mapper.kind.starts_with("saml-") {
                let name = format!("mapper {} ({})", mapper.name, mapper.kind);
                self.insert(what, "its kind is not known, so its claim is missing", name);
            }
        }
    }

    /// Notes which of a user's credentials nobody is asked for.
    pub(super) fn note_credentials(&mut self, credentials: &[CredentialRepresentation]) {
        for kind in credentials.iter().filter_map(|credential| credential.kind.as_deref()) {
            if !["password", "otp", "totp", "hotp"].contains(&kind) {
                self.insert("users", "nobody is asked for it", format!("credentials of type {kind}"));
            }
        }
    }

    /// Notes which of the actions that are asked of a user there is no page for.
    pub(super) fn note_required(&mut self, actions: &[String]) {
        for action in actions.iter().filter(|action| !ASKED.contains(&action.as_str())) {
            self.insert("users", NO_PAGE, format!("required action {action}"));
        }
    }

    fn attributes(&mut self, what: &'static str, attributes: &Map<String, Value>) {
        for (name, _) in attributes.iter().filter(|(_, value)| says_something(value)) {
            self.insert(what, reason(name), format!("attribute {name}"));
        }
    }

    /// What mappers say beyond their records.
    fn mappers(&mut self, what: &'static str, mappers: &Map<String, Value>) {
        for (name, beyond) in mappers {
            let beyond = beyond.as_object().into_iter().flatten();
            for (member, _) in beyond.filter(|(_, value)| says_something(value)) {
                let why = match member.as_str() {
                    "protocol" => "its protocol is not offered",
                    _ => OTHER,
                };
                self.insert(what, why, format!("{member} of mapper {name}"));
            }
        }
    }

    fn insert(&mut self, what: &'static str, why: &'static str, name: String) {
        self.0.entry((what, why)).or_default().insert(name);
    }

    /// A line for each thing and reason.
    pub(super) fn told(self) -> impl Iterator<Item = String> {
        self.0.into_iter().map(|((what, why), names)| {
            let names = names.into_iter().collect::<Vec<_>>().join(", ");
            format!("kept without effect, of {what}: {names} ({why})")
        })
    }
}

fn reason(name: &str) -> &'static str {
    REASONS.iter().find(|(begin, _)| name.starts_with(begin)).map_or(OTHER, |(_, why)| why)
}

/// What is off, empty or zero asks for nothing.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty() && text != "false",
        Value::Number(number) => number.as_i64().is_none_or(|number| number > 0),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(true) => true,
    }
}

/// The clients that may sign people in without PKCE in development, and not in production (attacks D4).
pub(super) fn without_pkce(clients: &[Client]) -> Option<String> {
    let may = |client: &&Client| {
        client.may(GrantType::AuthorizationCode)
            && !client.must_use_pkce(Strictness::Development)
            && client.must_use_pkce(Strictness::Serve)
    };
    let mut names: Vec<&str> = clients.iter().filter(may).map(|client| client.client_id.as_str()).collect();
    names.sort_unstable();
    (!names.is_empty()).then(|| {
        let names = names.join(", ");
        format!(
            "without PKCE in development, while production demands it of public clients: {names} (set \
             `pkce.code.challenge.method` to S256)"
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mappers_that_write_nothing_are_told() {
        let mapper = |name: &str, kind: &str| Mapper {
            name: name.to_owned(),
            kind: kind.to_owned(),
            ..Mapper::default()
        };
        let mut found = WithoutEffect::default();
        let mappers = [
            mapper("email", "oidc-usermodel-property-mapper"),
            mapper("script", "oidc-script-based-protocol-mapper"),
            mapper("role list", "saml-role-list-mapper"),
        ];
        found.note_mappers("clients", &mappers);
        let told: Vec<_> = found.told().collect();
        assert_eq!(
            told,
            [
                "kept without effect, of clients: mapper script (oidc-script-based-protocol-mapper) (its kind is not known, \
              so its claim is missing)"
            ]
        );
    }

    #[test]
    fn only_what_has_no_effect_is_told_with_its_reason() {
        let told = |what, kept: Value| {
            let mut found = WithoutEffect::default();
            found.note(what, kept.as_object().unwrap());
            found.told().collect::<Vec<_>>()
        };
        for (row, what, kept, expected) in [
            (
                "addresses act",
                "clients",
                json!({"redirectUris": ["/cb"], "rootUrl": "http://x", "baseUrl": "/"}),
                &[][..],
            ),
            (
                "what is off asks for nothing",
                "clients",
                json!({"alwaysDisplayInConsole": false, "authenticationFlowBindingOverrides": {}, "nodeReRegistrationTimeout": -1}),
                &[],
            ),
            (
                "the implicit flow",
                "clients",
                json!({"implicitFlowEnabled": true}),
                &[
                    "kept without effect, of clients: implicitFlowEnabled (the implicit flow is not offered: use the code flow)",
                ],
            ),
            (
                "attributes by name",
                "clients",
                json!({"attributes": {"saml.x": "y", "off": "false", "login_theme": "dark"}}),
                &[
                    "kept without effect, of clients: attribute login_theme, attribute saml.x (nothing here acts on it)",
                ],
            ),
            (
                "algorithms that are not offered, and refresh tokens of services",
                "clients",
                json!({"attributes": {"access.token.signed.response.alg": "RS384", "client_credentials.use_refresh_token": "true"}}),
                &[
                    "kept without effect, of clients: attribute client_credentials.use_refresh_token (a service asks for a new token instead)",
                    "kept without effect, of clients: attribute access.token.signed.response.alg (tokens are signed by RS256, PS256, ES256 or EdDSA)",
                ],
            ),
            (
                "another protocol",
                "clients",
                json!({"protocol": "saml", "adminUrl": "x"}),
                &[
                    "kept without effect, of clients: all of a client of another protocol (its protocol is not offered)",
                ],
            ),
            (
                "mail",
                "the realm",
                json!({"smtpServer": {"host": "x"}, "emailTheme": "dark"}),
                &["kept without effect, of the realm: emailTheme, smtpServer (no mail is sent)"],
            ),
            (
                "a brake that is on heeds its numbers",
                "the realm",
                json!({"bruteForceProtected": true, "failureFactor": 5}),
                &[],
            ),
            (
                "one that is off does not",
                "the realm",
                json!({"failureFactor": 5}),
                &[
                    "kept without effect, of the realm: failureFactor (heeded while `bruteForceProtected` is on)",
                ],
            ),
            (
                "mappers of scopes",
                "client scopes",
                json!({"protocolMappers": {"role list": {"protocol": "saml"}}}),
                &[
                    "kept without effect, of client scopes: protocol of mapper role list (its protocol is not offered)",
                ],
            ),
        ] {
            assert_eq!(told(what, kept), expected, "{row}");
        }
    }

    #[test]
    fn reasons_are_found_by_the_longest_name_that_fits() {
        assert_eq!(reason("eventsListeners"), "every event is kept");
        assert_eq!(
            reason("browserSecurityHeaders"),
            "pages have headers of their own, as strict as they can be"
        );
        assert_eq!(reason("passwordPolicy"), OTHER);
    }
}
