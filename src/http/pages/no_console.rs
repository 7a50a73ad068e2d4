//! The page where Keycloak has its admin console: what to use instead.

use askama::Template;

use super::address::Link;
use super::page::{Page, Permits};
use super::shell::Shell;
use super::words::{Entry, Name};

/// How a realm, or every realm, is looked after without a console.
#[derive(Clone, Debug, Template)]
#[template(path = "no-console.html")]
pub struct NoConsole<'a> {
    /// The realm's surroundings, or the server's.
    pub shell: Shell<'a>,
    /// The realm, by the name in addresses.
    pub realm: Option<Name<'a>>,
    /// Whether the commands name an administrator who is there.
    pub known_administrator: bool,
    /// Whether this is production.
    pub strict: bool,
    /// Commands that bring a realm to what its file says.
    pub file: Vec<Entry<'a>>,
    /// Commands that ask the admin API.
    pub api: Vec<Entry<'a>>,
    /// The account page of the realm.
    pub account: Option<Link<'a>>,
    /// The page at the server's root, where there is one.
    pub overview: Option<Link<'a>>,
}

impl NoConsole<'_> {
    /// The answer.
    #[must_use]
    pub fn page(&self) -> Page {
        Page::render(self, Permits::default().alone())
    }
}
