//! A client's certificate (RFC 8705): what of it names the client, and what a token can be bound to.
//!
//! Owns reading it and comparing names. Whether an authority issued it is said by who ended the connection's TLS
//! (`server::tls`); what a token does with it by [`super::confirmation`].

mod name;

use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::issuer::Base;
use super::jwk::{Jwk, Material};
use name::{Name, distinguished};

/// What of a certificate matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The SHA-256 of its DER, base64url: `x5t#S256` (RFC 8705 §3.1).
    pub thumbprint: String,
    /// The thumbprint of its public key as a JWK (RFC 7638); none for a key of a kind that is not known here.
    pub key: Option<String>,
    subject: Option<Name>,
    dns: Vec<String>,
    uris: Vec<String>,
    addresses: Vec<IpAddr>,
    emails: Vec<String>,
}

/// The one name in a client's certificate that is its own (RFC 8705 §2.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateName {
    /// The subject's distinguished name, in the form of RFC 4514.
    SubjectDn(String),
    /// A DNS name among the alternative names.
    SanDns(String),
    /// A URI among them.
    SanUri(String),
    /// An IP address among them.
    SanIp(String),
    /// An e-mail address among them.
    SanEmail(String),
}

/// The members of client metadata that give the one name (RFC 8705 §2.1.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields carry the names that the specification registered")]
pub struct CertificateNames {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_subject_dn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_dns: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_email: Option<String>,
}

/// How the server asks clients for certificates, where it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificates {
    /// Whether it knows authorities whose certificates prove a client by its name (RFC 8705 §2.1).
    pub authorities: bool,
    /// The one base address at which it asks; none when it asks everywhere (RFC 8705 §5).
    pub base: Option<Base>,
}

impl Certificate {
    /// Reads a certificate in DER; none when it is no X.509 certificate.
    #[must_use]
    pub fn read(der: &[u8]) -> Option<Self> {
        let (rest, parsed) = X509Certificate::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let mut read = Self {
            thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, der)),
            key: key(parsed.public_key()).map(|key| key.thumbprint()),
            subject: subject(parsed.subject()),
            dns: Vec::new(),
            uris: Vec::new(),
            addresses: Vec::new(),
            emails: Vec::new(),
        };
        let names = parsed.subject_alternative_name().ok()?;
        for name in names.iter().flat_map(|names| &names.value.general_names) {
            match name {
                GeneralName::DNSName(name) => read.dns.push((*name).to_owned()),
                GeneralName::URI(uri) => read.uris.push((*uri).to_owned()),
                GeneralName::IPAddress(bytes) => read.addresses.extend(address(bytes)),
                GeneralName::RFC822Name(email) => read.emails.push((*email).to_owned()),
                _ => {}
            }
        }
        Some(read)
    }
}

impl CertificateNames {
    /// The members.
    pub const MEMBERS: [&'static str; 5] = [
        "tls_client_auth_subject_dn",
        "tls_client_auth_san_dns",
        "tls_client_auth_san_uri",
        "tls_client_auth_san_ip",
        "tls_client_auth_san_email",
    ];

    /// Every name that is given, with its member. An empty text gives none.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, CertificateName)> {
        let name = |text: &Option<String>, made: fn(String) -> CertificateName| {
            text.clone().filter(|text| !text.is_empty()).map(made)
        };
        let names = [
            name(&self.tls_client_auth_subject_dn, CertificateName::SubjectDn),
            name(&self.tls_client_auth_san_dns, CertificateName::SanDns),
            name(&self.tls_client_auth_san_uri, CertificateName::SanUri),
            name(&self.tls_client_auth_san_ip, CertificateName::SanIp),
            name(&self.tls_client_auth_san_email, CertificateName::SanEmail),
        ];
        Self::MEMBERS.into_iter().zip(names).filter_map(|(member, name)| Some((member, name?)))
    }
}

impl From<&CertificateName> for CertificateNames {
    fn from(name: &CertificateName) -> Self {
        let (mut names, text) = (Self::default(), Some(name.text().to_owned()));
        match name {
            CertificateName::SubjectDn(_) => names.tls_client_auth_subject_dn = text,
            CertificateName::SanDns(_) => names.tls_client_auth_san_dns = text,
            CertificateName::SanUri(_) => names.tls_client_auth_san_uri = text,
            CertificateName::SanIp(_) => names.tls_client_auth_san_ip = text,
            CertificateName::SanEmail(_) => names.tls_client_auth_san_email = text,
        }
        names
    }
}

impl CertificateName {
    /// The name as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::SubjectDn(text)
            | Self::SanDns(text)
            | Self::SanUri(text)
            | Self::SanIp(text)
            | Self::SanEmail(text) => text,
        }
    }

    /// Whether `certificate` has this name: to the byte, but for the letters of a DNS name (RFC 4343) and the spelling of
    /// an address. A `*` in a certificate stands for itself.
    #[must_use]
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::SubjectDn(name) => {
                distinguished(name).is_some_and(|name| certificate.subject.as_ref() == Some(&name))
            }
            Self::SanDns(name) => certificate.dns.iter().any(|one| one.eq_ignore_ascii_case(name)),
            Self::SanUri(uri) => certificate.uris.contains(uri),
            Self::SanIp(ip) => ip.parse().is_ok_and(|ip: IpAddr| certificate.addresses.contains(&ip)),
            Self::SanEmail(email) => certificate.emails.contains(email),
        }
    }

    /// Whether a certificate could have this name at all.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        match self {
            Self::SubjectDn(name) => distinguished(name).is_some(),
            Self::SanIp(ip) => ip.parse::<IpAddr>().is_ok(),
            Self::SanDns(name) | Self::SanUri(name) | Self::SanEmail(name) => !name.trim().is_empty(),
        }
    }
}

/// The set of one key that a certificate (DER, as base64) holds, with the certificate beside it (RFC 7517 §4.7); none when
/// the text is no certificate, or the key of a kind that is not known here.
#[must_use]
pub fn key_set(base64: &str) -> Option<Value> {
    let der = STANDARD.decode(base64).ok()?;
    let (rest, parsed) = X509Certificate::from_der(&der).ok()?;
    let mut members = key(parsed.public_key()).filter(|_| rest.is_empty())?.required_members();
    members.as_object_mut()?.extend([("use".to_owned(), json!("sig")), ("x5c".to_owned(), json!([base64]))]);
    Some(json!({ "keys": [members] }))
}

/// The certificate that `keys` is the set of, as [`key_set`] makes it.
#[must_use]
pub fn of_key_set(keys: &Value) -> Option<&str> {
    let certificate = keys.get("keys")?.get(0)?.get("x5c")?.get(0)?.as_str()?;
    (key_set(certificate).as_ref() == Some(keys)).then_some(certificate)
}

/// The JWK of a public key in DER (SubjectPublicKeyInfo, RFC 5280 §4.1.2.7).
#[must_use]
pub fn public_key(der: &[u8]) -> Option<Value> {
    let (rest, parsed) = SubjectPublicKeyInfo::from_der(der).ok()?;
    Some(key(&parsed).filter(|_| rest.is_empty())?.required_members())
}

fn key(info: &SubjectPublicKeyInfo<'_>) -> Option<Jwk> {
    let material = match info.parsed().ok()? {
        PublicKey::RSA(key) => {
            let plain = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
            Material::Rsa { modulus: plain(key.modulus), exponent: plain(key.exponent) }
        }
        PublicKey::EC(point) => {
            let (x, y) = point.data().strip_prefix(&[4])?.split_at_checked(32)?;
            Material::P256 { x: x.try_into().ok()?, y: y.try_into().ok()? }
        }
        // Ed25519 (RFC 8410 §3).
        PublicKey::Unknown(bytes) if info.algorithm.algorithm.to_id_string() == "1.3.101.112" => {
            Material::Ed25519(bytes.try_into().ok()?)
        }
        _ => return None,
    };
    Some(Jwk { kid: None, alg: None, verifies: true, material })
}

/// A name as RFC 4514 §2.1 writes it: the last part of the certificate's first. None when a value is no text.
fn subject(name: &X509Name<'_>) -> Option<Name> {
    let parts = name.iter_rdn().map(|part| {
        let attributes = part.iter().map(|attribute| {
            let value = attribute.as_str().ok()?;
            Some((attribute.attr_type().to_id_string(), value.to_owned()))
        });
        let mut attributes = attributes.collect::<Option<Vec<_>>>()?;
        attributes.sort();
        Some(attributes)
    });
    let mut parts = parts.collect::<Option<Vec<_>>>()?;
    parts.reverse();
    Some(parts)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(v4.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
