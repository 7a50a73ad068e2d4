use proptest::prelude::*;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

use super::*;
use CertificateName::{SanDns, SanEmail, SanIp, SanUri, SubjectDn};

fn certificate() -> Certificate {
    let mut params = CertificateParams::new(vec!["Client.example".to_owned()]).unwrap();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CountryName, "CH");
    subject.push(DnType::OrganizationName, "Acme, Inc.");
    subject.push(DnType::CommonName, "client+1 ");
    params.distinguished_name = subject;
    params.subject_alt_names.extend([
        SanType::URI("spiffe://acme/client".try_into().unwrap()),
        SanType::IpAddress("2001:db8::1".parse().unwrap()),
        SanType::Rfc822Name("client@acme.example".try_into().unwrap()),
    ]);
    let key = KeyPair::generate().unwrap();
    Certificate::read(params.self_signed(&key).unwrap().der()).unwrap()
}

#[test]
fn rfc8705_2_1_2_one_name_is_compared() {
    let certificate = certificate();
    for (name, expected) in [
        (SubjectDn(r"CN=client\+1\ ,O=Acme\, Inc.,C=CH".into()), true),
        (SubjectDn(r"cn = client\2b1\20 , 2.5.4.10=Acme\2C Inc., c=CH".into()), true),
        (SubjectDn(r"C=CH,O=Acme\, Inc.,CN=client\+1\ ".into()), false),
        (SubjectDn(r"CN=client\+1\ ,O=Acme\, Inc.".into()), false),
        (SubjectDn(r"CN=client\+1,O=Acme\, Inc.,C=CH".into()), false),
        (SubjectDn(r"CN=Client\+1\ ,O=Acme\, Inc.,C=CH".into()), false),
        (SubjectDn("CN=client".into()), false),
        (SubjectDn(String::new()), false),
        (SanDns("client.EXAMPLE".into()), true),
        (SanDns("example".into()), false),
        (SanDns("*.example".into()), false),
        (SanUri("spiffe://acme/client".into()), true),
        (SanUri("spiffe://acme/".into()), false),
        (SanIp("2001:DB8:0::1".into()), true),
        (SanIp("2001:db8::2".into()), false),
        (SanEmail("client@acme.example".into()), true),
        (SanEmail("other@acme.example".into()), false),
    ] {
        assert_eq!(name.names(&certificate), expected, "{name:?}");
    }
}

#[test]
fn a_name_that_no_certificate_has_is_noticed() {
    for (name, sound) in [
        (SubjectDn("CN=a,O=b".into()), true),
        (SubjectDn("1.2.3=a".into()), true),
        (SubjectDn("CN=".into()), false),
        (SubjectDn("client".into()), false),
        (SubjectDn("XX=a".into()), false),
        (SubjectDn("CN=#04024869".into()), false),
        (SubjectDn("CN=a\\".into()), false),
        (SanIp("2001:db8::1".into()), true),
        (SanIp("client".into()), false),
        (SanDns("a.example".into()), true),
        (SanDns(" ".into()), false),
    ] {
        assert_eq!(name.is_sound(), sound, "{name:?}");
    }
}

#[test]
fn a_name_is_written_as_the_member_that_it_is_read_from() {
    let certificate_names = [SubjectDn("CN=a".into()), SanDns("a.example".into()), SanUri("a:b".into())];
    for name in certificate_names.into_iter().chain([SanIp("::1".into()), SanEmail("a@b".into())]) {
        let names = CertificateNames::from(&name);
        let written = serde_json::to_value(&names).unwrap();
        let members: Vec<&String> = written.as_object().unwrap().keys().collect();
        let given: Vec<_> = names.given().collect();
        assert_eq!(given.len(), 1);
        assert_eq!((members, &given[0].1), (vec![&given[0].0.to_owned()], &name));
    }
    let empty = CertificateNames { tls_client_auth_san_dns: Some(String::new()), ..Default::default() };
    assert_eq!(empty.given().count(), 0);
}

#[test]
fn keys_and_certificates_have_thumbprints() {
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let der = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        let read = Certificate::read(der.der()).unwrap();
        let expected = URL_SAFE_NO_PAD.encode(digest(&SHA256, der.der()));
        assert_eq!(read.thumbprint, expected);
        assert!(read.key.is_some());
    }
    assert_eq!(Certificate::read(b"no certificate"), None);
}

proptest! {
    #[test]
    fn any_bytes_are_answered(der: Vec<u8>) {
        let _ = Certificate::read(&der);
    }

    /// RFC 4514 §2.4: whatever a value holds, its escaped form means it.
    #[test]
    fn a_value_survives_its_escapes(value in "\\PC{1,20}") {
        let escaped: String = value.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        let expected = vec![vec![("2.5.4.3".to_owned(), value)]];
        prop_assert_eq!(distinguished(&format!("CN={escaped}")), Some(expected));
    }

    #[test]
    fn any_name_is_answered(text: String) {
        let _ = distinguished(&text);
    }
}
