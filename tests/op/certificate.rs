//! Clients that prove themselves by certificates, and tokens that are bound to them (RFC 8705).

mod tls;

use std::sync::LazyLock;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use serde_json::{Value, json};
use vestibule::server::ClientCertificate;
use vestibule::testing::{Browser, Reply, TestServer, claims};

use crate::client_assertion::published;

static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate().unwrap());

/// A certificate for `name` over `key`, as the server finds it on a connection.
fn certificate(name: &str, key: &KeyPair, trusted: bool) -> ClientCertificate {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, "Acme");
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    ClientCertificate { der: params.self_signed(key).unwrap().der().as_ref().into(), trusted }
}

/// The public half of `key`, which is one on P-256.
fn jwk(key: &KeyPair) -> Value {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let point = key.public_key_raw();
    let (x, y) = point[1..].split_at(32);
    json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
}

struct Scene {
    server: TestServer,
}

impl Scene {
    async fn new() -> Self {
        let url = published(vec![jwk(&KEY)]).await;
        let jwks = json!({ "keys": [jwk(&KEY)] });
        let client = |id: &str, settings: &str| {
            format!("[[realm.clients]]\nid = \"{id}\"\ngrants = [\"client_credentials\"]\n{settings}\n")
        };
        let bound = "tls_client_certificate_bound_access_tokens = true";
        let realm = [
            "[realm]\nname = \"main\"\n".to_owned(),
            client(
                "named",
                &format!(
                    "authentication = \"tls_client_auth\"\n{bound}\n\
                     tls_client_auth_subject_dn = \"CN=robot,O=Acme\""
                ),
            ),
            client("own", &format!("authentication = \"self_signed_tls_client_auth\"\njwks = '{jwks}'")),
            client(
                "published",
                &format!("authentication = \"self_signed_tls_client_auth\"\njwks_uri = \"{url}\""),
            ),
            client(
                "strict",
                &format!(
                    "authentication = \"self_signed_tls_client_auth\"\njwks = '{jwks}'\nprofile = \"fapi2\"\n{bound}\n\
                     id_token_signed_response_alg = \"ES256\""
                ),
            ),
            client("secret", &format!("secret = \"a-secret\"\n{bound}")),
            "[[realm.clients]]\nid = \"app\"\npublic = true\nredirect_uris = [\"http://localhost:3000/callback\"]\n"
                .to_owned(),
            format!("{bound}\n[[realm.users]]\nusername = \"alice\"\npassword = \"alice\"\n"),
        ];
        Self { server: TestServer::with_realm(&realm.concat()).await.unwrap() }
    }

    fn browser(&self, certificate: Option<&ClientCertificate>) -> Browser {
        let mut browser = self.server.browser();
        browser.certificate = certificate.cloned();
        browser
    }

    /// Asks for a token of the client's own.
    async fn ask(
        &self,
        client_id: &str,
        secret: Option<&str>,
        certificate: Option<&ClientCertificate>,
    ) -> Reply {
        let fields = [("grant_type", "client_credentials")];
        self.server.rp(client_id, secret).post(&self.browser(certificate), "token", &fields).await
    }
}

fn assert_refused(reply: &Reply, status: u16, error: &str, case: &str) {
    let found = (reply.status.as_u16(), reply.json()["error"].as_str().map(str::to_owned));
    assert_eq!(found, (status, Some(error.to_owned())), "{case}: {}", reply.body);
}

#[tokio::test]
async fn rfc8705_2_1_a_name_of_a_trusted_authority_proves_its_client() {
    let scene = Scene::new().await;
    let good = certificate("robot", &KEY, true);
    assert_eq!(scene.ask("named", None, Some(&good)).await.status, 200);
    for (case, shown) in [
        ("none", None),
        ("another name", Some(certificate("other", &KEY, true))),
        ("of nobody that is trusted", Some(certificate("robot", &KEY, false))),
        ("no certificate at all", Some(ClientCertificate { der: b"x".as_slice().into(), trusted: true })),
    ] {
        let reply = scene.ask("named", None, shown.as_ref()).await;
        assert_refused(&reply, 401, "invalid_client", case);
    }
    let reply = scene.ask("named", Some("a-secret"), Some(&good)).await;
    assert_refused(&reply, 401, "invalid_client", "a secret beside");
    assert_refused(&scene.ask("nobody", None, Some(&good)).await, 401, "invalid_client", "unknown");
}

#[tokio::test]
async fn rfc8705_2_2_a_certificate_over_a_registered_key_proves_its_client() {
    let scene = Scene::new().await;
    let (good, other) = (certificate("any", &KEY, false), KeyPair::generate().unwrap());
    let other = certificate("any", &other, true);
    for client in ["own", "published"] {
        let reply = scene.ask(client, None, Some(&good)).await;
        assert_eq!(reply.status, 200, "{client}: {}", reply.body);
        assert_eq!(claims(reply.json()["access_token"].as_str().unwrap()).get("cnf"), None);
        let reply = scene.ask(client, None, Some(&other)).await;
        assert_refused(&reply, 401, "invalid_client", client);
        assert_refused(&scene.ask(client, None, None).await, 401, "invalid_client", client);
    }
    let reply = scene.ask("named", None, Some(&good)).await;
    assert_refused(&reply, 401, "invalid_client", "a key where a name is asked for");
}

#[tokio::test]
async fn rfc8705_3_a_bound_token_names_the_certificate_and_another_method_may_bind_too() {
    let scene = Scene::new().await;
    let shown = certificate("robot", &KEY, true);
    let thumbprint = vestibule::protocol::certificate::Certificate::read(&shown.der).unwrap().thumbprint;
    for (client, secret) in [("named", None), ("secret", Some("a-secret"))] {
        let reply = scene.ask(client, secret, Some(&shown)).await.json();
        assert_eq!(reply["token_type"], "Bearer", "{client}");
        let token = reply["access_token"].as_str().unwrap();
        assert_eq!(claims(token)["cnf"], json!({ "x5t#S256": thumbprint }), "{client}");
    }
    let reply = scene.ask("secret", Some("a-secret"), None).await;
    assert_refused(&reply, 400, "invalid_request", "without a certificate");
}

/// FAPI 2.0 Security Profile §5.3.2.1: a certificate may take the place of assertions and of DPoP proofs.
#[tokio::test]
async fn fapi2_5_3_2_1_a_certificate_proves_the_client_and_binds_its_tokens() {
    let scene = Scene::new().await;
    let reply = scene.ask("strict", None, Some(&certificate("any", &KEY, false))).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let token = claims(reply.json()["access_token"].as_str().unwrap());
    assert!(token["cnf"]["x5t#S256"].is_string(), "{token}");
    assert_refused(&scene.ask("strict", None, None).await, 401, "invalid_client", "none");
}

#[tokio::test]
async fn rfc8705_3_a_bound_token_is_good_over_its_certificate_alone() {
    let scene = Scene::new().await;
    let shown = certificate("any", &KEY, false);
    let other = certificate("any", &KeyPair::generate().unwrap(), true);
    let app = scene.server.rp("app", None);
    let mut browser = scene.browser(Some(&shown));
    let tokens = app.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let token = tokens.access_token();
    assert_eq!(app.userinfo(&browser, token).await.status, 200);
    for (case, certificate) in [("none", None), ("another", Some(&other))] {
        let reply = app.userinfo(&scene.browser(certificate), token).await;
        assert_refused(&reply, 401, "invalid_token", case);
    }
    // A public client's refresh token is bound as well (§4).
    let refused = app.refresh(&scene.browser(Some(&other)), tokens.refresh_token()).await.unwrap_err();
    assert_refused(&refused, 400, "invalid_grant", "another certificate");
    let refused = app.refresh(&scene.browser(None), tokens.refresh_token()).await.unwrap_err();
    assert_refused(&refused, 400, "invalid_request", "no certificate");
    assert!(app.refresh(&browser, tokens.refresh_token()).await.is_ok());
}

/// A client that could never prove itself so is told of when it is written down, with the field to change.
#[tokio::test]
async fn a_client_whose_certificate_says_nothing_is_a_problem() {
    let named = "authentication = \"tls_client_auth\"\ntls_client_auth_san_dns = \"a.example\"\n";
    for (case, client, told) in [
        ("good", named.to_owned(), None),
        ("no name", named.replace("tls_client_auth_san_dns = \"a.example\"\n", ""), Some("authentication")),
        (
            "two names",
            format!("{named}tls_client_auth_san_ip = \"::1\"\n"),
            Some("tls_client_auth_san_ip: a client has one"),
        ),
        ("no such name", named.replace("san_dns", "san_ip"), Some("tls_client_auth_san_ip: no certificate")),
        ("no keys", "authentication = \"self_signed_tls_client_auth\"\n".to_owned(), Some("authentication")),
        ("a secret beside", format!("{named}secret = \"a-secret\"\n"), Some("secret")),
        (
            "bound twice",
            format!(
                "{named}dpop_bound_access_tokens = true\ntls_client_certificate_bound_access_tokens = true\n"
            ),
            Some("tls_client_certificate_bound_access_tokens: tokens are bound to one thing"),
        ),
    ] {
        let realm =
            format!("[realm]\nname = \"main\"\n[[realm.clients]]\nid = \"one\"\ngrants = []\n{client}");
        match (TestServer::with_realm(&realm).await, told) {
            (Ok(_), None) => {}
            (Ok(_), Some(_)) => panic!("{case}: it was taken"),
            (Err(error), told) => {
                let (error, told) = (error.to_string(), told.unwrap_or("nothing"));
                assert!(error.contains(&format!("realm.clients[0].{told}")), "{case}: {error}");
            }
        }
    }
}
