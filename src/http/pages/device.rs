//! Connecting a device that has no browser (RFC 8628 §3.3): the code, the question, the end.

use askama::Template;

use super::address::Link;
use super::consent::Detail;
use super::page::{Page, Permits};
use super::shell::{Asker, Hidden, Shell};
use super::words::{Entry, Moment, Name};

/// Where a person types the code: `#device-user-code` (field `device_user_code`).
#[derive(Clone, Debug, Template)]
#[template(path = "sign-in/device-code.html")]
pub struct DeviceCode<'a> {
    /// The realm's surroundings.
    pub shell: Shell<'a>,
    /// Where the form is posted.
    pub action: Link<'a>,
    /// Fields to send along, such as the CSRF token.
    pub hidden: Vec<Hidden<'a>>,
    /// The code that came with the address (`verification_uri_complete`) or was typed before.
    pub code: Entry<'a>,
    /// Whether the last code was unknown, used or expired.
    pub unknown: bool,
}

impl<'a> DeviceCode<'a> {
    /// The answer.
    #[must_use]
    pub fn page(&self) -> Page {
        Page::render(self, Permits::default().images([self.shell.brand.logo.as_ref()]))
    }

    /// What stands in the field: a code that was refused, which the page names, would have to be deleted first.
    fn value(&self) -> Entry<'a> {
        if self.unknown { Entry::default() } else { self.code.clone() }
    }
}

/// The question, with what tells a person's own device from somebody else's (RFC 8628 §5.4).
#[derive(Clone, Debug, Template)]
#[template(path = "sign-in/device-confirm.html")]
pub struct DeviceConfirm<'a> {
    /// The realm's surroundings.
    pub shell: Shell<'a>,
    /// The app on the device.
    pub client: Asker<'a>,
    /// The signed-in person.
    pub user: Name<'a>,
    /// Where somebody else signs in and is asked instead.
    pub switch_account: Link<'a>,
    /// The code, to compare with the device's.
    pub code: Entry<'a>,
    /// The network address that the device's request came from.
    pub origin: Name<'a>,
    /// When it came.
    pub asked: Moment,
    /// One line for each thing that is asked.
    pub asks: Vec<Name<'a>>,
    /// What is asked in detail, below those lines.
    pub details: Vec<Detail<'a>>,
    /// Where the form is posted; its buttons are `#kc-login` (field `accept`) and `#kc-cancel` (field `cancel`).
    pub action: Link<'a>,
    /// Fields to send along, such as the code and the CSRF token.
    pub hidden: Vec<Hidden<'a>>,
}

impl DeviceConfirm<'_> {
    /// The answer.
    #[must_use]
    pub fn page(&self) -> Page {
        let logos = [self.shell.brand.logo.as_ref(), self.client.brand.logo.as_ref()];
        Page::render(self, Permits::default().images(logos))
    }
}

/// The end: connected, or not.
#[derive(Clone, Debug, Template)]
#[template(path = "sign-in/device-done.html")]
pub struct DeviceDone<'a> {
    /// The realm's surroundings.
    pub shell: Shell<'a>,
    /// The app's name.
    pub client: Name<'a>,
    /// What the person answered.
    pub approved: bool,
    /// The person's own page.
    pub account: Link<'a>,
}

impl DeviceDone<'_> {
    /// The answer.
    #[must_use]
    pub fn page(&self) -> Page {
        Page::render(self, Permits::default().images([self.shell.brand.logo.as_ref()]))
    }
}
