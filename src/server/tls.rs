//! TLS ended by this server itself, where no proxy does it.
//!
//! Owns the versions and suites that are spoken, the certificate that is shown, and reading its files anew when they
//! change. TLS 1.3, and of TLS 1.2 the suites with forward secrecy and AES-GCM alone, which is what FAPI 2.0 Security
//! Profile §5.2.1 leaves of it (RFC 9325 §4.2).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{cipher_suite as suite, default_provider};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Shutdown;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// Where certificate and key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those between it and its authority, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
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
    seen: Stamp,
}

/// What tells that a file changed.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(files: TlsFiles) -> Result<Arc<Self>, TlsError> {
        let seen = files.stamp();
        let current = RwLock::new(Current { config: files.read()?, seen });
        Ok(Arc::new(Self { files, current }))
    }

    /// Reads the files again when they changed since they were looked at last. What cannot be read leaves the
    /// certificate that is shown as it is, and is told once.
    pub fn refresh(&self) {
        let seen = self.files.stamp();
        if self.current().seen == seen {
            return;
        }
        let config = match self.files.read() {
            Ok(config) => {
                tracing::info!(file = %self.files.certificate.display(), "the certificate was read anew");
                config
            }
            Err(error) => {
                tracing::error!(%error, "the new certificate cannot be used; the old one is shown on");
                self.current().config
            }
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Current { config, seen };
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

    /// Proves who this server is on a new connection, and encrypts it.
    pub(super) async fn handshake(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.current().config).accept(stream).await
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl TlsFiles {
    fn stamp(&self) -> Stamp {
        [&self.certificate, &self.key].map(|file| {
            let found = std::fs::metadata(file).ok()?;
            Some((found.modified().ok()?, found.len()))
        })
    }

    fn read(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let fault = |file: &Path| {
            let file = file.to_owned();
            |source| TlsError::File { file, source }
        };
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
            .map_err(fault(&self.certificate))?;
        if chain.is_empty() {
            return Err(TlsError::Empty(self.certificate.clone()));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(fault(&self.key))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
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
