//! What an account may ask of its person at the sign-in: a device for codes, the terms, the profile. All carry Keycloak's
//! element names.

use askama::Template;

use super::address::{Destination, Link};
use super::page::Page;
use super::shell::Shell;
use super::step::{CodeProblem, Whom};
use super::words::Entry;

/// `form#kc-totp-settings-form` with `totp` and `userLabel`.
#[derive(Clone, Debug, Template)]
#[template(path = "sign-in/new-device.html")]
pub struct NewDevice<'a> {
    /// The realm's surroundings.
    pub shell: Shell<'a>,
    /// Where the form is posted.
    pub action: Link<'a>,
    /// Who is signing in, and to what.
    pub whom: Whom<'a>,
    /// Where the browser goes after the sign-in, when that is another origin.
    pub destination: Option<Destination<'a>>,
    /// Modules of a side of the picture of the key.
    pub size: usize,
    /// Its dark modules (see [`crate::qr::Qr::path`]).
    pub dark: &'a str,
    /// The key as people type it.
    pub key: &'a str,
    /// The key as an authenticator app on the same device takes it (`otpauth://…`).
    pub address: &'a str,
    /// Why the last code was not taken.
    pub problem: Option<CodeProblem>,
}

impl NewDevice<'_> {
    /// The answer, 200 also after a wrong code (as Keycloak's).
    #[must_use]
    pub fn page(&self) -> Page {
        Page::of_step(self, &self.shell, self.destination.as_ref())
    }

    fn problem_text(&self) -> Option<&'static str> {
        self.problem.map(|problem| problem.text(self.shell.text.required.wrong_code, &self.shell))
    }
}

/// `#kc-terms-text` with `#kc-accept` and `#kc-decline`.
#[derive(Clone, Debug, Template)]
#[template(path = "sign-in/terms.html")]
pub struct Terms<'a> {
    /// The realm's surroundings.
    pub shell: Shell<'a>,
    /// Where the form is posted.
    pub action: Link<'a>,
    /// Who is signing in, and to what.
    pub whom: Whom<'a>,
    /// Where the browser goes afterwards, when that is another origin.
    pub destination: Option<Destination<'a>>,
    /// The terms, as text; none when the realm has written none down.
    pub terms: Option<&'a str>,
    /// The terms of the app that asks (`tos_uri`).
    pub address: Option<Link<'a>>,
}

impl Terms<'_> {
    /// The answer.
    #[must_use]
    pub fn page(&self) -> Page {
        Page::of_step(self, &self.shell, self.destination.as_ref())
    }
}

/// Why a field was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldProblem {
    /// It is empty.
    Missing,
    /// It is longer than what is kept.
    Long,
    /// It is no e-mail address.
    Address,
    /// Somebody else has it.
    Taken,
    /// It holds what cannot be kept.
    Wrong,
}

impl FieldProblem {
    /// The problem by the name of Keycloak's message.
    #[must_use]
    pub fn named(message: &str) -> Self {
        match message {
            "error-user-attribute-required" => Self::Missing,
            "error-invalid-length" => Self::Long,
            "error-invalid-email" => Self::Address,
            "emailExistsMessage" => Self::Taken,
            _ => Self::Wrong,
        }
    }
}

/// A field with what was typed into it, and why that was not taken.
pub type Field<'a> = (Entry<'a>, Option<FieldProblem>);

/// `form#kc-update-profile-form` with `email`, `firstName` and `lastName`.
#[derive(Clone, Debug, Template)]
#[template(path = "sign-in/profile.html")]
pub struct CompleteProfile<'a> {
    /// The realm's surroundings.
    pub shell: Shell<'a>,
    /// Where the form is posted.
    pub action: Link<'a>,
    /// Who is signing in, and to what.
    pub whom: Whom<'a>,
    /// Where the browser goes after the sign-in, when that is another origin.
    pub destination: Option<Destination<'a>>,
    /// The e-mail address.
    pub email: Field<'a>,
    /// The first name.
    pub first_name: Field<'a>,
    /// The last name.
    pub last_name: Field<'a>,
}

/// A field as the template shows it.
struct Input<'a> {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    complete: &'static str,
    value: &'a Entry<'a>,
    problem: Option<&'static str>,
}

impl CompleteProfile<'_> {
    /// The answer, 200 also after one that was not taken.
    #[must_use]
    pub fn page(&self) -> Page {
        Page::of_step(self, &self.shell, self.destination.as_ref())
    }

    fn inputs(&self) -> [Input<'_>; 3] {
        let text = &self.shell.text.required;
        let told = |problem: Option<FieldProblem>| {
            problem.map(|problem| match problem {
                FieldProblem::Missing => text.missing,
                FieldProblem::Long => text.too_long,
                FieldProblem::Address => text.no_address,
                FieldProblem::Taken => text.taken,
                FieldProblem::Wrong => text.wrong,
            })
        };
        let rows = [
            ("email", self.shell.text.account.email, "email", "email", &self.email),
            ("firstName", text.first_name, "text", "given-name", &self.first_name),
            ("lastName", text.last_name, "text", "family-name", &self.last_name),
        ];
        rows.map(|(name, label, kind, complete, (value, problem))| Input {
            name,
            label,
            kind,
            complete,
            value,
            problem: told(*problem),
        })
    }
}
