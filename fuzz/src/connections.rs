//! What a connection brings beside the request: its certificate, how the header frames the body, cookies, and what a page
//! carries sealed.

use std::sync::LazyLock;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use vestibule::http::cookies;
use vestibule::protocol::certificate::{self, Certificate, CertificateName};
use vestibule::server::HeadScan;
use vestibule::vault::Vault;

/// RFC 8705: a certificate is read one way, has a thumbprint, and is none with a byte more.
pub fn certificate(bytes: &[u8]) {
    let _ = certificate::public_key(bytes);
    let Some(read) = Certificate::read(bytes) else { return };
    assert_eq!(read.thumbprint.len(), 43);
    assert!(read.key.as_ref().is_none_or(|key| key.len() == 43));
    assert_eq!(Certificate::read(bytes), Some(read));
    assert_eq!(Certificate::read(&[bytes, b"\0"].concat()), None);
}

/// RFC 4514: whatever an operator writes as a distinguished name, a certificate has it only if it is sound; names of kinds that it lacks it has not.
pub fn certificate_name(bytes: &[u8]) {
    static ROBOT: LazyLock<Option<Certificate>> =
        LazyLock::new(|| Certificate::read(include_bytes!("../seeds/certificate/00")));
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let name = CertificateName::SubjectDn(text.to_owned());
    let robot = ROBOT.as_ref().expect("the seed is a certificate");
    assert!(!name.names(robot) || name.is_sound());
    for name in [CertificateName::SanIp(text.to_owned()), CertificateName::SanUri(text.to_owned())] {
        assert!(!name.names(robot), "{text:?}");
    }
}

/// Two framings are found wherever the pieces of the header are cut.
pub fn head(bytes: &[u8]) {
    let conflicts = |size: usize| {
        let mut scan = HeadScan::default();
        bytes.chunks(size).for_each(|piece| scan.feed(piece));
        scan.conflicts()
    };
    let whole = conflicts(bytes.len().max(1));
    assert!([1, 2, 7, 64].into_iter().all(|size| conflicts(size) == whole));
}

/// Z25: of several `Cookie` headers, a value that came once, and never one of two.
pub fn cookies(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(value) = HeaderValue::from_bytes(line) else { continue };
        headers.append(COOKIE, value);
    }
    let Some(value) = cookies::only(&headers, "main-sid") else { return };
    assert!((1..=128).contains(&value.len()));
    headers.append(COOKIE, HeaderValue::from_static("main-sid=planted"));
    assert_eq!(cookies::only(&headers, "main-sid"), None);
}

/// What a page carries opens as it was sealed and in no other form.
pub fn session_code(bytes: &[u8]) {
    static SEALED: LazyLock<(Vault, String)> = LazyLock::new(|| {
        let vault = Vault::random();
        let sealed = vault.seal("main", b"a pending request");
        (vault, sealed)
    });
    let (vault, sealed) = &*SEALED;
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(text == sealed || vault.open("main", text).is_err());
    }
    // The same with letters of the good one exchanged.
    let mut changed = sealed.clone().into_bytes();
    for pair in bytes.chunks_exact(2) {
        let at = usize::from(pair[0]) % changed.len();
        changed[at] = b'A' + pair[1] % 26;
    }
    let changed = String::from_utf8(changed).expect("letters");
    assert!(changed == *sealed || vault.open("main", &changed).is_err());
}
