//! Whom the fetcher trusts: the certificates of the operating system, and those that the operator adds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Url;

use super::FetchError;

/// Why the certificates that are to be trusted cannot be.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// The operator's file.
    #[error("{}: {source}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// The operator's file holds no certificate that can be trusted.
    #[error("{}: holds no certificate authority in PEM", .0.display())]
    Empty(PathBuf),
    /// Neither the system nor the operator trusts anybody.
    #[error(
        "no certificate authority is trusted: install ca-certificates, or name a file in outbound.ca_file"
    )]
    None,
    /// The library refused its own defaults.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// The certificates that are trusted. The system's are read when the first connection needs them: there are many.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    added: Arc<[CertificateDer<'static>]>,
    connector: Arc<OnceCell<Arc<ClientConfig>>>,
}

impl Trust {
    pub(super) fn new(ca_files: &[PathBuf]) -> Result<Self, RootsError> {
        let mut added = Vec::new();
        for file in ca_files {
            added.append(&mut read(file)?);
        }
        Ok(Self { added: added.into(), connector: Arc::default() })
    }

    /// Proves that the other end of `stream` is whom `url` names, and encrypts from here on.
    pub(super) async fn handshake(
        &self,
        url: &Url,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, FetchError> {
        let config = self.connector.get_or_try_init(|| self.load()).await?;
        // An IPv6 address stands in brackets in a URL, and without them in a certificate.
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| FetchError::Tls(std::io::ErrorKind::InvalidInput.into()))?;
        TlsConnector::from(Arc::clone(config)).connect(name, stream).await.map_err(FetchError::Tls)
    }

    async fn load(&self) -> Result<Arc<ClientConfig>, RootsError> {
        let loaded = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
        let mut roots = RootCertStore::empty();
        // One odd certificate among the system's is no reason to trust nobody.
        roots.add_parsable_certificates(loaded.map(|found| found.certs).unwrap_or_default());
        roots.add_parsable_certificates(self.added.iter().cloned());
        if roots.is_empty() {
            return Err(RootsError::None);
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
    }
}

fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, RootsError> {
    let fault = |source| RootsError::File { file: file.to_owned(), source };
    let found =
        CertificateDer::pem_file_iter(file).map_err(fault)?.collect::<Result<Vec<_>, _>>().map_err(fault)?;
    let (usable, _) = RootCertStore::empty().add_parsable_certificates(found.iter().cloned());
    if usable == 0 { Err(RootsError::Empty(file.to_owned())) } else { Ok(found) }
}
