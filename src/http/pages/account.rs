//! A person's own page: profile, apps with access, sessions.

use askama::Template;

use super::address::Link;
use super::page::{Page, Permits};
use super::shell::{Brand, Hidden, Shell};
use super::words::{Moment, Name};

/// Who the page belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile<'a> {
    /// The name that people read, where there is another than the one to sign in with.
    pub name: Option<Name<'a>>,
    /// The name to sign in with.
    pub username: Name<'a>,
    /// The address, and whether it was verified.
    pub email: Option<(Name<'a>, bool)>,
}

/// An app that the person allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App<'a> {
    /// Name and logo.
    pub brand: Brand<'a>,
    /// `client_uri`.
    pub home: Option<Link<'a>>,
    /// One line for each thing that was allowed.
    pub allowed: Vec<Name<'a>>,
    /// Since when.
    pub granted: Moment,
    /// Where "Withdraw" is posted.
    pub action: Link<'a>,
    /// The value of the field `id`.
    pub id: &'a str,
}

/// A browser in which the person is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn<'a> {
    /// The `User-Agent` header of the sign-in.
    pub user_agent: &'a str,
    /// The network address.
    pub address: Name<'a>,
    /// When the session began.
    pub started: Moment,
    /// When it was last used.
    pub seen: Moment,
    /// Whether the page itself was asked for from it.
    pub this_one: bool,
    /// Where "Sign out" is posted.
    pub action: Link<'a>,
    /// The value of the field `id`.
    pub id: &'a str,
}

/// What the person has just done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Took back an app's access.
    Withdrawn,
    /// Ended a session.
    Ended,
    /// Changed what belongs to the account.
    Saved,
}

/// The account page. Each of its forms carries `hidden` and, where it is about one thing, the field `id`.
#[derive(Clone, Debug, Template)]
#[template(path = "account/overview.html")]
pub struct Account<'a> {
    /// The realm's surroundings.
    pub shell: Shell<'a>,
    /// Who.
    pub profile: Profile<'a>,
    /// Where profile and password are changed, and an authenticator app is set up; none for who may not.
    pub changes: Option<[Link<'a>; 3]>,
    /// Apps with access.
    pub apps: Vec<App<'a>>,
    /// Where the person is signed in.
    pub sessions: Vec<SignedIn<'a>>,
    /// Where "Sign out everywhere" is posted.
    pub end_all: Link<'a>,
    /// Fields of every form, such as the CSRF token.
    pub hidden: Vec<Hidden<'a>>,
    /// What has just been done.
    pub done: Option<Done>,
    /// The app that sent the person here, and the way back to it.
    pub back: Option<(Name<'a>, Link<'a>)>,
}

impl Account<'_> {
    /// The answer.
    #[must_use]
    pub fn page(&self) -> Page {
        let logos =
            self.apps.iter().map(|app| app.brand.logo.as_ref()).chain([self.shell.brand.logo.as_ref()]);
        Page::render(self, Permits::default().images(logos).alone())
    }

    fn done_text(&self) -> Option<&'static str> {
        self.done.map(|done| match done {
            Done::Withdrawn => self.shell.text.account.withdrawn,
            Done::Ended => self.shell.text.account.ended,
            Done::Saved => self.shell.text.account.saved,
        })
    }

    fn change_links(&self) -> Option<[(&Link<'_>, &'static str); 3]> {
        let text = &self.shell.text.account;
        let [profile, password, device] = self.changes.as_ref()?;
        Some([(profile, text.change_profile), (password, text.change_password), (device, text.set_up_device)])
    }

    fn browser_text(&self, session: &SignedIn<'_>) -> String {
        let text = &self.shell.text.account;
        match browser(session.user_agent) {
            (Some(program), Some(system)) => format!("{program} {} {system}", text.browser_on),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => text.unknown_browser.to_owned(),
        }
    }
}

/// The browser and the system that a `User-Agent` header names, as far as it is a known one. The order matters:
/// most browsers also claim to be those that come after them.
#[must_use]
pub fn browser(user_agent: &str) -> (Option<&'static str>, Option<&'static str>) {
    const PROGRAMS: [(&str, &str); 10] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Vivaldi/", "Vivaldi"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let named = |list: &[(&str, &'static str)]| {
        list.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    (named(&PROGRAMS), named(&SYSTEMS))
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn user_agents_are_told_apart() {
        let rows = [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                (Some("Chrome"), Some("Linux")),
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
                 Safari/537.36 Edg/140.0.0.0",
                (Some("Edge"), Some("Windows")),
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 \
                 Safari/605.1.15",
                (Some("Safari"), Some("macOS")),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 FxiOS/130.0 Mobile/15E148 Safari/605.1.15",
                (Some("Firefox"), Some("iPhone")),
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile \
                 Safari/537.36",
                (Some("Chrome"), Some("Android")),
            ),
            ("curl/8.5.0", (Some("curl"), None)),
            ("", (None, None)),
        ];
        for (user_agent, expected) in rows {
            assert_eq!(browser(user_agent), expected, "{user_agent}");
        }
    }
}
