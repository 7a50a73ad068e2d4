//! The page at `/` of a `dev` server: where to point an app, and whom to sign in as.

use askama::Template;

use super::address::Link;
use super::page::{Page, Permits};
use super::shell::Shell;
use super::words::{Entry, Name};

/// A realm to point an app at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoRealm<'a> {
    /// Its name.
    pub name: Name<'a>,
    /// Its issuer.
    pub issuer: &'a str,
    /// `/.well-known/openid-configuration`.
    pub discovery: Link<'a>,
    /// The JWKS.
    pub keys: Link<'a>,
    /// The account page, which is also the quickest sign-in to try.
    pub account: Link<'a>,
}

impl DemoRealm<'_> {
    /// The issuer up to the realm's part, after which a narrow page may break it.
    fn server(&self) -> &str {
        self.parts().0
    }

    /// The realm's part of the issuer: `/realms/main`.
    fn path(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        self.issuer
            .rfind("/realms/")
            .and_then(|at| self.issuer.split_at_checked(at))
            .unwrap_or((self.issuer, ""))
    }
}

/// A client to sign in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoClient<'a> {
    /// The client's identifier.
    pub id: Name<'a>,
    /// How it proves itself.
    pub secret: DemoSecret<'a>,
    /// What it is for.
    pub purpose: Name<'a>,
    /// Where it may send people back to.
    pub redirects: Vec<Entry<'a>>,
    /// The realm whose client it is, by the name in addresses.
    pub realm: Name<'a>,
}

/// A client's secret, as far as there is one to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DemoSecret<'a> {
    /// A public client has none.
    Public,
    /// It is known as a hash alone, or the client signs with a key of its own.
    Untold,
    /// This one.
    Told(Name<'a>),
}

/// A user to sign in as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoUser<'a> {
    /// The name to sign in with.
    pub username: Name<'a>,
    /// The password, where the file says it.
    pub password: Option<Name<'a>>,
    /// Roles, with commas between.
    pub roles: Name<'a>,
    /// The realm whose user it is, by the name in addresses.
    pub realm: Name<'a>,
}

/// The welcome page; `dev` alone shows it.
#[derive(Clone, Debug, Template)]
#[template(path = "welcome.html")]
pub struct Welcome<'a> {
    /// The server's surroundings.
    pub shell: Shell<'a>,
    /// Realms, the main one first.
    pub realms: Vec<DemoRealm<'a>>,
    /// Clients of the demo realm, or of the files that the server was started with.
    pub clients: Vec<DemoClient<'a>>,
    /// Users of the same.
    pub users: Vec<DemoUser<'a>>,
    /// Whether the clients are of several realms.
    pub several: bool,
    /// Whether the clients take any address of this machine, as those of the demo realm do.
    pub any_loopback: bool,
    /// How the server is administered.
    pub administration: Link<'a>,
}

impl Welcome<'_> {
    /// The answer.
    #[must_use]
    pub fn page(&self) -> Page {
        Page::render(self, Permits::default().alone())
    }
}
