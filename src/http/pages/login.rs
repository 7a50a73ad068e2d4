//! The sign-in page. Its elements carry Keycloak's names, so that existing browser tests fill it in unchanged.

use std::borrow::Cow;

use askama::Template;

use super::address::{Destination, Link};
use super::page::{Page, Permits};
use super::shell::{Asker, Shell};
use super::text::Phrase;
use super::words::{Entry, Name};

/// Why the last attempt failed. Deliberately coarse: the page never says which part was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginProblem {
    /// The name, the password, or the account's state.
    Invalid,
    /// The brake holds this account or this address back, for so many seconds.
    TooManyAttempts(i64),
}

/// The name field's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Username<'a> {
    /// Free to type, filled with what was typed before or hinted (`login_hint`); may be empty.
    Open(Entry<'a>),
    /// Fixed, since this person signs in again (`prompt=login`, `max_age`).
    Fixed(Entry<'a>),
}

/// A way to sign in as a demo user with one click, in `dev` alone: a form of its own whose only field is
/// `persona=username`. Neither the password nor a second `username` field is on the page, so that scripts still
/// find exactly one of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona<'a> {
    /// The field's value.
    pub username: &'a str,
}

impl Persona<'_> {
    fn shown(&self) -> Name<'_> {
        Name::new(self.username)
    }
}

/// Another identity provider to sign in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider<'a> {
    /// What people call it.
    pub name: Name<'a>,
    /// Where its sign-in starts.
    pub link: Link<'a>,
}

/// `form#kc-form-login` with `#username`, `#password`, `#rememberMe` and `#kc-login`.
#[derive(Clone, Debug, Template)]
#[template(path = "sign-in/login.html")]
pub struct Login<'a> {
    /// The realm's surroundings.
    pub shell: Shell<'a>,
    /// The app that asked for the sign-in; none on the account page's own.
    pub client: Option<Asker<'a>>,
    /// Where the forms are posted.
    pub action: Link<'a>,
    /// Where the browser goes after the sign-in, when that is another origin: the proven redirect URI's.
    pub destination: Option<Destination<'a>>,
    /// The name field.
    pub username: Username<'a>,
    /// For [`Username::Fixed`]: where somebody else signs in instead.
    pub switch_account: Option<Link<'a>>,
    /// Whether remember-me is offered, and if so whether it is ticked.
    pub remember: Option<bool>,
    /// Why the last attempt failed.
    pub problem: Option<LoginProblem>,
    /// Other identity providers.
    pub providers: Vec<Provider<'a>>,
    /// Demo users; empty outside `dev`.
    pub personas: Vec<Persona<'a>>,
}

impl<'a> Login<'a> {
    /// An empty form for nobody in particular; set the other fields as needed.
    #[must_use]
    pub fn new(shell: Shell<'a>, action: Link<'a>) -> Self {
        Self {
            shell,
            client: None,
            action,
            destination: None,
            username: Username::Open(Entry::default()),
            switch_account: None,
            remember: None,
            problem: None,
            providers: Vec::new(),
            personas: Vec::new(),
        }
    }

    /// The answer, 200 also after a failed attempt (as Keycloak's).
    #[must_use]
    pub fn page(&self) -> Page {
        let logos =
            [self.shell.brand.logo.as_ref(), self.client.as_ref().and_then(|app| app.brand.logo.as_ref())];
        Page::render(self, Permits::default().images(logos).forms_to(self.destination.as_ref()))
    }

    fn entry(&self) -> &Entry<'a> {
        match &self.username {
            Username::Open(entry) | Username::Fixed(entry) => entry,
        }
    }

    fn is_fixed(&self) -> bool {
        matches!(self.username, Username::Fixed(_))
    }

    /// The cursor starts where typing is needed: in the password's field once the name is known.
    fn name_is_known(&self) -> bool {
        self.is_fixed() || !self.entry().is_empty()
    }

    /// Whether what was typed is wrong; whoever has to wait may have typed it right.
    fn is_invalid(&self) -> bool {
        self.problem == Some(LoginProblem::Invalid)
    }

    fn problem_text(&self) -> Option<Cow<'static, str>> {
        let text = &self.shell.text.login;
        self.problem.map(|problem| match problem {
            LoginProblem::Invalid => Cow::Borrowed(text.invalid),
            LoginProblem::TooManyAttempts(seconds) => {
                let Phrase { before, after } = &text.wait_for;
                Cow::Owned(format!("{before}{}{after}", self.span(seconds)))
            }
        })
    }

    /// A wait as people read it, rounded up: to ten seconds, and beyond a minute to minutes.
    fn span(&self, seconds: i64) -> String {
        let text = &self.shell.text.login;
        let seconds = seconds.max(1);
        match (seconds.saturating_add(9) / 10 * 10, seconds.saturating_add(59) / 60) {
            (tens, _) if tens < 60 => format!("{tens} {}", text.seconds),
            (_, 1) => format!("1 {}", text.minute),
            (_, minutes) => format!("{minutes} {}", text.minutes),
        }
    }
}
