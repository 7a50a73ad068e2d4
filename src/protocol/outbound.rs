//! Where this server may connect to when somebody else names the address: keys, upstream providers, sign-out notices.
//!
//! Owns which addresses and URLs are allowed (attacks N02). Leaves resolving and connecting to `fetch`, which asks about
//! every address that a name stands for, and connects to the one that it asked about.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The longest URL that is followed, in bytes.
const MAX_URL: usize = 2_048;

/// What an operator allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboundRules {
    /// Addresses of private networks and of this machine too.
    pub private: bool,
    /// Plain `http` too.
    pub http: bool,
}

/// Who can be at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Anybody: it is routed on the internet.
    Public,
    /// This machine, or one in the same private network.
    Private,
    /// Nobody who should be asked: link-local (where clouds tell machines their secrets), multicast, reserved, or a way
    /// around of writing another address.
    Never,
}

/// Why a URL is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetFault {
    /// Not an absolute URL with a host, too long, or one with user information or a fragment.
    #[error("is not an absolute URL without user information and fragment")]
    Malformed,
    /// Another scheme than `https`, or than `http` where that is allowed.
    #[error("must begin with https://")]
    Scheme,
    /// Its host is an address that is not allowed.
    #[error("leads to an address that is not public")]
    Address,
}

impl OutboundRules {
    /// Whether this server may connect to `ip`.
    #[must_use]
    pub fn admit(self, ip: IpAddr) -> bool {
        match reach(ip) {
            Reach::Public => true,
            Reach::Private => self.private,
            Reach::Never => false,
        }
    }

    /// Reads a URL that this server may follow, as far as its text tells; a name is judged when it is resolved.
    ///
    /// # Errors
    /// [`TargetFault`].
    pub fn target(self, text: &str) -> Result<Url, TargetFault> {
        if text.len() > MAX_URL || text.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(TargetFault::Malformed);
        }
        let url = Url::parse(text).map_err(|_| TargetFault::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if self.http => {}
            _ => return Err(TargetFault::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(TargetFault::Malformed);
        }
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            Some(Host::Domain(name)) if is_name(name) => None,
            _ => return Err(TargetFault::Malformed),
        };
        if ip.is_some_and(|ip| !self.admit(ip)) { Err(TargetFault::Address) } else { Ok(url) }
    }
}

/// Whether a host is spelled as names are: `url` lets through braces and the like, which a template left behind.
fn is_name(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

/// Whether `ip` is routed on the internet: false for every range that IANA registered for a special purpose.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    reach(ip) == Reach::Public
}

/// Who can be at `ip`.
#[must_use]
pub fn reach(ip: IpAddr) -> Reach {
    match ip {
        IpAddr::V4(ip) => reach_v4(ip),
        IpAddr::V6(ip) => reach_v6(ip),
    }
}

/// IANA IPv4 Special-Purpose Address Registry (RFC 6890).
fn reach_v4(ip: Ipv4Addr) -> Reach {
    match ip.octets() {
        [10, ..] | [127, ..] | [192, 168, ..] => Reach::Private,
        [172, b, ..] if (16..32).contains(&b) => Reach::Private,
        // Shared address space, behind a carrier's translation (RFC 6598).
        [100, b, ..] if (64..128).contains(&b) => Reach::Private,
        // This network, link-local, protocol assignments, documentation (three), 6to4 relays.
        [0, ..] | [169, 254, ..] | [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Reach::Never,
        [192, 88, 99, _] => Reach::Never,
        // Benchmarks (RFC 2544); multicast, reserved and broadcast.
        [198, 18 | 19, ..] | [224..=255, ..] => Reach::Never,
        _ => Reach::Public,
    }
}

/// IANA IPv6 Special-Purpose Address Registry. What is no global unicast (2000::/3) is nothing to connect to, but for
/// this machine, unique local addresses, and two ways of writing an IPv4 address that systems do follow.
fn reach_v6(ip: Ipv6Addr) -> Reach {
    if let Some(ip) = ip.to_ipv4_mapped() {
        return reach_v4(ip);
    }
    let [a, b, c, d, e, f, g, h] = ip.segments();
    match [a, b, c, d, e, f] {
        // NAT64 (RFC 6052 §2.1): the network hands it on to the IPv4 address inside, which §3.1 wants to be public.
        [0x64, 0xff9b, 0, 0, 0, 0] => {
            let [[g0, g1], [h0, h1]] = [g.to_be_bytes(), h.to_be_bytes()];
            match reach_v4(Ipv4Addr::new(g0, g1, h0, h1)) {
                Reach::Public => Reach::Public,
                _ => Reach::Never,
            }
        }
        [0, 0, 0, 0, 0, 0] if (g, h) == (0, 1) => Reach::Private,
        [0xfc00..=0xfdff, ..] => Reach::Private,
        // Protocol assignments with Teredo and ORCHID (2001::/23), documentation (two), 6to4.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] | [0x2002, ..] => {
            Reach::Never
        }
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn n02_special_addresses_are_not_public() {
        use Reach::{Never, Private, Public};
        for (ip, expected) in [
            ("0.0.0.0", Never),
            ("0.1.2.3", Never),
            ("1.1.1.1", Public),
            ("9.255.255.255", Public),
            ("10.0.0.0", Private),
            ("10.255.255.255", Private),
            ("11.0.0.0", Public),
            ("100.63.255.255", Public),
            ("100.64.0.0", Private),
            ("100.127.255.255", Private),
            ("100.128.0.0", Public),
            ("127.0.0.1", Private),
            ("127.255.255.255", Private),
            ("169.253.255.255", Public),
            ("169.254.169.254", Never),
            ("172.15.255.255", Public),
            ("172.16.0.0", Private),
            ("172.31.255.255", Private),
            ("172.32.0.0", Public),
            ("192.0.0.1", Never),
            ("192.0.1.1", Public),
            ("192.0.2.1", Never),
            ("192.88.99.1", Never),
            ("192.168.0.1", Private),
            ("192.169.0.1", Public),
            ("198.17.255.255", Public),
            ("198.18.0.1", Never),
            ("198.19.255.255", Never),
            ("198.51.100.1", Never),
            ("203.0.113.1", Never),
            ("223.255.255.255", Public),
            ("224.0.0.1", Never),
            ("240.0.0.1", Never),
            ("255.255.255.255", Never),
            ("::", Never),
            ("::1", Private),
            ("::2", Never),
            ("::127.0.0.1", Never),
            ("::8.8.8.8", Never),
            ("::ffff:127.0.0.1", Private),
            ("::ffff:169.254.169.254", Never),
            ("::ffff:8.8.8.8", Public),
            ("::ffff:0:8.8.8.8", Never),
            ("64:ff9b::7f00:1", Never),
            ("64:ff9b::10.0.0.1", Never),
            ("64:ff9b::8.8.8.8", Public),
            ("64:ff9b:1::8.8.8.8", Never),
            ("64:ff9b:0:1::8.8.8.8", Never),
            ("100::1", Never),
            ("2001::1", Never),
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Never),
            ("2001:10::1", Never),
            ("2001:20::1", Never),
            ("2001:1ff::1", Never),
            ("2001:200::1", Public),
            ("2001:db8::1", Never),
            ("2001:4860:4860::8888", Public),
            ("2002:7f00:1::1", Never),
            ("2002:808:808::1", Never),
            ("2606:4700:4700::1111", Public),
            ("3fff::1", Never),
            ("3fff:1000::1", Public),
            ("4000::1", Never),
            ("5f00::1", Never),
            ("fc00::1", Private),
            ("fdff::1", Private),
            ("fe00::1", Never),
            ("fe80::1", Never),
            ("fec0::1", Never),
            ("ff02::1", Never),
        ] {
            let ip: IpAddr = ip.parse().unwrap();
            assert_eq!(reach(ip), expected, "{ip}");
            assert_eq!(is_public(ip), expected == Public, "{ip}");
        }
    }

    #[test]
    fn n02_only_what_is_allowed_is_followed() {
        use TargetFault::{Address, Malformed, Scheme};
        let strict = OutboundRules::default();
        let lax = OutboundRules { private: true, http: true };
        for (text, strictly, laxly) in [
            ("https://op.example/jwks", Ok(()), Ok(())),
            ("https://op.example:8443/jwks?x=1", Ok(()), Ok(())),
            ("http://op.example/jwks", Err(Scheme), Ok(())),
            ("file:///etc/passwd", Err(Scheme), Err(Scheme)),
            ("gopher://op.example/", Err(Scheme), Err(Scheme)),
            ("ftp://op.example/", Err(Scheme), Err(Scheme)),
            ("data:,x", Err(Scheme), Err(Scheme)),
            ("//op.example/jwks", Err(Malformed), Err(Malformed)),
            ("/jwks", Err(Malformed), Err(Malformed)),
            ("", Err(Malformed), Err(Malformed)),
            ("https://", Err(Malformed), Err(Malformed)),
            ("https://user@op.example/", Err(Malformed), Err(Malformed)),
            ("https://:pw@op.example/", Err(Malformed), Err(Malformed)),
            ("https://op.example/#f", Err(Malformed), Err(Malformed)),
            ("https://op.example/\r\nx", Err(Malformed), Err(Malformed)),
            (" https://op.example/", Err(Malformed), Err(Malformed)),
            ("https://${client_session_host}/", Err(Malformed), Err(Malformed)),
            ("https://127.0.0.1/", Err(Address), Ok(())),
            ("https://127.1/", Err(Address), Ok(())),
            ("https://2130706433/", Err(Address), Ok(())),
            ("https://0x7f000001/", Err(Address), Ok(())),
            ("https://017700000001/", Err(Address), Ok(())),
            ("https://[::1]/", Err(Address), Ok(())),
            ("https://[::ffff:10.0.0.1]/", Err(Address), Ok(())),
            ("https://[64:ff9b::7f00:1]/", Err(Address), Err(Address)),
            ("https://0.0.0.0/", Err(Address), Err(Address)),
            ("https://169.254.169.254/latest", Err(Address), Err(Address)),
            ("https://[fe80::1]/", Err(Address), Err(Address)),
            ("https://[fe80::1%25eth0]/", Err(Malformed), Err(Malformed)),
        ] {
            assert_eq!(strict.target(text).map(drop), strictly, "strictly {text:?}");
            assert_eq!(lax.target(text).map(drop), laxly, "laxly {text:?}");
        }
        let long = format!("https://op.example/{}", "x".repeat(MAX_URL));
        assert_eq!(lax.target(&long), Err(Malformed));
    }

    fn v4_special(ip: Ipv4Addr) -> bool {
        ip.is_private()
            || ip.is_loopback()
            || ip.is_link_local()
            || ip.is_broadcast()
            || ip.is_documentation()
            || ip.is_multicast()
            || ip.is_unspecified()
            || ip.octets()[0] == 0
            || ip.octets()[0] >= 240
    }

    proptest! {
        /// Against the standard library, which keeps tables of its own.
        #[test]
        fn z15_no_special_ipv4_address_is_public_in_any_spelling(bits: u32) {
            let ip = Ipv4Addr::from(bits);
            let public = is_public(ip.into());
            prop_assert!(!(public && v4_special(ip)));
            prop_assert_eq!(is_public(ip.to_ipv6_mapped().into()), public);
            prop_assert!(!is_public(ip.to_ipv6_compatible().into()));
            let [a, b, c, d] = ip.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            prop_assert_eq!(is_public(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low).into()), public);
            prop_assert!(!is_public(Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1).into()));
            prop_assert!(!is_public(Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low).into()));
        }

        #[test]
        fn z15_a_public_ipv6_address_is_global_unicast(bits: u128) {
            let ip = Ipv6Addr::from(bits);
            let public = is_public(ip.into());
            let global = ip.segments()[0] & 0xe000 == 0x2000;
            prop_assert!(!public || global || ip.to_ipv4_mapped().is_some() || ip.segments()[..2] == [0x64, 0xff9b]);
        }

        #[test]
        fn z15_any_text_is_answered(text: String) {
            if let Ok(url) = OutboundRules::default().target(&text) {
                prop_assert_eq!(url.scheme(), "https");
            }
        }
    }
}
