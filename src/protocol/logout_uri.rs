//! Addresses by which clients hear of the end of a session: what may be registered.

use thiserror::Error;
use url::Url;

use super::outbound::{OutboundRules, TargetFault};
use super::page_uri::{PageUriProblem, validate_page_uri};
use super::redirect_uri::Strictness;

/// Parameters that front-channel logout adds (Front-Channel Logout 1.0 §2).
const ADDED: [&str; 2] = ["iss", "sid"];

/// Why an address cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LogoutUriProblem {
    /// Not an address that we would call or load.
    #[error(transparent)]
    Address(#[from] PageUriProblem),
    /// An address that this server does not call.
    #[error("it {0}")]
    Called(#[from] TargetFault),
    /// A fragment (Back-Channel Logout 1.0 §2.2).
    #[error("a fragment (`#…`) is refused")]
    Fragment,
    /// A query that holds what we add.
    #[error("query parameters `iss` and `sid` are added by the server")]
    Parameter,
    /// Another origin than that of any redirect URI.
    #[error("it must be on the origin of a redirect URI of the client (Front-Channel Logout 1.0, section 2)")]
    Origin,
}

/// Whether `uri` may be registered as `backchannel_logout_uri` (Back-Channel Logout 1.0 §2.2) where the server calls what
/// `outbound` allows.
///
/// # Errors
/// The first problem found.
pub fn validate_backchannel(uri: &str, outbound: OutboundRules) -> Result<(), LogoutUriProblem> {
    without_fragment(uri, Strictness::Development)?;
    outbound.target(uri)?;
    Ok(())
}

fn without_fragment(uri: &str, strictness: Strictness) -> Result<(), LogoutUriProblem> {
    validate_page_uri(uri, strictness)?;
    if uri.contains('#') { Err(LogoutUriProblem::Fragment) } else { Ok(()) }
}

/// Whether `uri` may be registered as `frontchannel_logout_uri` (Front-Channel Logout 1.0 §2): `https`, and `http` on
/// loopback or, in development, anywhere; and on the origin of one of `redirect_uris`, where these are known.
///
/// # Errors
/// The first problem found.
pub fn validate_frontchannel(
    uri: &str,
    redirect_uris: Option<&[String]>,
    strictness: Strictness,
) -> Result<(), LogoutUriProblem> {
    without_fragment(uri, strictness)?;
    let parsed = Url::parse(uri).map_err(|_| PageUriProblem::Unreadable)?;
    if parsed.query_pairs().any(|(name, _)| ADDED.contains(&name.as_ref())) {
        return Err(LogoutUriProblem::Parameter);
    }
    match redirect_uris {
        Some(uris) if !uris.iter().any(|registered| same_origin(registered, &parsed)) => {
            Err(LogoutUriProblem::Origin)
        }
        _ => Ok(()),
    }
}

/// Whether `uri` is on the origin of `registered`, whose port may be the `*` of development.
fn same_origin(registered: &str, uri: &Url) -> bool {
    let any_port = registered.contains(":*");
    let Ok(registered) = Url::parse(&registered.replacen(":*", "", 1)) else { return false };
    registered.scheme() == uri.scheme()
        && registered.host_str() == uri.host_str()
        && (any_port || registered.port_or_known_default() == uri.port_or_known_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r05_n02_back_channel_addresses() {
        use LogoutUriProblem as P;
        let lax = OutboundRules { private: true, http: true };
        for (uri, serve, development) in [
            ("https://app.example/logout", Ok(()), Ok(())),
            ("https://app.example/logout?tenant=1", Ok(()), Ok(())),
            ("http://127.0.0.1:3000/logout", Err(P::Called(TargetFault::Scheme)), Ok(())),
            ("http://app:3000/logout", Err(P::Called(TargetFault::Scheme)), Ok(())),
            ("https://127.0.0.1/logout", Err(P::Called(TargetFault::Address)), Ok(())),
            ("https://[::1]/logout", Err(P::Called(TargetFault::Address)), Ok(())),
            (
                "https://169.254.169.254/logout",
                Err(P::Called(TargetFault::Address)),
                Err(P::Called(TargetFault::Address)),
            ),
            ("https://app.example/logout#x", Err(P::Fragment), Err(P::Fragment)),
            (
                "https://user@app.example/",
                Err(P::Address(PageUriProblem::UserInfo)),
                Err(P::Address(PageUriProblem::UserInfo)),
            ),
            (
                "javascript:alert(1)",
                Err(P::Address(PageUriProblem::Scheme)),
                Err(P::Address(PageUriProblem::Scheme)),
            ),
            (
                "file:///etc/passwd",
                Err(P::Address(PageUriProblem::Scheme)),
                Err(P::Address(PageUriProblem::Scheme)),
            ),
        ] {
            assert_eq!(validate_backchannel(uri, OutboundRules::default()), serve, "{uri}");
            assert_eq!(validate_backchannel(uri, lax), development, "{uri}");
        }
    }

    #[test]
    fn frontchannel_logout_2_on_the_origin_of_a_redirect_uri() {
        let registered =
            ["https://app.example/cb", "http://localhost:*/*", "com.example.app:/cb"].map(str::to_owned);
        for (uri, expected) in [
            ("https://app.example/bye", Ok(())),
            ("https://app.example:443/bye?x=1", Ok(())),
            ("http://localhost:3000/bye", Ok(())),
            ("https://app.example:8443/bye", Err(LogoutUriProblem::Origin)),
            ("https://evil.test/bye", Err(LogoutUriProblem::Origin)),
            ("https://localhost/bye", Err(LogoutUriProblem::Origin)),
            ("https://app.example/bye?sid=1", Err(LogoutUriProblem::Parameter)),
            ("https://app.example/bye?%69ss=1", Err(LogoutUriProblem::Parameter)),
            ("https://app.example/bye#x", Err(LogoutUriProblem::Fragment)),
        ] {
            let found = validate_frontchannel(uri, Some(&registered), Strictness::Development);
            assert_eq!(found, expected, "{uri}");
        }
        assert_eq!(
            validate_frontchannel("https://evil.test/", None, Strictness::Serve),
            Ok(()),
            "not known here"
        );
    }
}
