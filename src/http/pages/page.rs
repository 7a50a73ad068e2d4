//! The one way in which HTML leaves the server, with the whole set of protective headers.
//!
//! Owns the content security policy and its companions (RFC 9700 §4.16, OAuth 2.1 §7.11). Leaves cookies to the
//! caller, and what stands on the page to the views.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::address::{Destination, Link};
use super::shell::Shell;

/// Two years, as browsers' preload lists ask.
const HSTS: &str = "max-age=63072000; includeSubDomains";
const PERMISSIONS: &str =
    "geolocation=(), camera=(), microphone=(), payment=(), publickey-credentials-get=(self)";

/// An HTML answer. It takes no script, no frame and no foreign resource, apart from what its view was permitted.
#[derive(Clone, Debug)]
pub struct Page {
    /// The answer's status; 200 unless the view says otherwise.
    pub status: StatusCode,
    /// The whole document.
    pub html: String,
    permits: Permits,
    https: bool,
}

/// What a page may do beyond its own origin.
#[derive(Clone, Debug, Default)]
pub(super) struct Permits {
    forms_to: Vec<String>,
    images_from: Vec<String>,
    frames_from: Vec<String>,
    nonce: Option<String>,
    alone: bool,
}

impl Permits {
    /// Forms may end at `destination`: browsers hold the redirect after a POST against `form-action` too.
    pub(super) fn forms_to(mut self, destination: Option<&Destination<'_>>) -> Self {
        self.forms_to.extend(destination.map(|to| to.source().to_owned()));
        self
    }

    /// The page shows `images`; those of our own origin need no word.
    pub(super) fn images<'a>(mut self, images: impl IntoIterator<Item = Option<&'a Link<'a>>>) -> Self {
        self.images_from.extend(images.into_iter().flatten().filter_map(source));
        self
    }

    /// The page frames `addresses`, as front-channel logout does.
    pub(super) fn frames<'a>(mut self, addresses: impl IntoIterator<Item = &'a Link<'a>>) -> Self {
        self.frames_from.extend(addresses.into_iter().filter_map(source));
        self
    }

    /// The page has one inline script, marked with `nonce`.
    pub(super) fn script(mut self, nonce: &str) -> Self {
        self.nonce = is_nonce(nonce).then(|| nonce.to_owned());
        self
    }

    /// No window of another origin may hold on to this page's. Pages of a sign-in stay reachable, since an app may
    /// have opened them as a popup.
    pub(super) fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    fn policy(&self) -> String {
        let script = self.nonce.as_ref().map_or("'none'".to_owned(), |nonce| format!("'nonce-{nonce}'"));
        let frames = if self.frames_from.is_empty() {
            String::new()
        } else {
            format!("frame-src{}; ", sources(&self.frames_from))
        };
        format!(
            "default-src 'none'; style-src 'self'; img-src 'self' data:{images}; font-src 'self'; \
             script-src {script}; {frames}form-action 'self'{forms}; frame-ancestors 'none'; base-uri 'none'; \
             object-src 'none'",
            images = sources(&self.images_from),
            forms = sources(&self.forms_to),
        )
    }
}

fn source(link: &Link<'_>) -> Option<String> {
    Option::<Destination<'_>>::from(link).map(|from| from.source().to_owned())
}

/// Every source once, each after a space.
fn sources(all: &[String]) -> String {
    let mut list = String::new();
    for (place, source) in all.iter().enumerate() {
        if !all.iter().take(place).any(|earlier| earlier == source) {
            list.push(' ');
            list.push_str(source);
        }
    }
    list
}

/// The grammar of CSP 3 §2.3.1, so that a nonce cannot end its directive.
fn is_nonce(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte))
}

impl Page {
    /// Renders `view`. A template cannot fail on its own; should formatting fail all the same, the answer is a bare
    /// 500 and the cause goes to the log.
    pub(super) fn render(view: &impl askama::Template, permits: Permits) -> Self {
        match view.render() {
            Ok(html) => Self { status: StatusCode::OK, html, permits, https: false },
            Err(cause) => {
                tracing::error!(%cause, "a page could not be rendered");
                let html = "<!doctype html><title>Error</title><p>This page could not be shown.".to_owned();
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Self { status, html, permits: Permits::default(), https: false }
            }
        }
    }

    /// A step of the sign-in, whose form leads to `destination` when that is another origin.
    pub(super) fn of_step(
        view: &impl askama::Template,
        shell: &Shell<'_>,
        destination: Option<&Destination<'_>>,
    ) -> Self {
        let permits = Permits::default().images([shell.brand.logo.as_ref()]);
        Self::render(view, permits.forms_to(destination))
    }

    /// The same page under another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Tells the browser to come by TLS alone from now on; for servers whose issuer is `https`.
    #[must_use]
    pub fn over_https(mut self, https: bool) -> Self {
        self.https = https;
        self
    }

    /// Lets the journey after a POST go on through `destination` too, an origin that the client has registered.
    ///
    /// Chromium holds every further redirect against `form-action`, beyond our own to the app: where the app's
    /// callback redirects to another origin that is not listed, the browser stays on the form without a word.
    #[must_use]
    pub fn leading_to(mut self, destination: &Destination<'_>) -> Self {
        self.permits = self.permits.forms_to(Some(destination));
        self
    }

    /// Lets the journey after a POST go on to any web page, for apps whose onward origins are not known. See
    /// [`Page::leading_to`] for what happens without.
    #[must_use]
    pub fn leading_anywhere(mut self) -> Self {
        self.permits.forms_to.extend(["https:", "http:"].map(str::to_owned));
        self
    }

    /// Every header of the answer, cookies excepted.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(12);
        let fixed = [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
            (REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("permissions-policy"), PERMISSIONS),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
            (HeaderName::from_static("x-robots-tag"), "noindex"),
        ];
        headers.extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
        let policy = HeaderValue::try_from(self.permits.policy());
        let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
        headers.insert(CONTENT_SECURITY_POLICY, policy.unwrap_or(nothing));
        if self.permits.alone {
            let name = HeaderName::from_static("cross-origin-opener-policy");
            headers.insert(name, HeaderValue::from_static("same-origin"));
        }
        if self.https {
            headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
        }
        headers
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        (self.status, self.headers(), self.html).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(permits: Permits) -> Page {
        Page { status: StatusCode::OK, html: String::new(), permits, https: false }
    }

    fn policy(permits: Permits) -> String {
        page(permits).headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
    }

    #[test]
    fn a_plain_page_has_the_whole_set_of_headers() {
        let headers = page(Permits::default()).headers();
        let mut lines: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        assert_eq!(
            lines,
            [
                "cache-control: no-store",
                "content-security-policy: default-src 'none'; style-src 'self'; img-src 'self' data:; \
                 font-src 'self'; script-src 'none'; form-action 'self'; frame-ancestors 'none'; \
                 base-uri 'none'; object-src 'none'",
                "content-type: text/html; charset=utf-8",
                "cross-origin-resource-policy: same-origin",
                "permissions-policy: geolocation=(), camera=(), microphone=(), payment=(), \
                 publickey-credentials-get=(self)",
                "referrer-policy: no-referrer",
                "x-content-type-options: nosniff",
                "x-frame-options: DENY",
                "x-robots-tag: noindex",
            ]
        );
    }

    #[test]
    fn hsts_goes_with_https_only() {
        let headers = page(Permits::default()).over_https(true).headers();
        assert_eq!(headers[STRICT_TRANSPORT_SECURITY], HSTS);
    }

    #[test]
    fn a_policy_grows_by_what_the_view_needs() {
        let logo = Link::new("https://cdn.example.com/logo.png").unwrap();
        let own = Link::new("/logo.png").unwrap();
        let frame = Link::new("https://rp.example.com/bye?sid=1").unwrap();
        let app = Destination::of("https://app.example.com/cb");
        let native = Destination::of("com.example.app:/cb");
        let rows = [
            (
                "forms",
                Permits::default().forms_to(app.as_ref()),
                "form-action 'self' https://app.example.com;",
            ),
            ("scheme", Permits::default().forms_to(native.as_ref()), "form-action 'self' com.example.app:;"),
            (
                "images, once each",
                Permits::default().images([Some(&logo), None, Some(&own), Some(&logo)]),
                "img-src 'self' data: https://cdn.example.com; font-src",
            ),
            ("frames", Permits::default().frames([&frame]), "frame-src https://rp.example.com; form-action"),
            ("nonce", Permits::default().script("aB3-_+/="), "script-src 'nonce-aB3-_+/='; form-action"),
            ("broken nonce", Permits::default().script("a'; script-src *"), "script-src 'none';"),
        ];
        for (row, permits, expected) in rows {
            let policy = policy(permits);
            assert!(policy.contains(expected), "{row}: {policy}");
        }
    }

    #[test]
    fn a_journey_may_be_longer_than_one_step() {
        let app = Destination::of("https://app.example.com/home").unwrap();
        let rows = [
            (
                "one more origin",
                page(Permits::default()).leading_to(&app),
                "form-action 'self' https://app.example.com;",
            ),
            ("anywhere", page(Permits::default()).leading_anywhere(), "form-action 'self' https: http:;"),
        ];
        for (row, page, expected) in rows {
            let headers = page.headers();
            assert!(headers[CONTENT_SECURITY_POLICY].to_str().unwrap().contains(expected), "{row}");
        }
    }

    #[test]
    fn a_page_that_stands_alone_says_so() {
        assert_eq!(page(Permits::default().alone()).headers()["cross-origin-opener-policy"], "same-origin");
    }
}
