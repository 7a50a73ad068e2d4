//! The same over real connections: the server ends TLS, and asks for certificates at one of its names.

use std::path::Path;
use std::sync::Arc;

use axum::http::Method;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, date_time_ymd,
};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use vestibule::server::{Asks, TlsFiles};
use vestibule::testing::{Options, TestServer, claims};

const REALM: &str = r#"
[realm]
name = "main"
registration = "open"
registration_grants = ["authorization_code", "client_credentials"]

[[realm.clients]]
id = "robot"
authentication = "tls_client_auth"
tls_client_auth_subject_dn = "CN=robot,O=Acme"
tls_client_certificate_bound_access_tokens = true
grants = ["client_credentials"]
"#;

/// An authority, a server with a certificate of it that trusts it for clients, and what clients connect with.
struct World {
    server: TestServer,
    issuer: Issuer<'static, KeyPair>,
    roots: RootCertStore,
    key: KeyPair,
}

/// A certificate that a client shows.
type Shown = Option<CertificateDer<'static>>;

impl World {
    async fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(own.der().clone()).unwrap();
        let issuer = Issuer::new(params, key);
        let names = ["op.example", "mtls.example"].map(str::to_owned).to_vec();
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        let tls = TlsFiles {
            certificate: write("server.pem", &server.pem()),
            key: write("server.key", &key.serialize_pem()),
            asks: Asks::At("mtls.example".to_owned()),
            client_authorities: Some(write("clients.pem", &own.pem())),
        };
        let realm = Some(REALM.to_owned());
        let options = Options { realm, strict: true, tls: Some(tls), ..Options::default() };
        Self {
            server: TestServer::with(options).await.unwrap(),
            issuer,
            roots,
            key: KeyPair::generate().unwrap(),
        }
    }

    fn params() -> CertificateParams {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Acme");
        params.distinguished_name.push(DnType::CommonName, "robot");
        params
    }

    /// A certificate of the authority, and one with the same name that its holder made.
    fn issued(&self) -> Shown {
        self.issued_as(|_| {})
    }

    /// One of the authority that was asked for otherwise.
    fn issued_as(&self, change: impl FnOnce(&mut CertificateParams)) -> Shown {
        let mut params = Self::params();
        change(&mut params);
        Some(params.signed_by(&self.key, &self.issuer).unwrap().der().clone())
    }

    fn self_made(&self) -> Shown {
        Some(Self::params().self_signed(&self.key).unwrap().der().clone())
    }

    /// Sends a request to `host` by a connection of its own; gives status and body.
    async fn send(&self, host: &str, path: &str, form: Option<&str>, shown: Shown) -> (u16, Value) {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone());
        let config = match shown {
            None => builder.with_no_client_auth(),
            Some(certificate) => {
                let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
                builder.with_client_auth_cert(vec![certificate], key).unwrap()
            }
        };
        let stream = TcpStream::connect(self.server.address()).await.unwrap();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        let request = match form {
            None => format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"),
            Some(form) => format!(
                "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
                 content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
                form.len()
            ),
        };
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A peer that ends the connection without saying so in TLS has said all that there is.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    async fn ask(&self, host: &str, shown: Shown) -> (u16, Value) {
        let form = Some("grant_type=client_credentials&client_id=robot");
        self.send(host, "/realms/main/protocol/openid-connect/token", form, shown).await
    }
}

#[tokio::test]
async fn rfc8705_5_a_client_shows_its_certificate_at_the_alias_and_gets_a_token_bound_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path()).await;
    let well_known = "/realms/main/.well-known/openid-configuration";
    let (_, document) = world.send("op.example", well_known, None, None).await;
    let alias = &document["mtls_endpoint_aliases"]["token_endpoint"];
    assert_eq!(*alias, "https://mtls.example/realms/main/protocol/openid-connect/token");
    assert_eq!(document["issuer"], "https://op.example/realms/main");
    assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);

    let (status, reply) = world.ask("mtls.example", world.issued()).await;
    assert_eq!((status, &reply["token_type"]), (200, &json!("Bearer")), "{reply}");
    let token = reply["access_token"].as_str().unwrap();
    assert_eq!(claims(token)["iss"], "https://op.example/realms/main", "one issuer, whatever the name");
    let thumbprint = claims(token)["cnf"]["x5t#S256"].as_str().unwrap().to_owned();

    for (case, host, shown) in [
        ("at the name where nobody is asked", "op.example", world.issued()),
        ("no certificate", "mtls.example", None),
        ("one of its own making", "mtls.example", world.self_made()),
    ] {
        let (status, reply) = world.ask(host, shown).await;
        assert_eq!((status, &reply["error"]), (401, &json!("invalid_client")), "{case}");
    }

    // RFC 8705 §3.2: who asks about the token hears what it is bound to.
    let form = format!("client_id=robot&token={token}");
    let introspect = "/realms/main/protocol/openid-connect/token/introspect";
    let (_, told) = world.send("mtls.example", introspect, Some(&form), world.issued()).await;
    assert_eq!((&told["active"], &told["cnf"]), (&json!(true), &json!({ "x5t#S256": thumbprint })), "{told}");
}

/// RFC 8705 §2.1: the trusted authority's name under a certificate is not enough, the certificate must be good as well.
#[tokio::test]
async fn rfc8705_2_1_a_certificate_of_another_time_or_purpose_proves_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path()).await;
    let client = world.issued_as(|it| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    assert_eq!(world.ask("mtls.example", client).await.0, 200, "made for clients");
    for (case, shown) in [
        ("expired", world.issued_as(|it| it.not_after = date_time_ymd(2020, 1, 1))),
        ("not yet valid", world.issued_as(|it| it.not_before = date_time_ymd(2999, 1, 1))),
        (
            "made for servers",
            world.issued_as(|it| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
        ),
    ] {
        let (status, reply) = world.ask("mtls.example", shown).await;
        assert_eq!((status, &reply["error"]), (401, &json!("invalid_client")), "{case}");
    }
}

/// RFC 7591 with RFC 8705 §2.1.2 and §3.4: an application registers its certificate's name, and comes in by it.
#[tokio::test]
async fn rfc8705_2_1_2_a_client_registers_by_its_certificates_name() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path()).await;
    let mut browser = world.server.browser();
    let json = [("content-type", "application/json")];
    let address = format!("{}/clients-registrations/openid-connect", world.server.issuer("main"));
    let said = json!({
        "client_name": "Robot", "grant_types": ["client_credentials"], "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": "CN=robot,O=Acme", "tls_client_certificate_bound_access_tokens": true,
    });
    let reply = browser.send(Method::POST, &address, Some(said.to_string()), &json).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let mut told = reply.json();
    for name in [
        "token_endpoint_auth_method",
        "tls_client_auth_subject_dn",
        "tls_client_certificate_bound_access_tokens",
    ] {
        assert_eq!(told[name], said[name], "{name}");
    }
    assert!(told.get("client_secret").is_none() && told.get("client_secret_expires_at").is_none(), "{told}");
    let form = format!("grant_type=client_credentials&client_id={}", told["client_id"].as_str().unwrap());
    let token = "/realms/main/protocol/openid-connect/token";
    let (status, _) = world.send("mtls.example", token, Some(&form), None).await;
    assert_eq!(status, 401, "without its certificate");
    let (status, reply) = world.send("mtls.example", token, Some(&form), world.issued()).await;
    assert_eq!(status, 200, "{reply}");
    assert!(claims(reply["access_token"].as_str().unwrap())["cnf"]["x5t#S256"].is_string());

    // RFC 7592: it changes the name that it comes in by.
    let access = format!("Bearer {}", told["registration_access_token"].as_str().unwrap());
    let own = told["registration_client_uri"].as_str().unwrap().to_owned();
    for kept_no_more in ["registration_access_token", "registration_client_uri", "client_id_issued_at"] {
        told.as_object_mut().unwrap().remove(kept_no_more);
    }
    told["tls_client_auth_subject_dn"] = json!("CN=another,O=Acme");
    let with_token = [json[0], ("authorization", access.as_str())];
    let reply = browser.send(Method::PUT, &own, Some(told.to_string()), &with_token).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["tls_client_auth_subject_dn"]),
        (200, &json!("CN=another,O=Acme"))
    );
    let (status, _) = world.send("mtls.example", token, Some(&form), world.issued()).await;
    assert_eq!(status, 401, "its old name");
}
