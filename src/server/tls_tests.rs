//! Clients with TLS of several kinds against a server that ends it.

use std::net::{Ipv4Addr, SocketAddr};

use axum::routing::get;
use axum::{Extension, Router};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, SupportedCipherSuite};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::*;
use crate::server::{Limits, Server};
use crate::telemetry::Metrics;

const PATIENCE: Duration = Duration::from_secs(20);

/// An authority, and a folder with a certificate that it signed.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    roots: RootCertStore,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let mut roots = RootCertStore::empty();
        let own = params.self_signed(&key).unwrap();
        roots.add(own.der().clone()).unwrap();
        let this = Self { issuer: Issuer::new(params, key), roots, folder: tempfile::tempdir().unwrap() };
        std::fs::write(this.folder.path().join("authority.pem"), own.pem()).unwrap();
        this.issue("op.example");
        this
    }

    /// Writes a new certificate for `name`, and for the name at which clients are asked for theirs, and its key.
    fn issue(&self, name: &str) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name, "mtls.example"].map(str::to_owned)).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.files().certificate, certificate.pem()).unwrap();
        std::fs::write(self.files().key, key.serialize_pem()).unwrap();
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.folder.path().join("certificate.pem"),
            key: self.folder.path().join("key.pem"),
            asks: Asks::At("mtls.example".to_owned()),
            client_authorities: Some(self.folder.path().join("authority.pem")),
        }
    }

    /// Asks for `/` as a client that trusts this authority and speaks these suites.
    async fn ask(
        &self,
        address: SocketAddr,
        name: &str,
        suites: &[SupportedCipherSuite],
    ) -> io::Result<String> {
        self.ask_with(address, name, suites, None).await
    }

    /// The same, as a client with this certificate and key.
    async fn ask_with(
        &self,
        address: SocketAddr,
        name: &str,
        suites: &[SupportedCipherSuite],
        own: Option<(CertificateDer<'static>, &KeyPair)>,
    ) -> io::Result<String> {
        let provider = CryptoProvider { cipher_suites: suites.to_vec(), ..default_provider() };
        let builder = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(self.roots.clone());
        let config = match own {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
                builder.with_client_auth_cert(vec![certificate], key).map_err(io::Error::other)?
            }
        };
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Ok(text)
    }
}

struct Running {
    address: SocketAddr,
    tls: Arc<Tls>,
    shutdown: Shutdown,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.force();
    }
}

async fn start(authority: &Authority) -> Running {
    start_with(authority, Server::over).await
}

async fn start_with(authority: &Authority, over: fn(Server, Arc<Tls>) -> Server) -> Running {
    let tls = Tls::load(authority.files()).unwrap();
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let server = over(server, Arc::clone(&tls));
    let (address, shutdown) = (server.local_addr(), Shutdown::new());
    let stop = shutdown.clone();
    let limits = Limits { header_timeout: Duration::from_millis(300), ..Limits::default() };
    let told = async |shown: Option<Extension<ClientCertificate>>| match shown {
        None => "hello".to_owned(),
        Some(Extension(shown)) => format!("{} {}", shown.der.len(), shown.trusted),
    };
    let router = Router::new().route("/", get(told));
    tokio::spawn(async move { server.serve(router, &limits, Metrics::new(), &stop).await });
    Running { address, tls, shutdown }
}

#[tokio::test]
async fn fapi2_5_2_1_only_strong_suites_are_spoken() {
    let authority = Authority::new();
    let server = start(&authority).await;
    for (spoken, suites) in [
        (true, vec![suite::TLS13_AES_128_GCM_SHA256]),
        (true, vec![suite::TLS13_CHACHA20_POLY1305_SHA256]),
        (true, vec![suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]),
        (true, vec![suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]),
        (false, vec![suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]),
    ] {
        let answer = authority.ask(server.address, "op.example", &suites).await;
        assert_eq!(
            answer.as_ref().is_ok_and(|text| text.ends_with("hello")),
            spoken,
            "{suites:?}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn rfc8705_2_a_clients_certificate_comes_along_and_its_authority_is_judged() {
    let authority = Authority::new();
    let server = start(&authority).await;
    let key = KeyPair::generate().unwrap();
    let issued = CertificateParams::new(Vec::new()).unwrap().signed_by(&key, &authority.issuer).unwrap();
    let own = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    for suite in [suite::TLS13_AES_128_GCM_SHA256, suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256] {
        for (certificate, trusted) in [(&issued, true), (&own, false)] {
            let shown = || Some((certificate.der().clone(), &key));
            let answer = authority.ask_with(server.address, "mtls.example", &[suite], shown()).await.unwrap();
            let expected = format!("{} {trusted}", certificate.der().len());
            assert!(answer.ends_with(&expected), "{suite:?}: {answer}");
            // At the other name nobody is asked, so that no browser bothers a person with it.
            let answer = authority.ask_with(server.address, "op.example", &[suite], shown()).await.unwrap();
            assert!(answer.ends_with("hello"), "{suite:?}: {answer}");
        }
        let answer = authority.ask_with(server.address, "mtls.example", &[suite], None).await.unwrap();
        assert!(answer.ends_with("hello"), "none need be shown: {answer}");
        let other = KeyPair::generate().unwrap();
        let stolen = Some((issued.der().clone(), &other));
        let answer = authority.ask_with(server.address, "mtls.example", &[suite], stolen).await;
        assert!(answer.is_err(), "a certificate without its key: {answer:?}");
    }
}

#[tokio::test]
async fn a_port_for_machines_may_speak_both() {
    let authority = Authority::new();
    let server = start_with(&authority, Server::also_over).await;
    let answer = authority.ask(server.address, "op.example", &[suite::TLS13_AES_128_GCM_SHA256]).await;
    assert!(answer.unwrap().ends_with("hello"));
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    plain.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("hello"), "{text}");
}

#[tokio::test]
async fn a_client_without_tls_gets_no_answer_and_a_silent_one_is_cut() {
    let authority = Authority::new();
    let server = start(&authority).await;
    for bytes in [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".as_slice(), b"\x16".as_slice()] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut read = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut read)).await.expect("the server closes it");
        assert!(!read.starts_with(b"HTTP"), "{read:?}");
    }
}

#[tokio::test]
async fn a_new_certificate_is_shown_and_a_broken_one_is_not() {
    let all = default_provider().cipher_suites;
    let authority = Authority::new();
    let server = start(&authority).await;
    assert!(authority.ask(server.address, "op.example", &all).await.is_ok());
    authority.issue("renamed.example");
    server.tls.refresh();
    assert!(authority.ask(server.address, "renamed.example", &all).await.is_ok());
    assert!(authority.ask(server.address, "op.example", &all).await.is_err());
    std::fs::write(authority.files().certificate, "broken").unwrap();
    server.tls.refresh();
    assert!(authority.ask(server.address, "renamed.example", &all).await.is_ok(), "the old one");
    authority.issue("op.example");
    server.tls.refresh();
    assert!(authority.ask(server.address, "op.example", &all).await.is_ok(), "the next good one");
}

#[test]
fn what_cannot_be_used_is_told() {
    let authority = Authority::new();
    let TlsFiles { certificate, key, client_authorities, .. } = authority.files();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let load = || Tls::load(authority.files()).map(drop);
    assert!(load().is_ok());
    std::fs::write(&key, other).unwrap();
    assert!(matches!(load(), Err(TlsError::Pair(_))), "another key");
    std::fs::write(&key, "nothing").unwrap();
    assert!(load().is_err_and(|error| error.is_about(&key)));
    std::fs::write(&certificate, "nothing").unwrap();
    assert!(matches!(load(), Err(TlsError::Empty(_))));
    std::fs::remove_file(&certificate).unwrap();
    assert!(load().is_err_and(|error| error.is_about(&certificate)));
    authority.issue("op.example");
    let authorities = client_authorities.unwrap();
    std::fs::write(&authorities, "nothing").unwrap();
    assert!(load().is_err_and(|error| error.is_about(&authorities)));
}
