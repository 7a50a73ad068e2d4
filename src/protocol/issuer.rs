//! Under which names the server answers, and which issuer follows from a request.
//!
//! Owns [`Base`] (scheme, host, port, base path), [`Hosts`] (which `Host` is ours) and the spelling of issuers.
//! Leaves reading the header fields to `http::host`, and what a proxy may say to [`super::forwarded`].
//!
//! A request never chooses the issuer in production: a link in a mail or an `iss` made from a foreign `Host`
//! is the oldest bug of this family (CVE-2023-49097, CVE-2025-64101).

mod base;

use std::net::IpAddr;

use thiserror::Error;

pub use base::{Base, BaseError};

use super::forwarded::{ForwardedHeaders, Proxies};

/// Which `Host` values are answered beside the declared names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// None: production.
    Declared,
    /// `localhost`, `127.0.0.1` and `[::1]` with any port, since a port may be mapped: `dev`.
    Loopback,
    /// Any: `start-dev`, as Keycloak's.
    Any,
}

/// The names of one server and the issuers that follow from them.
#[derive(Clone, Debug)]
pub struct Hosts {
    public: Option<Base>,
    aliases: Vec<Base>,
    answers: Answers,
    base_path: String,
    root_realm: Option<String>,
    proxies: Proxies,
    /// The host name of every address, whatever was asked; scheme and port follow the request.
    name: Option<String>,
    /// Whether programs are told of the name that they asked by, whatever it is.
    follows: bool,
}

/// What a request says about where it was sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// Every `Host` header field, bytes as they came.
    pub hosts: &'a [&'a [u8]],
    /// The authority of a request target in absolute form (RFC 9112 §3.2.2).
    pub target: Option<&'a str>,
    /// What proxies added.
    pub forwarded: ForwardedHeaders<'a>,
    /// Whether it came over TLS that this server ends.
    pub over_tls: bool,
}

/// Why a request was refused for its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HostRefusal {
    /// No `Host` (RFC 9112 §3.2).
    #[error("the Host header is missing")]
    Missing,
    /// More than one `Host`.
    #[error("the Host header is given more than once")]
    Repeated,
    /// Not a host with an optional port: userinfo, control characters, a list.
    #[error("the Host header is malformed")]
    Malformed,
    /// The request target names another host than the header.
    #[error("the request target and the Host header differ")]
    Mismatch,
    /// A host that is not ours.
    #[error("this server does not answer for the requested host")]
    Unknown,
}

impl HostRefusal {
    /// 421 for a host that is not ours (RFC 9110 §15.5.20), else 400.
    #[must_use]
    pub fn status(self) -> u16 {
        if self == Self::Unknown { 421 } else { 400 }
    }
}

impl Hosts {
    /// Production: one public address, and aliases under which the same server is reached. Whatever was asked,
    /// the issuer is the public one.
    #[must_use]
    pub fn fixed(public: Base, aliases: Vec<Base>) -> Self {
        let base_path = public.path().to_owned();
        Self { aliases, ..Self::with(Some(public), Answers::Declared, base_path) }
    }

    /// Development: loopback names, each its own base, unless a public address is given.
    #[must_use]
    pub fn loopback(public: Option<Base>, base_path: &str) -> Self {
        let base_path = public.as_ref().map_or(base_path, Base::path).to_owned();
        Self::with(public, Answers::Loopback, base_path)
    }

    /// Containers: any name, each its own base, unless a public address is given.
    #[must_use]
    pub fn any(public: Option<Base>, base_path: &str) -> Self {
        let base_path = public.as_ref().map_or(base_path, Base::path).to_owned();
        Self::with(public, Answers::Any, base_path)
    }

    fn with(public: Option<Base>, answers: Answers, base_path: String) -> Self {
        let proxies = Proxies::default();
        let (aliases, root_realm, name) = (Vec::new(), None, None);
        Self { public, aliases, answers, base_path, root_realm, proxies, name, follows: false }
    }

    /// The same names, and these under which the server is reached too: whoever asks by one is told of addresses there,
    /// and of the same issuer (see [`Hosts::back_channel`]).
    #[must_use]
    pub fn also(mut self, aliases: Vec<Base>) -> Self {
        self.aliases = aliases;
        self
    }

    /// The same names, with `name` as the host of every address. What is no host name changes nothing.
    #[must_use]
    pub fn called(mut self, name: Option<String>) -> Self {
        self.name = name.map(|name| name.to_ascii_lowercase()).filter(|name| is_host(name));
        self
    }

    /// The same names; with `follows`, programs are told of any name that they ask by, as if it were an alias.
    #[must_use]
    pub fn following(mut self, follows: bool) -> Self {
        self.follows = follows;
        self
    }

    /// The same names, with `realm`'s issuer at the base address itself.
    #[must_use]
    pub fn root_realm(mut self, realm: Option<String>) -> Self {
        self.root_realm = realm;
        self
    }

    /// The same names, with these proxies believed.
    #[must_use]
    pub fn behind(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// The proxies that are believed.
    #[must_use]
    pub fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// The one public address, if there is one.
    #[must_use]
    pub fn public(&self) -> Option<&Base> {
        self.public.as_ref()
    }

    /// The declared names under which it also answers.
    #[must_use]
    pub fn aliases(&self) -> &[Base] {
        &self.aliases
    }

    /// The path below which everything is served: empty, or `/auth` and the like.
    #[must_use]
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// The base of the addresses and the issuer in the answer to a request that `peer` sent.
    ///
    /// # Errors
    /// [`HostRefusal`] when the host is missing, doubled, malformed, contradicted or not ours.
    pub fn resolve(&self, peer: IpAddr, asked: &Asked<'_>) -> Result<Base, HostRefusal> {
        if let Some(public) = self.plainly_public(peer, asked) {
            return Ok(public.clone());
        }
        let mut host = self.host(peer, asked)?;
        let declared = || self.public.iter().chain(&self.aliases).any(|base| base.is_at(&host));
        let ours = match self.answers {
            Answers::Any => true,
            Answers::Loopback => is_loopback(&host) || declared(),
            Answers::Declared => declared(),
        };
        match &self.public {
            _ if !ours => Err(HostRefusal::Unknown),
            Some(public) => Ok(public.clone()),
            None => {
                if let Some(name) = &self.name {
                    host.host.clone_from(name);
                }
                Base::assemble(self.scheme(peer, asked), &host, &self.base_path)
                    .map_err(|_| HostRefusal::Malformed)
            }
        }
    }

    /// Whether [`Hosts::back_channel`] ever gives one.
    #[must_use]
    pub fn has_back_channels(&self) -> bool {
        self.follows || !self.aliases.is_empty()
    }

    /// The base of the addresses that programs call, when it is not that of [`Hosts::resolve`]: of the alias that they
    /// asked by, or of whatever name they did where those are followed. In a network of containers the public name
    /// leads elsewhere, or nowhere.
    #[must_use]
    pub fn back_channel(&self, peer: IpAddr, asked: &Asked<'_>) -> Option<Base> {
        let host = self.host(peer, asked).ok()?;
        if self.public.as_ref().is_some_and(|public| public.is_at(&host)) {
            return None;
        }
        if let Some(alias) = self.aliases.iter().find(|alias| alias.is_at(&host)) {
            return Some(alias.clone());
        }
        let followed = || Base::assemble(self.scheme(peer, asked), &host, &self.base_path).ok();
        self.follows.then(followed).flatten()
    }

    /// The public base, when a request asks for its host in the very spelling of ours, as most requests of a server in
    /// production do: then there is nothing to read.
    fn plainly_public(&self, peer: IpAddr, asked: &Asked<'_>) -> Option<&Base> {
        let (Some(public), [host], None) = (&self.public, asked.hosts, asked.target) else { return None };
        let plain =
            *host == public.authority().as_bytes() && self.proxies.host(peer, &asked.forwarded).is_none();
        plain.then_some(public)
    }

    /// The host that was asked, by what proxies say or by the request itself.
    fn host(&self, peer: IpAddr, asked: &Asked<'_>) -> Result<Authority, HostRefusal> {
        let direct = direct(asked)?;
        match self.proxies.host(peer, &asked.forwarded) {
            Some(host) => authority(host.as_bytes()),
            None => Ok(direct),
        }
    }

    fn scheme<'a>(&self, peer: IpAddr, asked: &Asked<'a>) -> &'a str {
        let own = if asked.over_tls { "https" } else { "http" };
        self.proxies.scheme(peer, &asked.forwarded).unwrap_or(own)
    }

    /// The issuer of `realm` below `base`: `{base}/realms/{realm}`, or `{base}` for the root realm.
    #[must_use]
    pub fn issuer(&self, base: &Base, realm: &str) -> String {
        if self.root_realm.as_deref() == Some(realm) { base.to_string() } else { base.realm(realm) }
    }

    /// Whether `iss` is an issuer that some request to this server would have got for `realm`.
    ///
    /// With a public address that is one string. Where the name follows the request, every spelling that
    /// [`Hosts::resolve`] can yield is one, so that a token got at `localhost` works at `127.0.0.1`.
    #[must_use]
    pub fn accepts_issuer(&self, iss: &str, realm: &str) -> bool {
        if self.public.as_ref().is_some_and(|public| self.issuer(public, realm) == iss) {
            return true;
        }
        if self.answers == Answers::Declared || (self.public.is_some() && self.answers == Answers::Any) {
            return false;
        }
        let Some((scheme, rest)) = iss.split_once("://") else { return false };
        let host = rest.split('/').next().unwrap_or_default();
        let Ok(host) = authority(host.as_bytes()) else { return false };
        if self.answers == Answers::Loopback && !is_loopback(&host) {
            return false;
        }
        if self.name.as_ref().is_some_and(|name| *name != host.host) {
            return false;
        }
        Base::assemble(scheme, &host, &self.base_path).is_ok_and(|base| self.issuer(&base, realm) == iss)
    }
}

fn direct(asked: &Asked<'_>) -> Result<Authority, HostRefusal> {
    let host = match asked.hosts {
        [] => return Err(HostRefusal::Missing),
        [host] => authority(host)?,
        _ => return Err(HostRefusal::Repeated),
    };
    match asked.target.map(|target| authority(target.as_bytes())) {
        Some(Err(refusal)) => Err(refusal),
        Some(Ok(target)) if target != host => Err(HostRefusal::Mismatch),
        _ => Ok(host),
    }
}

/// A host in lower case and its port, if one is written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Authority {
    host: String,
    port: Option<u16>,
}

/// Reads `host [ ":" port ]` (RFC 9112 §3.2) with the host a DNS name, an IPv4 address or a bracketed IPv6 address.
fn authority(raw: &[u8]) -> Result<Authority, HostRefusal> {
    let text = std::str::from_utf8(raw).map_err(|_| HostRefusal::Malformed)?;
    let (host, port) = split_port(text).ok_or(HostRefusal::Malformed)?;
    let port = match port {
        None => None,
        Some(digits)
            if (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Some(digits.parse::<u16>().ok().filter(|port| *port != 0).ok_or(HostRefusal::Malformed)?)
        }
        Some(_) => return Err(HostRefusal::Malformed),
    };
    if !is_host(host) {
        return Err(HostRefusal::Malformed);
    }
    Ok(Authority { host: host.to_ascii_lowercase(), port })
}

fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    let end = if text.starts_with('[') {
        text.find(']')?.checked_add(1)?
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (host, rest) = text.split_at_checked(end)?;
    if rest.is_empty() { Some((host, None)) } else { Some((host, Some(rest.strip_prefix(':')?))) }
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !host.is_empty() && host.len() <= 253 && host.bytes().all(known) && host.bytes().any(|byte| byte != b'.')
}

fn is_loopback(authority: &Authority) -> bool {
    matches!(authority.host.as_str(), "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests;
