//! The flows of a fresh realm, by Keycloak's names.

use serde_json::{Value, json};

use super::super::Kept;
use super::super::mapper::named_identifier;

/// What a step is: an authenticator, one with settings, a flow in its place, or a form with a flow of its parts.
#[derive(Clone, Copy)]
enum Step {
    Plain(&'static str),
    Set(&'static str, &'static str),
    Flow(&'static str),
    Form(&'static str, &'static str),
}

use Step::{Flow, Form, Plain, Set};

/// A requirement, a step, and its priority.
type Row = (&'static str, Step, i64);

struct Fresh {
    alias: &'static str,
    description: &'static str,
    provider: &'static str,
    top: bool,
    steps: &'static [Row],
}

const fn top(alias: &'static str, description: &'static str, steps: &'static [Row]) -> Fresh {
    Fresh { alias, description, provider: "basic-flow", top: true, steps }
}

const fn below(alias: &'static str, description: &'static str, steps: &'static [Row]) -> Fresh {
    Fresh { alias, description, provider: "basic-flow", top: false, steps }
}

const REQUIRED: &str = "REQUIRED";
const ALTERNATIVE: &str = "ALTERNATIVE";
const CONDITIONAL: &str = "CONDITIONAL";
const DISABLED: &str = "DISABLED";

const FLOWS: [Fresh; 17] = [
    top(
        "browser",
        "Browser based authentication",
        &[
            (ALTERNATIVE, Plain("auth-cookie"), 10),
            (DISABLED, Plain("auth-spnego"), 20),
            (ALTERNATIVE, Plain("identity-provider-redirector"), 25),
            (ALTERNATIVE, Flow("forms"), 30),
        ],
    ),
    below(
        "forms",
        "Username, password, otp and other auth forms.",
        &[
            (REQUIRED, Plain("auth-username-password-form"), 10),
            (CONDITIONAL, Flow("Browser - Conditional 2FA"), 20),
        ],
    ),
    below(
        "Browser - Conditional 2FA",
        "Whether a second factor is asked for",
        &[
            (REQUIRED, Plain("conditional-user-configured"), 10),
            (REQUIRED, Set("conditional-credential", "browser-conditional-credential"), 20),
            (ALTERNATIVE, Plain("auth-otp-form"), 30),
            (DISABLED, Plain("webauthn-authenticator"), 40),
            (DISABLED, Plain("auth-recovery-authn-code-form"), 50),
        ],
    ),
    top(
        "direct grant",
        "OpenID Connect Resource Owner Grant",
        &[
            (REQUIRED, Plain("direct-grant-validate-username"), 10),
            (REQUIRED, Plain("direct-grant-validate-password"), 20),
            (CONDITIONAL, Flow("Direct Grant - Conditional OTP"), 30),
        ],
    ),
    below(
        "Direct Grant - Conditional OTP",
        "Whether a one-time code is asked for",
        &[
            (REQUIRED, Plain("conditional-user-configured"), 10),
            (REQUIRED, Plain("direct-grant-validate-otp"), 20),
        ],
    ),
    top(
        "registration",
        "Registration flow",
        &[(REQUIRED, Form("registration-page-form", "registration form"), 10)],
    ),
    Fresh {
        alias: "registration form",
        description: "Registration form",
        provider: "form-flow",
        top: false,
        steps: &[
            (REQUIRED, Plain("registration-user-creation"), 20),
            (REQUIRED, Plain("registration-password-action"), 50),
            (DISABLED, Plain("registration-recaptcha-action"), 60),
            (DISABLED, Plain("registration-terms-and-conditions"), 70),
        ],
    },
    top(
        "reset credentials",
        "Reset credentials for a user if they forgot their password",
        &[
            (REQUIRED, Plain("reset-credentials-choose-user"), 10),
            (REQUIRED, Plain("reset-credential-email"), 20),
            (REQUIRED, Plain("reset-password"), 30),
            (CONDITIONAL, Flow("Reset - Conditional OTP"), 40),
        ],
    ),
    below(
        "Reset - Conditional OTP",
        "Whether one-time codes are set up anew",
        &[(REQUIRED, Plain("conditional-user-configured"), 10), (REQUIRED, Plain("reset-otp"), 20)],
    ),
    Fresh {
        alias: "clients",
        description: "Base authentication for clients",
        provider: "client-flow",
        top: true,
        steps: &[
            (ALTERNATIVE, Plain("client-secret"), 10),
            (ALTERNATIVE, Plain("client-jwt"), 20),
            (ALTERNATIVE, Plain("client-secret-jwt"), 30),
            (ALTERNATIVE, Plain("client-x509"), 40),
        ],
    },
    top(
        "first broker login",
        "Actions taken after the first sign-in by an identity provider",
        &[
            (REQUIRED, Set("idp-review-profile", "review profile config"), 10),
            (REQUIRED, Flow("User creation or linking"), 20),
        ],
    ),
    below(
        "User creation or linking",
        "Whether the user is new or there already",
        &[
            (ALTERNATIVE, Set("idp-create-user-if-unique", "create unique user config"), 10),
            (ALTERNATIVE, Flow("Handle Existing Account"), 20),
        ],
    ),
    below(
        "Handle Existing Account",
        "What to do if there is an account with the same address or user name",
        &[(REQUIRED, Plain("idp-confirm-link"), 10), (REQUIRED, Flow("Account verification options"), 20)],
    ),
    below(
        "Account verification options",
        "How the account that is there is proven",
        &[
            (ALTERNATIVE, Plain("idp-email-verification"), 10),
            (ALTERNATIVE, Flow("Verify Existing Account by Re-authentication"), 20),
        ],
    ),
    below(
        "Verify Existing Account by Re-authentication",
        "The account that is there signs in",
        &[
            (REQUIRED, Plain("idp-username-password-form"), 10),
            (CONDITIONAL, Flow("First broker login - Conditional 2FA"), 20),
        ],
    ),
    below(
        "First broker login - Conditional 2FA",
        "Whether a second factor is asked for",
        &[
            (REQUIRED, Plain("conditional-user-configured"), 10),
            (REQUIRED, Set("conditional-credential", "first-broker-login-conditional-credential"), 20),
            (ALTERNATIVE, Plain("auth-otp-form"), 30),
            (DISABLED, Plain("webauthn-authenticator"), 40),
            (DISABLED, Plain("auth-recovery-authn-code-form"), 50),
        ],
    ),
    top(
        "docker auth",
        "Used by Docker clients to authenticate against the IDP",
        &[(REQUIRED, Plain("docker-http-basic-authenticator"), 10)],
    ),
];

const CONFIGS: [(&str, &str, &str); 4] = [
    ("browser-conditional-credential", "credentials", "webauthn-passwordless"),
    ("create unique user config", "require.password.update.after.registration", "false"),
    ("first-broker-login-conditional-credential", "credentials", "webauthn-passwordless"),
    ("review profile config", "update.profile.on.first.login", "missing"),
];

/// The flows of a fresh realm.
pub(super) fn flows(realm_id: &str) -> Vec<Kept> {
    FLOWS.iter().filter_map(|flow| written(realm_id, flow).as_object().cloned()).collect()
}

fn written(realm_id: &str, flow: &Fresh) -> Value {
    json!({
        "id": named_identifier(realm_id, flow.alias),
        "alias": flow.alias,
        "description": flow.description,
        "providerId": flow.provider,
        "topLevel": flow.top,
        "builtIn": true,
        "authenticationExecutions": flow.steps.iter().map(written_step).collect::<Vec<_>>(),
    })
}

fn written_step((requirement, step, priority): &Row) -> Value {
    let is_flow = matches!(step, Flow(_) | Form(..));
    let mut written = json!({
        "authenticatorFlow": is_flow,
        "autheticatorFlow": is_flow,
        "requirement": requirement,
        "priority": priority,
        "userSetupAllowed": false,
    });
    let named: &[(&str, &str)] = match step {
        Plain(name) => &[("authenticator", name)],
        Set(name, config) => &[("authenticator", name), ("authenticatorConfig", config)],
        Flow(alias) => &[("flowAlias", alias)],
        Form(name, alias) => &[("authenticator", name), ("flowAlias", alias)],
    };
    if let Some(written) = written.as_object_mut() {
        written.extend(named.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
    }
    written
}

/// The settings of their steps.
pub(super) fn configs(realm_id: &str) -> Vec<Kept> {
    let written = CONFIGS.iter().map(|(alias, name, value)| {
        let id = named_identifier(realm_id, &format!("settings {alias}"));
        json!({ "id": id, "alias": alias, "config": { *name: value } })
    });
    written.filter_map(|config| config.as_object().cloned()).collect()
}
