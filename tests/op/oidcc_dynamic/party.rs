//! What a relying party publishes: its keys, and the redirect URIs of its sector, over TLS by an authority of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub(super) struct Party {
    /// Scheme, host and port.
    pub(super) origin: String,
    /// What a server must trust that is to read here.
    pub(super) authority: PathBuf,
    /// What `/jwks` gives.
    pub(super) keys: Arc<Mutex<Vec<Value>>>,
    /// What `/sector.json` gives.
    pub(super) sector: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

impl Party {
    pub(super) async fn start() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("authority.pem");
        std::fs::write(&authority, params.self_signed(&key).unwrap().pem()).unwrap();
        let listener = Tls { acceptor: acceptor(&Issuer::new(params, key)), listener: local().await };
        let origin = format!("https://{}", listener.listener.local_addr().unwrap());
        let (keys, sector) = <(Arc<Mutex<Vec<Value>>>, Arc<Mutex<Vec<String>>>)>::default();
        let (of_keys, of_sector) = (Arc::clone(&keys), Arc::clone(&sector));
        let set = move || async move { axum::Json(json!({ "keys": *of_keys.lock().unwrap() })) };
        let list = move || async move { axum::Json(json!(*of_sector.lock().unwrap())) };
        let router = Router::new().route("/jwks", get(set)).route("/sector.json", get(list));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { origin, authority, keys, sector, _folder: folder }
    }
}

async fn local() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn acceptor(issuer: &Issuer<'_, KeyPair>) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap().der().clone();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, peer)) = self.listener.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
