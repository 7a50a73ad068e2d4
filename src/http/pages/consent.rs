//! The consent page: who asks, as whom, for what, and where the answer goes (OAuth 2.1 §7.9, OpenID Connect Core
//! §3.1.2.4).

use askama::Template;

use super::address::{Destination, Link};
use super::page::{Page, Permits};
use super::shell::{Asker, Hidden, Shell};
use super::words::Name;

/// `form#kc-oauth` with `#kc-login` (field `accept`) and `#kc-cancel` (field `cancel`).
#[derive(Clone, Debug, Template)]
#[template(path = "sign-in/consent.html")]
pub struct Consent<'a> {
    /// The realm's surroundings.
    pub shell: Shell<'a>,
    /// The app that asks.
    pub client: Asker<'a>,
    /// The signed-in person.
    pub user: Name<'a>,
    /// Where somebody else signs in instead.
    pub switch_account: Option<Link<'a>>,
    /// One line for each thing that is asked, each a sentence that continues "will be able to".
    pub asks: Vec<Name<'a>>,
    /// Where the answer goes: the proven redirect URI's origin.
    pub destination: Destination<'a>,
    /// Where the form is posted.
    pub action: Link<'a>,
    /// Fields to send along, such as the CSRF token.
    pub hidden: Vec<Hidden<'a>>,
}

impl Consent<'_> {
    /// The answer.
    #[must_use]
    pub fn page(&self) -> Page {
        let logos = [self.shell.brand.logo.as_ref(), self.client.brand.logo.as_ref()];
        Page::render(self, Permits::default().images(logos).forms_to(Some(&self.destination)))
    }
}
