//! Z07: values that stand for a record say nothing of their own, so there is nothing in them to check before the database
//! is asked; a refresh token is signed, and is checked before. Of either kind, one that was changed anywhere is none.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use vestibule::testing::{Browser, Device, Rp, TestServer};

/// What is done to a value.
#[derive(Clone, Debug)]
enum Change {
    Put(usize, char),
    Drop(usize),
    Insert(usize, char),
    Cut(usize),
    Twice,
}

fn letter() -> impl Strategy<Value = char> {
    prop_oneof![prop::char::range('A', 'z'), prop::char::range('0', '9'), Just('-'), Just('é'), Just('%')]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any::<usize>(), letter()).prop_map(|(at, letter)| Change::Put(at, letter)),
        1 => any::<usize>().prop_map(Change::Drop),
        1 => (any::<usize>(), letter()).prop_map(|(at, letter)| Change::Insert(at, letter)),
        1 => any::<usize>().prop_map(Change::Cut),
        1 => Just(Change::Twice),
    ]
}

impl Change {
    /// The value with this done to it.
    fn of(&self, value: &str) -> String {
        let mut letters: Vec<char> = value.chars().collect();
        match *self {
            Self::Put(at, letter) => letters[at % value.len()] = letter,
            Self::Drop(at) => {
                letters.remove(at % value.len());
            }
            Self::Insert(at, letter) => letters.insert(at % (value.len() + 1), letter),
            Self::Cut(at) => letters.truncate(at % value.len()),
            Self::Twice => letters.extend(letters.clone()),
        }
        letters.into_iter().collect()
    }
}

/// One value of each kind, each good at its place.
struct Values {
    server: TestServer,
    web: Rp,
    tv: Rp,
    browser: Browser,
    code: String,
    refresh: String,
    device: Device,
    handle: String,
}

const KINDS: [&str; 5] = ["code", "refresh token", "device code", "handle", "session"];

impl Values {
    async fn new() -> Self {
        let server = TestServer::start().await.unwrap();
        let (web, tv) = (server.rp("web", Some("web-secret")), server.rp("tv", None));
        let mut browser = server.browser();
        let tokens = web.sign_in(&mut browser, "alice", "alice").await.unwrap();
        let code = browser.get(&web.authorize_url()).await.parameter("code").unwrap();
        let device = tv.device(&browser).await.unwrap();
        browser.approve_device(&device, "alice", "alice").await;
        let parameters = web.parameters();
        let fields = parameters.iter().filter(|(name, _)| name != "client_id");
        let fields: Vec<_> = fields.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let pushed = web.post(&browser, "ext/par/request", &fields).await.json();
        let handle = pushed["request_uri"].as_str().unwrap().to_owned();
        Self { server, web, tv, browser, code, refresh: tokens.refresh_token().to_owned(), device, handle }
    }

    fn good(&self, kind: &str) -> &str {
        match kind {
            "code" => &self.code,
            "refresh token" => &self.refresh,
            "device code" => &self.device.device_code,
            "handle" => &self.handle,
            _ => &self.browser.cookies()["main-sid"],
        }
    }

    /// Whether `value` opens what a value of this kind opens.
    async fn opens(&self, kind: &str, value: &str) -> bool {
        match kind {
            "code" => self.web.redeem(&self.browser, value).await.is_ok(),
            "refresh token" => self.web.refresh(&self.browser, value).await.is_ok(),
            "device code" => {
                let device = Device { device_code: value.to_owned(), ..self.device.clone() };
                self.tv.poll(&self.browser, &device).await.is_ok()
            }
            "handle" => {
                let mut query = form_urlencoded::Serializer::new(String::new());
                query.append_pair("client_id", "web").append_pair("request_uri", value);
                let address = format!("{}?{}", self.web.endpoint("auth"), query.finish());
                self.browser.clone().get(&address).await.parameter("code").is_some()
            }
            _ => {
                let mut thief = self.server.browser();
                // What no cookie can hold is not sent.
                let sent = value.bytes().all(|byte| byte.is_ascii_graphic());
                thief.set_cookie("main-sid", if sent { value } else { "x" });
                let silent = self.web.authorize_url_with(&[("prompt", Some("none"))]);
                thief.get(&silent).await.parameter("code").is_some()
            }
        }
    }
}

#[tokio::test]
async fn z07_a_value_that_was_changed_anywhere_is_none() {
    let values = Values::new().await;
    let mut runner = TestRunner::deterministic();
    for _ in 0..150 {
        let (kind, change) =
            (prop::sample::select(KINDS.to_vec()), change()).new_tree(&mut runner).unwrap().current();
        let good = values.good(kind);
        let changed = change.of(good);
        if changed == good {
            continue;
        }
        let _ = values.server.app().store.traffic();
        assert!(!values.opens(kind, &changed).await, "{kind}, {change:?}: {changed}");
        let traffic = values.server.app().store.traffic();
        let mut asked = traffic.statements.iter().filter(|sql| !crate::statements::is_clockwork(sql));
        if kind == "refresh token" {
            assert_eq!(asked.next(), None, "{change:?}: {changed}");
        }
        assert_eq!(traffic.writes, 0, "{kind}, {change:?}: {changed}");
    }
    for kind in KINDS {
        assert!(values.opens(kind, values.good(kind)).await, "no guess used up a {kind}");
    }
}
