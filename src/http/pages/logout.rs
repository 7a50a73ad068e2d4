//! Signing out: the question (RP-Initiated Logout 1.0 §2) and its end.

use askama::Template;

use super::address::{Destination, Link};
use super::page::{Page, Permits};
use super::shell::{Asker, Hidden, Shell};
use super::words::Name;

/// The question before a session ends: `#kc-logout` (field `confirmLogout`).
#[derive(Clone, Debug, Template)]
#[template(path = "sign-in/logout.html")]
pub struct Logout<'a> {
    /// The realm's surroundings.
    pub shell: Shell<'a>,
    /// Where the form is posted.
    pub action: Link<'a>,
    /// Fields to send along, such as the CSRF token.
    pub hidden: Vec<Hidden<'a>>,
    /// The app that asks, when it is known: its name, and its `home` as the way to stay signed in.
    pub client: Option<Asker<'a>>,
    /// The person's own page: the way to stay signed in where no app's home is known.
    pub account: Link<'a>,
    /// Where the browser goes afterwards: the proven post-logout redirect URI's origin.
    pub destination: Option<Destination<'a>>,
}

impl Logout<'_> {
    /// The answer.
    #[must_use]
    pub fn page(&self) -> Page {
        let permits = Permits::default().images([self.shell.brand.logo.as_ref()]);
        Page::render(self, permits.forms_to(self.destination.as_ref()))
    }

    fn home(&self) -> Option<(&Name<'_>, &Link<'_>)> {
        home(self.client.as_ref())
    }
}

/// Name and home page of an app that has one.
fn home<'c, 'a>(client: Option<&'c Asker<'a>>) -> Option<(&'c Name<'a>, &'c Link<'a>)> {
    client.and_then(|client| Some((&client.brand.name, client.home.as_ref()?)))
}

/// The way on from the end of a session, when frames are to be loaded first.
#[derive(Clone, Copy, Debug)]
pub struct Onward<'a> {
    /// The proven post-logout redirect URI, with `state`.
    pub link: &'a Link<'a>,
    /// 128 random bits or more in base64, new for each answer; it marks the script that goes on.
    pub nonce: &'a str,
}

/// The end of a session, when no app is to be returned to at once.
#[derive(Clone, Debug, Template)]
#[template(path = "sign-in/signed-out.html")]
pub struct SignedOut<'a> {
    /// The realm's surroundings.
    pub shell: Shell<'a>,
    /// The app to go back to, when it is known: its name, and its `home` as the link.
    pub client: Option<Asker<'a>>,
    /// The person's own page, which begins with a sign-in.
    pub account: Link<'a>,
    /// Whether every session of the person has ended.
    pub everywhere: bool,
    /// Front-channel logout addresses of the apps that were signed in to, loaded unseen (Front-Channel Logout 1.0 §3).
    pub frames: Vec<Link<'a>>,
    /// Where the browser goes when the frames are loaded, or after a while. Without JavaScript it goes by itself too, and
    /// a link is there in any case.
    pub onward: Option<Onward<'a>>,
}

impl SignedOut<'_> {
    /// The answer.
    #[must_use]
    pub fn page(&self) -> Page {
        let permits = Permits::default().images([self.shell.brand.logo.as_ref()]);
        let permits = permits.frames(&self.frames);
        Page::render(self, self.onward.iter().fold(permits, |permits, onward| permits.script(onward.nonce)))
    }

    fn title(&self) -> &'static str {
        let text = &self.shell.text.logout;
        if self.everywhere { text.done_everywhere } else { text.done }
    }

    fn home(&self) -> Option<(&Name<'_>, &Link<'_>)> {
        home(self.client.as_ref())
    }
}
