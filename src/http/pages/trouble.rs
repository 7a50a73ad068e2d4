//! The page for whatever went wrong: what happened, what to do, and a reference to find it in the log.

use askama::Template;
use axum::http::StatusCode;

use super::address::Link;
use super::page::{Page, Permits};
use super::shell::Shell;
use super::text::TroubleText;
use super::words::{Entry, Name};

/// The kinds of trouble, each with its words and its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The request is malformed or asks for what is not served: 400.
    Request,
    /// The redirect URI is missing or not registered, so the browser stays here: 400.
    Redirect,
    /// The client is unknown or disabled: 400.
    Client,
    /// A form without the cookie or the token that proves where it came from: 403.
    Forged,
    /// An account that lacks something which cannot be done here: 403.
    Unfit,
    /// A step that is over, by time or because it was finished elsewhere: 400.
    Expired,
    /// A step whose browser did not bring the cookie that it was given: 400.
    NoCookie,
    /// No such page or realm: 404.
    Missing,
    /// An address that programs call by another method: 405.
    Method,
    /// Something that Keycloak may do and this server does not: 404.
    Absent,
    /// A name that this server does not answer for: 421.
    Host,
    /// A limit was reached: 429.
    Busy,
    /// Our fault: 500.
    Fault,
    /// Out of service for a moment: 503.
    Unavailable,
}

impl Trouble {
    /// The answer's status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Request | Self::Redirect | Self::Client | Self::Expired | Self::NoCookie => {
                StatusCode::BAD_REQUEST
            }
            Self::Forged | Self::Unfit => StatusCode::FORBIDDEN,
            Self::Missing | Self::Absent => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// What `dev` tells a developer about the cause. Never given by `serve`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint<'a> {
    /// The cause in one sentence.
    pub sentence: Entry<'a>,
    /// The values involved, one below the other.
    pub facts: Vec<Fact<'a>>,
}

/// A value with its label: `redirect_uri`, `http://localhost:3000/cb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<'a> {
    /// What the value is.
    pub label: Name<'a>,
    /// The value, cut at 512 characters.
    pub value: Entry<'a>,
}

/// A page that explains what went wrong.
#[derive(Clone, Debug, Template)]
#[template(path = "sign-in/trouble.html")]
pub struct TroublePage<'a> {
    /// The realm's surroundings, or the server's where no realm is known.
    pub shell: Shell<'a>,
    /// What kind of trouble.
    pub trouble: Trouble,
    /// What exactly, in a sentence that a person may read, such as an error's description.
    pub detail: Option<Name<'a>>,
    /// The request's identifier, to be found in the log.
    pub request_id: Option<Name<'a>>,
    /// The cause, for a developer.
    pub hint: Option<Hint<'a>>,
    /// Where to start again.
    pub again: Option<Link<'a>>,
    /// The app to go back to: its name and its home.
    pub back: Option<(Name<'a>, Link<'a>)>,
    /// The person's own page, where nothing else is known to go on to.
    pub account: Option<Link<'a>>,
}

impl<'a> TroublePage<'a> {
    /// A page with the kind's own words; set the other fields as needed.
    #[must_use]
    pub fn new(shell: Shell<'a>, trouble: Trouble) -> Self {
        Self {
            shell,
            trouble,
            detail: None,
            request_id: None,
            hint: None,
            again: None,
            back: None,
            account: None,
        }
    }

    /// The answer, with the kind's status.
    #[must_use]
    pub fn page(&self) -> Page {
        let permits = Permits::default().images([self.shell.brand.logo.as_ref()]);
        Page::render(self, permits).status(self.trouble.status())
    }

    fn again_text(&self) -> &'static str {
        match self.trouble {
            Trouble::Absent => self.shell.text.login.submit,
            Trouble::Missing | Trouble::Method => self.shell.text.trouble.overview,
            _ => self.shell.text.trouble.again,
        }
    }

    fn words(&self) -> &'static TroubleText {
        let texts = &self.shell.text.trouble;
        match self.trouble {
            Trouble::Request => &texts.request,
            Trouble::Redirect => &texts.redirect,
            Trouble::Client => &texts.client,
            Trouble::Forged => &texts.forged,
            Trouble::Unfit => &texts.unfit,
            Trouble::Expired => &texts.expired,
            Trouble::NoCookie => &texts.no_cookie,
            Trouble::Missing => &texts.missing,
            Trouble::Method => &texts.method,
            Trouble::Absent => &texts.absent,
            Trouble::Host => &texts.host,
            Trouble::Busy => &texts.busy,
            Trouble::Fault => &texts.fault,
            Trouble::Unavailable => &texts.unavailable,
        }
    }
}
