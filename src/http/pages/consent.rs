//! The consent page: who asks, as whom, for what, and where the answer goes (OAuth 2.1 §7.9, OpenID Connect Core
//! §3.1.2.4).

use askama::Template;

use super::address::{Destination, Link};
use super::page::{Page, Permits};
use super::shell::{Asker, Hidden, Shell};
use super::trouble::Fact;
use super::words::{Entry, Name};

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
    /// What is asked in detail, below those lines.
    pub details: Vec<Detail<'a>>,
    /// Whether a yes is remembered, so that the person is not asked the next time.
    pub remembered: bool,
    /// Where the answer goes: the proven redirect URI's origin.
    pub destination: Destination<'a>,
    /// Where the form is posted.
    pub action: Link<'a>,
    /// Fields to send along, such as the CSRF token.
    pub hidden: Vec<Hidden<'a>>,
}

/// One thing that is asked in detail (RFC 9396): nothing of it is left out.
#[derive(Clone, Debug)]
pub struct Detail<'a> {
    /// What it allows, in a sentence that continues "will be able to".
    pub sentence: Name<'a>,
    /// To what.
    pub facts: Vec<Fact<'a>>,
}

impl<'a> Detail<'a> {
    /// A sentence, and names with values.
    #[must_use]
    pub fn new(sentence: &'a str, lines: &'a [(String, String)]) -> Self {
        let fact = |(name, value): &'a (String, String)| Fact {
            label: Name::new(name),
            value: Entry::from(value.as_str()),
        };
        Self { sentence: Name::new(sentence), facts: lines.iter().map(fact).collect() }
    }
}

impl Consent<'_> {
    /// The answer.
    #[must_use]
    pub fn page(&self) -> Page {
        let logos = [self.shell.brand.logo.as_ref(), self.client.brand.logo.as_ref()];
        Page::render(self, Permits::default().images(logos).forms_to(Some(&self.destination)))
    }
}
