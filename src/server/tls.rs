//! TLS ended by this server itself, where no proxy does it.
//!
//! Owns the versions and suites that are spoken, the certificate that is shown, and reading its files anew when they
//! change; asking clients for theirs is [`client`]'s. TLS 1.3, and of TLS 1.2 the suites with forward secrecy and AES-GCM
//! alone, which is what FAPI 2.0 Security Profile §5.2.1 leaves of it (RFC 9325 §4.2).

mod client;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{cipher_suite as suite, default_provider};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::Acceptor;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::Shutdown;
use client::{Authorities, HolderOfAny};

pub use client::ClientCertificate;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// Where certificate and key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those between it and its authority, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
    /// Which clients are asked for certificates of their own.
    pub asks: Asks,
    /// Authorities whose certificates prove clients by their names, in PEM.
    pub client_authorities: Option<PathBuf>,
}

/// Which clients are asked for certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Asks {
    /// None.
    #[default]
    Nobody,
    /// All.
    Everybody,
    /// Those that connect to this host, in lower case, which they name in the handshake (RFC 6066 §3).
    At(String),
}

/// Why certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error("{}: {source}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// A file of certificates without one.
    #[error("{}: holds no certificate in PEM", .0.display())]
    Empty(PathBuf),
    /// They do not belong together, or are of a kind that is not known.
    #[error("the certificate and its key cannot be used together: {0}")]
    Pair(#[from] rustls::Error),
}

impl TlsError {
    /// Whether it is this file that is wrong.
    #[must_use]
    pub fn is_about(&self, path: &Path) -> bool {
        match self {
            Self::File { file, .. } | Self::Empty(file) => file == path,
            Self::Pair(_) => false,
        }
    }
}

/// The certificate that is shown, as of the files' last change.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    current: RwLock<Current>,
}

#[derive(Clone, Debug)]
struct Current {
    config: Arc<ServerConfig>,
    /// What is said to those who are asked for a certificate.
    asking: Arc<ServerConfig>,
    authorities: Option<Authorities>,
    seen: Stamp,
}

/// What tells that a file changed.
type Stamp = [Option<(SystemTime, u64)>; 3];

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(files: TlsFiles) -> Result<Arc<Self>, TlsError> {
        let current = RwLock::new(files.read(files.stamp())?);
        Ok(Arc::new(Self { files, current }))
    }

    /// Reads the files again when they changed since they were looked at last. What cannot be read leaves the
    /// certificate that is shown as it is, and is told once.
    pub fn refresh(&self) {
        let seen = self.files.stamp();
        if self.current().seen == seen {
            return;
        }
        let current = match self.files.read(seen) {
            Ok(current) => {
                tracing::info!(file = %self.files.certificate.display(), "the certificate was read anew");
                current
            }
            Err(error) => {
                tracing::error!(%error, "the new certificate cannot be used; the old one is shown on");
                Current { seen, ..self.current() }
            }
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
    }

    /// Looks at the files until `shutdown` begins.
    pub async fn follow(self: Arc<Self>, shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = shutdown.begun() => break,
                () = tokio::time::sleep(LOOK) => self.refresh(),
            }
        }
    }

    /// Proves who this server is on a new connection, and encrypts it; gives the client's certificate beside.
    pub(super) async fn handshake(
        &self,
        stream: TcpStream,
    ) -> io::Result<(TlsStream<TcpStream>, Option<ClientCertificate>)> {
        let Current { config, asking, authorities, .. } = self.current();
        let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let asked = self.files.asks.one_at(begun.client_hello().server_name());
        let stream = begun.into_stream(if asked { asking } else { config }).await?;
        let shown = ClientCertificate::of(stream.get_ref().1, authorities.as_ref());
        Ok((stream, shown))
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Asks {
    /// Whether a client is asked that connects to the host `name`.
    fn one_at(&self, name: Option<&str>) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::At(host) => name.is_some_and(|name| name.eq_ignore_ascii_case(host)),
        }
    }
}

impl TlsFiles {
    fn stamp(&self) -> Stamp {
        [Some(&self.certificate), Some(&self.key), self.client_authorities.as_ref()].map(|file| {
            let found = std::fs::metadata(file?).ok()?;
            Some((found.modified().ok()?, found.len()))
        })
    }

    fn read(&self, seen: Stamp) -> Result<Current, TlsError> {
        let chain = certificates(&self.certificate)?;
        let fault = |source| TlsError::File { file: self.key.clone(), source };
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(fault)?;
        let provider = Arc::new(provider());
        let authorities = self.authorities(&provider)?;
        let make = |asks: bool| -> Result<Arc<ServerConfig>, TlsError> {
            let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()?;
            let builder = if asks {
                builder.with_client_cert_verifier(Arc::new(HolderOfAny::new(&provider)))
            } else {
                builder.with_no_client_auth()
            };
            let mut config = builder.with_single_cert(chain.clone(), key.clone_key())?;
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Ok(Arc::new(config))
        };
        Ok(Current { config: make(false)?, asking: make(true)?, authorities, seen })
    }

    fn authorities(&self, provider: &Arc<CryptoProvider>) -> Result<Option<Authorities>, TlsError> {
        let Some(file) = &self.client_authorities else { return Ok(None) };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(file)? {
            roots.add(certificate)?;
        }
        Ok(Some(Authorities::new(roots, provider)?))
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_file_iter(file)
        .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
        .map_err(|source| TlsError::File { file: file.to_owned(), source })?;
    if found.is_empty() { Err(TlsError::Empty(file.to_owned())) } else { Ok(found) }
}

fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            suite::TLS13_AES_256_GCM_SHA384,
            suite::TLS13_AES_128_GCM_SHA256,
            suite::TLS13_CHACHA20_POLY1305_SHA256,
            suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ],
        ..default_provider()
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
