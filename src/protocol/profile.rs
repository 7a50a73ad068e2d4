//! The security profile that a client is held to, and what it asks of the client at each place (FAPI 2.0 Security Profile,
//! final, §5.3.2). A profile only ever takes away: what it does not speak of is as the client's settings say.

use serde::{Deserialize, Serialize};

use super::client::{AssertionAudience, Client, ClientAuthentication, Pkce};
use super::jws::Algorithm;
use super::realm::RealmSettings;
use super::redirect_uri::Strictness;

/// A set of rules that stands above a client's settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// None.
    #[default]
    None,
    /// FAPI 2.0 Security Profile.
    Fapi2,
}

/// The signature algorithms of FAPI 2.0 §5.4.1: none with PKCS #1 v1.5 padding.
pub const FAPI2_ALGORITHMS: [Algorithm; 3] = [Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];

/// The longest life of a code under FAPI 2.0, in seconds (§5.3.2.2).
pub const FAPI2_CODE: i64 = 60;

impl Client {
    fn is_fapi2(&self) -> bool {
        self.settings.profile == Profile::Fapi2
    }

    /// Whether its authorization requests must be pushed (RFC 9126 §6; FAPI 2.0 §5.3.2.2).
    #[must_use]
    pub fn must_push(&self) -> bool {
        self.is_fapi2() || self.settings.require_pushed_authorization_requests
    }

    /// Whether its authorization requests must carry a PKCE challenge (RFC 9700 §2.1.1; FAPI 2.0 §5.3.2.2). In development
    /// a public client whose file asks for none may go without, as with Keycloak; in production never.
    #[must_use]
    pub fn must_use_pkce(&self, strictness: Strictness) -> bool {
        let is_public = self.is_public() && strictness == Strictness::Serve;
        self.is_fapi2() || is_public || self.settings.pkce == Pkce::Required
    }

    /// Whether every token of the client must be bound to a key that it proves to hold by DPoP (RFC 9449 §5.2). FAPI 2.0
    /// §5.3.2.1 has tokens bound to that or to a certificate.
    #[must_use]
    pub fn must_bind_tokens(&self) -> bool {
        self.settings.dpop_bound_access_tokens || (self.is_fapi2() && !self.must_show_certificate())
    }

    /// Whether every token of the client that is bound to no other key must be bound to the certificate that it shows
    /// (RFC 8705 §3).
    #[must_use]
    pub fn must_show_certificate(&self) -> bool {
        self.settings.tls_client_certificate_bound_access_tokens
    }

    /// Whether the way in which it is registered to prove itself is strong enough (FAPI 2.0 §5.3.2.1).
    #[must_use]
    pub fn proves_itself_well(&self) -> bool {
        use ClientAuthentication::{PrivateKeyJwt, SelfSignedTlsClientAuth, TlsClientAuth};
        let strong = [PrivateKeyJwt, TlsClientAuth, SelfSignedTlsClientAuth];
        !self.is_fapi2() || strong.contains(&self.settings.authentication)
    }

    /// Whom its assertions must be meant for (FAPI 2.0 §5.3.2.1).
    #[must_use]
    pub fn assertion_audience(&self) -> AssertionAudience {
        if self.is_fapi2() { AssertionAudience::Issuer } else { self.settings.assertion_audience }
    }

    /// The algorithms by which it may sign assertions: the one that it registered, else any (FAPI 2.0 §5.4.1).
    #[must_use]
    pub fn assertion_algorithms(&self) -> Vec<Algorithm> {
        let registered = match &self.settings.token_endpoint_auth_signing_alg {
            Some(name) => name.parse().into_iter().collect(),
            None => Algorithm::ALL.to_vec(),
        };
        registered.into_iter().filter(|algorithm| self.allows(*algorithm)).collect()
    }

    /// Whether the profile lets a signature be made with `algorithm`.
    #[must_use]
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        !self.is_fapi2() || FAPI2_ALGORITHMS.contains(&algorithm)
    }

    /// Seconds that a code of the client is good for (FAPI 2.0 §5.3.2.2).
    #[must_use]
    pub fn code_lifetime(&self, settings: &RealmSettings) -> i64 {
        if self.is_fapi2() { settings.code.min(FAPI2_CODE) } else { settings.code }
    }

    /// Whether a refresh token is replaced when it is used. One that only its client can use need not be, and a client
    /// that loses the answer then keeps its token (FAPI 2.0 §5.3.2.1).
    #[must_use]
    pub fn rotates_refresh_tokens(&self) -> bool {
        !self.is_fapi2()
    }

    /// What its access tokens are signed with, in a realm that signs with `realm`.
    #[must_use]
    pub fn access_token_algorithm(&self, realm: Algorithm) -> Algorithm {
        self.settings.signature_algorithm.unwrap_or(realm)
    }

    /// What it is sent for its own eyes is signed with: ID tokens (OpenID Connect Registration §2), logout tokens,
    /// authorization responses.
    #[must_use]
    pub fn id_token_algorithm(&self, realm: Algorithm) -> Algorithm {
        let own = self.settings.id_token_signed_response_alg;
        own.unwrap_or_else(|| self.access_token_algorithm(realm))
    }

    /// What authorization responses are signed with when it asks for that (JARM §3). That specification's default is RS256,
    /// of which a realm need not have a key: here it is the algorithm of its ID tokens.
    #[must_use]
    pub fn authorization_response_algorithm(&self, realm: Algorithm) -> Algorithm {
        let own = self.settings.authorization_signed_response_alg;
        own.unwrap_or_else(|| self.id_token_algorithm(realm))
    }

    /// What introspection is signed with when it asks for that (RFC 9701 §6).
    #[must_use]
    pub fn introspection_algorithm(&self, realm: Algorithm) -> Algorithm {
        let own = self.settings.introspection_signed_response_alg;
        own.unwrap_or_else(|| self.id_token_algorithm(realm))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::ClientSettings;

    fn client(change: impl FnOnce(&mut ClientSettings)) -> Client {
        let mut settings = ClientSettings::default();
        change(&mut settings);
        let (id, realm_id, client_id) = ("c1".into(), "r1".into(), "app".into());
        Client { id, realm_id, client_id, enabled: true, secret_hash: None, settings }
    }

    #[test]
    fn without_a_profile_the_settings_decide() {
        let plain = client(|settings| settings.pkce = Pkce::Optional);
        assert!(!plain.must_push() && !plain.must_use_pkce(Strictness::Serve) && !plain.must_bind_tokens());
        assert!(plain.proves_itself_well() && plain.rotates_refresh_tokens());
        assert_eq!(plain.assertion_audience(), AssertionAudience::Server);
        assert_eq!(plain.assertion_algorithms(), Algorithm::ALL);
        assert_eq!(plain.code_lifetime(&RealmSettings { code: 300, ..RealmSettings::default() }), 300);
        let strict = client(|settings| {
            settings.require_pushed_authorization_requests = true;
            settings.dpop_bound_access_tokens = true;
            settings.assertion_audience = AssertionAudience::Issuer;
        });
        assert!(strict.must_push() && strict.must_use_pkce(Strictness::Serve) && strict.must_bind_tokens());
        assert_eq!(strict.assertion_audience(), AssertionAudience::Issuer);
        let public = client(|settings| {
            (settings.pkce, settings.authentication) = (Pkce::Optional, ClientAuthentication::None);
        });
        assert!(public.must_use_pkce(Strictness::Serve));
    }

    #[test]
    fn fapi2_5_3_2_stands_above_the_settings() {
        let fapi = client(|settings| (settings.profile, settings.pkce) = (Profile::Fapi2, Pkce::Optional));
        assert!(fapi.must_push() && fapi.must_use_pkce(Strictness::Serve) && fapi.must_bind_tokens());
        assert!(!fapi.rotates_refresh_tokens());
        assert!(!fapi.proves_itself_well(), "a shared secret");
        let by_certificate = client(|settings| {
            (settings.profile, settings.authentication) =
                (Profile::Fapi2, ClientAuthentication::SelfSignedTlsClientAuth);
            settings.tls_client_certificate_bound_access_tokens = true;
        });
        assert!(by_certificate.proves_itself_well() && by_certificate.must_show_certificate());
        assert!(!by_certificate.must_bind_tokens(), "to a key by DPoP as well");
        assert_eq!(fapi.assertion_audience(), AssertionAudience::Issuer);
        assert!(!fapi.assertion_algorithms().contains(&Algorithm::RS256));
        assert_eq!(fapi.assertion_algorithms().len(), 3);
        for (code, expected) in [(300, 60), (30, 30)] {
            let settings = RealmSettings { code, ..RealmSettings::default() };
            assert_eq!(fapi.code_lifetime(&settings), expected);
        }
        let with_key = client(|settings| {
            (settings.profile, settings.authentication) =
                (Profile::Fapi2, ClientAuthentication::PrivateKeyJwt);
            settings.token_endpoint_auth_signing_alg = Some("RS256".into());
        });
        assert!(with_key.proves_itself_well());
        assert_eq!(with_key.assertion_algorithms(), [], "registered with what the profile forbids");
    }

    #[test]
    fn a_client_may_have_its_own_algorithms() {
        use Algorithm::{ES256, PS256, RS256};
        for (name, access, id, expected) in [
            ("the realm's", None, None, (RS256, RS256)),
            ("all of its own", Some(ES256), None, (ES256, ES256)),
            ("its ID tokens'", None, Some(PS256), (RS256, PS256)),
            ("both", Some(ES256), Some(PS256), (ES256, PS256)),
        ] {
            let client = client(|settings| {
                (settings.signature_algorithm, settings.id_token_signed_response_alg) = (access, id);
            });
            let signed = (client.access_token_algorithm(RS256), client.id_token_algorithm(RS256));
            assert_eq!(signed, expected, "{name}");
            assert_eq!(client.authorization_response_algorithm(RS256), expected.1, "{name}: as ID tokens");
        }
        let named = client(|settings| settings.authorization_signed_response_alg = Some(ES256));
        assert_eq!(named.authorization_response_algorithm(RS256), ES256, "JARM §3");
        assert_eq!(named.id_token_algorithm(RS256), RS256);
    }
}
