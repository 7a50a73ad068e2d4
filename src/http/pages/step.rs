//! What is asked after a right password: a code of a device, or a new password. Both carry Keycloak's element names.

use askama::Template;

use super::address::{Destination, Link};
use super::page::Page;
use super::shell::Shell;
use super::words::{Entry, Name};

/// Who is asked: so that the wrong person sees it before answering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whom<'a> {
    /// The person whose password was right.
    pub user: Name<'a>,
    /// The app that asked for the sign-in; none for a page of the server's own.
    pub app: Option<Name<'a>>,
    /// Where somebody else signs in instead; none where an app asked who is signed in, who may leave it undone.
    pub restart: Option<Link<'a>>,
}

/// Why the last code was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeProblem {
    /// It is wrong, or was used before.
    Wrong,
    /// There were too many.
    TooMany,
}

impl CodeProblem {
    /// The problem in words; `wrong` are those for a wrong code.
    pub(super) fn text(self, wrong: &'static str, shell: &Shell<'_>) -> &'static str {
        match self {
            Self::Wrong => wrong,
            Self::TooMany => shell.text.login.wait,
        }
    }
}

/// `form#kc-otp-login-form` with the field `otp`.
#[derive(Clone, Debug, Template)]
#[template(path = "sign-in/code.html")]
pub struct Code<'a> {
    /// The realm's surroundings.
    pub shell: Shell<'a>,
    /// Where the form is posted.
    pub action: Link<'a>,
    /// Who is signing in, and to what.
    pub whom: Whom<'a>,
    /// Where the browser goes after the sign-in, when that is another origin.
    pub destination: Option<Destination<'a>>,
    /// Why the last code was not taken.
    pub problem: Option<CodeProblem>,
}

impl Code<'_> {
    /// The answer, 200 also after a wrong code (as Keycloak's).
    #[must_use]
    pub fn page(&self) -> Page {
        Page::of_step(self, &self.shell, self.destination.as_ref())
    }

    fn problem_text(&self) -> Option<&'static str> {
        self.problem.map(|problem| problem.text(self.shell.text.step.wrong_code, &self.shell))
    }
}

/// Why the last new password was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordProblem {
    /// The two entries differ.
    Different,
    /// There is none.
    Empty,
    /// It has fewer than eight characters.
    Short,
    /// It is the one that was to be replaced.
    Same,
    /// It is too long.
    Long,
}

/// `form#kc-passwd-update-form` with `password-new` and `password-confirm`.
#[derive(Clone, Debug, Template)]
#[template(path = "sign-in/new-password.html")]
pub struct NewPassword<'a> {
    /// The realm's surroundings.
    pub shell: Shell<'a>,
    /// Where the form is posted.
    pub action: Link<'a>,
    /// Who is signing in, and to what.
    pub whom: Whom<'a>,
    /// Where the browser goes after the sign-in, when that is another origin.
    pub destination: Option<Destination<'a>>,
    /// Whose password it is, for password managers.
    pub username: Entry<'a>,
    /// Whether it must have eight characters.
    pub eight: bool,
    /// Why the last one was not taken.
    pub problem: Option<PasswordProblem>,
}

impl NewPassword<'_> {
    /// The answer, 200 also after one that was not taken.
    #[must_use]
    pub fn page(&self) -> Page {
        Page::of_step(self, &self.shell, self.destination.as_ref())
    }

    fn instruction(&self) -> &'static str {
        let text = &self.shell.text.step;
        if self.whom.restart.is_some() { text.password_instruction } else { text.password_wished }
    }

    fn least_text(&self) -> Option<&'static str> {
        self.eight.then_some(self.shell.text.step.least)
    }

    fn problem_text(&self) -> Option<&'static str> {
        let text = &self.shell.text.step;
        self.problem.map(|problem| match problem {
            PasswordProblem::Different => text.different,
            PasswordProblem::Empty => text.empty,
            PasswordProblem::Short => text.short,
            PasswordProblem::Same => text.same,
            PasswordProblem::Long => text.long,
        })
    }
}
