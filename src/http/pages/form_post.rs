//! The page that carries an authorization response to the app by POST (OAuth 2.0 Form Post Response Mode §2).

use askama::Template;

use super::address::{Destination, Link};
use super::page::{Page, Permits};
use super::shell::{Hidden, Shell};
use super::words::Name;

/// A form that sends itself. Without JavaScript, its visible button does.
#[derive(Clone, Debug, Template)]
#[template(path = "sign-in/form-post.html")]
pub struct FormPost<'a> {
    /// The realm's surroundings.
    pub shell: Shell<'a>,
    /// The app's name.
    pub client: Name<'a>,
    /// The proven redirect URI. An app that is no web page cannot take a POST, so only a [`Link`] fits.
    pub target: Link<'a>,
    /// The response parameters (`code`, `state`, `iss`, or `error` and its companions), each kept byte for byte.
    pub fields: Vec<Hidden<'a>>,
    /// 128 random bits or more in base64, new for each answer; it marks the script that sends the form.
    pub nonce: &'a str,
}

impl FormPost<'_> {
    /// The answer.
    #[must_use]
    pub fn page(&self) -> Page {
        let to = Option::<Destination<'_>>::from(&self.target);
        let permits = Permits::default().images([self.shell.brand.logo.as_ref()]);
        Page::render(self, permits.forms_to(to.as_ref()).script(self.nonce))
    }
}
