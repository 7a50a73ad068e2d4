//! What steps of flows can be, by Keycloak's names: for forms that let one choose.

/// Which kind of flow a step belongs into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// Signing people in.
    People,
    /// Authenticating clients.
    Clients,
    /// A page of the registration of people.
    Form,
    /// A part of such a page.
    FormAction,
}

/// What a step can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Which flows it is for.
    pub kind: For,
    /// Name in documents.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Whether it has settings.
    pub configurable: bool,
    /// The requirements that a step of it can have.
    pub choices: &'static [&'static str],
}

/// What most steps can be required to be.
pub const ANY: &[&str] = &["REQUIRED", "ALTERNATIVE", "DISABLED"];
const SWITCH: &[&str] = &["REQUIRED", "DISABLED"];
const ALWAYS: &[&str] = &["REQUIRED"];

impl Provider {
    /// The one with this identifier.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        ALL.iter().copied().find(|provider| provider.id == id)
    }

    /// Those of a kind.
    pub fn of(kind: For) -> impl Iterator<Item = Self> {
        ALL.iter().copied().filter(move |provider| provider.kind == kind)
    }
}

/// What a flow in a step's place can be required to be, by the provider of the flow.
#[must_use]
pub fn choices_of_flow(provider: &str) -> &'static [&'static str] {
    match provider {
        "form-flow" => SWITCH,
        "client-flow" => ANY,
        _ => &["REQUIRED", "ALTERNATIVE", "DISABLED", "CONDITIONAL"],
    }
}

const fn step(id: &'static str, name: &'static str, choices: &'static [&'static str]) -> Provider {
    Provider { kind: For::People, id, name, configurable: false, choices }
}

const fn set(id: &'static str, name: &'static str, choices: &'static [&'static str]) -> Provider {
    Provider { kind: For::People, id, name, configurable: true, choices }
}

const fn client(id: &'static str, name: &'static str) -> Provider {
    Provider { kind: For::Clients, id, name, configurable: false, choices: ANY }
}

const fn part(id: &'static str, name: &'static str, configurable: bool) -> Provider {
    Provider { kind: For::FormAction, id, name, configurable, choices: SWITCH }
}

const ALL: &[Provider] = &[
    step("allow-access-authenticator", "Allow access", SWITCH),
    set("auth-conditional-otp-form", "Conditional OTP Form", ANY),
    step("auth-cookie", "Cookie", ANY),
    step("auth-otp-form", "OTP Form", ANY),
    step("auth-password-form", "Password Form", ALWAYS),
    step("auth-recovery-authn-code-form", "Recovery Authentication Code Form", ANY),
    step("auth-spnego", "Kerberos", ANY),
    step("auth-username-form", "Username Form", ALWAYS),
    step("auth-username-password-form", "Username Password Form", ALWAYS),
    set("auth-x509-client-username-form", "X509/Validate Username Form", ANY),
    set("conditional-client-scope", "Condition - client scope", SWITCH),
    set("conditional-credential", "Condition - credential", SWITCH),
    set("conditional-level-of-authentication", "Condition - Level of Authentication", SWITCH),
    set("conditional-sub-flow-executed", "Condition - sub-flow executed", SWITCH),
    set("conditional-user-attribute", "Condition - user attribute", SWITCH),
    step("conditional-user-configured", "Condition - user configured", SWITCH),
    set("conditional-user-role", "Condition - user role", SWITCH),
    set("deny-access-authenticator", "Deny access", SWITCH),
    set("direct-grant-auth-x509-username", "X509/Validate Username", ANY),
    step("direct-grant-validate-otp", "OTP", ANY),
    step("direct-grant-validate-password", "Password", ANY),
    step("direct-grant-validate-username", "Username Validation", ALWAYS),
    step("docker-http-basic-authenticator", "Docker Authenticator", ALWAYS),
    step("http-basic-authenticator", "HTTP Basic Authentication", ANY),
    set("identity-provider-redirector", "Identity Provider Redirector", ANY),
    step("idp-auto-link", "Automatically set existing user", ANY),
    step("idp-confirm-link", "Confirm link existing account", SWITCH),
    set("idp-create-user-if-unique", "Create User If Unique", ANY),
    step("idp-detect-existing-broker-user", "Detect existing broker user", SWITCH),
    step("idp-email-verification", "Verify existing account by Email", ANY),
    set("idp-review-profile", "Review Profile", SWITCH),
    step(
        "idp-username-password-form",
        "Username Password Form for identity provider reauthentication",
        ALWAYS,
    ),
    step("reset-credential-email", "Send Reset Email", ALWAYS),
    step("reset-credentials-choose-user", "Choose User", ALWAYS),
    step("reset-otp", "Reset OTP", SWITCH),
    step("reset-password", "Reset Password", SWITCH),
    set("user-session-limits", "User session count limiter", SWITCH),
    step("webauthn-authenticator", "WebAuthn Authenticator", ANY),
    step("webauthn-authenticator-passwordless", "WebAuthn Passwordless Authenticator", ANY),
    client("client-jwt", "Signed Jwt"),
    client("client-secret", "Client Id and Secret"),
    client("client-secret-jwt", "Signed Jwt with Client Secret"),
    client("client-x509", "X509 Certificate"),
    Provider {
        kind: For::Form,
        id: "registration-page-form",
        name: "Registration Page",
        configurable: false,
        choices: SWITCH,
    },
    part("registration-password-action", "Password Validation", false),
    part("registration-recaptcha-action", "reCAPTCHA", true),
    part("registration-terms-and-conditions", "Terms and conditions", false),
    part("registration-user-creation", "Registration User Profile Creation", false),
];
