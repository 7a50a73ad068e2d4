//! The certificates that clients show (RFC 8705): asking for one, proving that its sender has the key, and judging whether
//! an authority issued it.
//!
//! The handshake lets everybody in, with any certificate or none: whom it proves depends on the client that the request
//! will name, and a browser need not have one.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConnection, SignatureScheme};

/// The certificate that a client made its connection with, as a request extension. That the client has its key is
/// proven; what else it proves is not this module's to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate in DER.
    pub der: Arc<[u8]>,
    /// Whether one of [`super::TlsFiles::client_authorities`] issued it, and it is in its time.
    pub trusted: bool,
}

impl ClientCertificate {
    /// The one of this connection, if there is one.
    pub(super) fn of(connection: &ServerConnection, authorities: Option<&Authorities>) -> Option<Self> {
        let [own, between @ ..] = connection.peer_certificates()? else { return None };
        let trusted = authorities.is_some_and(|known| known.issued(own, between));
        Some(Self { der: Arc::from(own.as_ref()), trusted })
    }
}

/// Who issues certificates that prove clients by their names.
#[derive(Clone, Debug)]
pub(super) struct Authorities(Arc<dyn ClientCertVerifier>);

impl Authorities {
    /// # Errors
    /// When there is none.
    pub(super) fn new(roots: RootCertStore, provider: &Arc<CryptoProvider>) -> Result<Self, rustls::Error> {
        let builder =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
        builder.map(Self).map_err(|error| rustls::Error::General(error.to_string()))
    }

    /// Whether one of them issued `own`, by way of `between`, for clients and for now.
    fn issued(&self, own: &CertificateDer<'_>, between: &[CertificateDer<'_>]) -> bool {
        self.0.verify_client_cert(own, between, UnixTime::now()).is_ok()
    }
}

/// Asks for a certificate, and takes any that its sender has the key of, or none.
#[derive(Debug)]
pub(super) struct HolderOfAny {
    algorithms: WebPkiSupportedAlgorithms,
}

impl HolderOfAny {
    pub(super) fn new(provider: &CryptoProvider) -> Self {
        Self { algorithms: provider.signature_verification_algorithms }
    }
}

impl ClientCertVerifier for HolderOfAny {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // None: a client that goes by them would not show a certificate of its own making.
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
