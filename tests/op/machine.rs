//! Z06: whatever happens to codes, refresh tokens and devices, in whatever order, the server does what a small model says
//! (reliability I2 to I4, decisions D1 and D2). The model is the specification: it knows nothing of SQL.

mod device;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Runtime;
use vestibule::clock::Timestamp;
use vestibule::store::Change;
use vestibule::testing::{Device, Options, Rp, TestServer, Tokens};

use crate::common::{realm, user};
use crate::database::Place;

const INACTIVE: &str = r#"{"active":false}"#;

/// Spans of the realm's defaults, in seconds.
const CODE: i64 = 60;
const ACCESS: i64 = 300;
const IDLE: i64 = 1_800;

/// Who asks.
#[derive(Clone, Copy, Debug)]
enum Who {
    Owner,
    Stranger,
}

/// Which of the codes or tokens that are there: most stories are about the last ones.
#[derive(Clone, Copy, Debug)]
enum Pick {
    Last,
    LastButOne,
    Any(usize),
}

impl Pick {
    fn of(self, count: usize) -> usize {
        match self {
            Self::Last => count - 1,
            Self::LastButOne => count.saturating_sub(2),
            Self::Any(at) => at % count,
        }
    }
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    Authorize,
    Redeem { code: Pick, who: Who, verifier: bool, times: usize },
    Refresh { token: Pick, who: Who },
    Revoke { token: Pick, who: Who },
    SignOut,
    User(bool),
    Client(bool),
    Device(device::Act),
    Wait(i64),
    Restart,
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![5 => Just(Who::Owner), 1 => Just(Who::Stranger)]
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![4 => Just(Pick::Last), 3 => Just(Pick::LastButOne), 2 => (0..8_usize).prop_map(Pick::Any)]
}

fn step() -> impl Strategy<Value = Step> {
    let redeem = |verifier: bool, times: std::ops::Range<usize>| {
        (pick(), who(), times).prop_map(move |(code, who, times)| Step::Redeem { code, who, verifier, times })
    };
    prop_oneof![
        3 => Just(Step::Authorize),
        5 => redeem(true, 1..2),
        2 => redeem(false, 1..7),
        9 => (pick(), who()).prop_map(|(token, who)| Step::Refresh { token, who }),
        1 => (pick(), who()).prop_map(|(token, who)| Step::Revoke { token, who }),
        1 => Just(Step::SignOut),
        1 => any::<bool>().prop_map(Step::User),
        1 => any::<bool>().prop_map(Step::Client),
        5 => device::act().prop_map(Step::Device),
        3 => prop::sample::select(vec![1, 5, 9, 10, 10, 11, 59, 60]).prop_map(Step::Wait),
        1 => prop::sample::select(vec![299, 300, 599, 600, 1_700, 1_799, 1_800]).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

/// What a session of the model is.
struct Session {
    seen: i64,
    ended: bool,
}

struct Family {
    revoked: bool,
    session: usize,
}

struct Code {
    family: usize,
    issued: i64,
    redeemed: bool,
    failures: u32,
}

struct Token {
    family: usize,
    predecessor: Option<usize>,
    expires: i64,
    access_until: i64,
    used: Option<i64>,
    superseded: bool,
}

/// What must come of a request.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Tokens,
    Done,
    Refused(u16, &'static str),
}

const INVALID_GRANT: Outcome = Outcome::Refused(400, "invalid_grant");
const INVALID_CLIENT: Outcome = Outcome::Refused(401, "invalid_client");

/// The specification.
struct Model {
    now: i64,
    window: i64,
    user: bool,
    client: bool,
    sessions: Vec<Session>,
    families: Vec<Family>,
    codes: Vec<Code>,
    tokens: Vec<Token>,
    devices: Vec<device::Asked>,
}

impl Model {
    fn lives(&self, session: usize) -> bool {
        let session = &self.sessions[session];
        !session.ended && self.now < session.seen + IDLE
    }

    /// Whether what hangs on the family counts.
    fn stands(&self, family: usize) -> bool {
        !self.families[family].revoked && self.user && self.lives(self.families[family].session)
    }

    fn issue(&mut self, family: usize, predecessor: Option<usize>) {
        let expires = self.now + IDLE;
        let access_until = self.now + ACCESS;
        self.tokens.push(Token { family, predecessor, expires, access_until, used: None, superseded: false });
    }

    fn redeem(&mut self, at: usize, who: Who, verifier: bool) -> Outcome {
        match who {
            Who::Stranger => return INVALID_GRANT,
            Who::Owner if !self.client => return INVALID_CLIENT,
            Who::Owner => {}
        }
        let family = self.codes[at].family;
        let code = &mut self.codes[at];
        if self.now >= code.issued + CODE || code.failures >= 5 || self.families[family].revoked {
            return INVALID_GRANT;
        }
        if !verifier {
            // D2: a guess burns nothing but itself, and after the first use it is no guess any more.
            code.failures += u32::from(!code.redeemed);
            return INVALID_GRANT;
        }
        if code.redeemed {
            // P04a: only a wholly valid second use ends what the first one got.
            self.families[family].revoked = true;
            return INVALID_GRANT;
        }
        if !self.stands(family) {
            return INVALID_GRANT;
        }
        self.codes[at].redeemed = true;
        self.issue(family, None);
        Outcome::Tokens
    }

    fn refresh(&mut self, at: usize, who: Who) -> Outcome {
        match who {
            Who::Stranger => return INVALID_GRANT,
            Who::Owner if !self.client => return INVALID_CLIENT,
            Who::Owner => {}
        }
        let (family, now) = (self.tokens[at].family, self.now);
        if now >= self.tokens[at].expires || !self.stands(family) {
            return INVALID_GRANT;
        }
        let token = &mut self.tokens[at];
        if token.used.is_none() && !token.superseded {
            token.used = Some(now);
        } else {
            // D1: again within the window, while nobody used its successor; that one dies.
            let within = self.window > 0 && token.used.is_some_and(|used| used >= now - self.window);
            let live = |other: &&mut Token| {
                other.predecessor == Some(at) && other.used.is_none() && !other.superseded
            };
            let may = within && !self.tokens[at].superseded;
            match self.tokens.iter_mut().find(live).filter(|_| may) {
                Some(successor) => successor.superseded = true,
                None => {
                    self.families[family].revoked = true;
                    return INVALID_GRANT;
                }
            }
        }
        let session = self.families[family].session;
        self.sessions[session].seen = now;
        self.issue(family, Some(at));
        Outcome::Tokens
    }

    fn revoke(&mut self, at: usize, who: Who) -> Outcome {
        let family = self.tokens[at].family;
        match who {
            Who::Owner if !self.client => return INVALID_CLIENT,
            // RFC 7009 §2.2: the token of a client that is switched off is none to refuse.
            Who::Stranger if !self.client => {}
            Who::Stranger => return INVALID_GRANT,
            Who::Owner => self.families[family].revoked = true,
        }
        Outcome::Done
    }
}

/// The real one, beside its model.
struct Machine<'a> {
    place: &'a Place,
    server: TestServer,
    owner: Rp,
    stranger: Rp,
    browser: vestibule::testing::Browser,
    model: Model,
    codes: Vec<String>,
    tokens: Vec<Tokens>,
    tv: Rp,
    devices: Vec<Device>,
    of_devices: Vec<device::OfDevice>,
}

async fn start(place: &Place, now: i64) -> TestServer {
    let frozen_at = Some(Timestamp(now));
    TestServer::with(Options { frozen_at, ..place.options() }).await.unwrap()
}

impl<'a> Machine<'a> {
    async fn new(place: &'a Place, server: TestServer, window: i64) -> Self {
        let now = server.app().clock.now().0;
        let model = Model {
            now,
            window,
            user: true,
            client: true,
            sessions: Vec::new(),
            families: Vec::new(),
            codes: Vec::new(),
            tokens: Vec::new(),
            devices: Vec::new(),
        };
        let mut settings = realm(&server).await;
        settings.settings.refresh_retry_window = window;
        server.app().commit(vec![Change::PutRealm { realm: settings, at: Timestamp(now) }]).await.unwrap();
        let (owner, stranger) =
            (server.rp("web", Some("web-secret")), server.rp("third-party", Some("third-party-secret")));
        let mut machine = Self {
            place,
            browser: server.browser(),
            tv: server.rp("tv", None),
            server,
            owner,
            stranger,
            model,
            codes: Vec::new(),
            tokens: Vec::new(),
            devices: Vec::new(),
            of_devices: Vec::new(),
        };
        machine.switch_user(true).await;
        machine.switch_client(true).await;
        machine
    }

    async fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Authorize => self.authorize().await,
            Step::Redeem { code, who, verifier, times } if !self.codes.is_empty() => {
                let at = code.of(self.codes.len());
                let mut rp = self.rp(who);
                // The stranger knows everything but the owner's secret.
                rp.verifier = if verifier { self.owner.verifier.clone() } else { "x".repeat(43) };
                for _ in 0..times {
                    let expected = self.model.redeem(at, who, verifier);
                    let answer = rp.redeem(&self.server.browser(), &self.codes[at]).await;
                    self.compare(&expected, answer.map_err(|reply| *reply), step)?;
                }
            }
            Step::Refresh { token, who } if !self.tokens.is_empty() => {
                let at = token.of(self.tokens.len());
                let expected = self.model.refresh(at, who);
                let answer =
                    self.rp(who).refresh(&self.server.browser(), self.tokens[at].refresh_token()).await;
                self.compare(&expected, answer.map_err(|reply| *reply), step)?;
            }
            Step::Revoke { token, who } if !self.tokens.is_empty() => {
                let at = token.of(self.tokens.len());
                let expected = self.model.revoke(at, who);
                let token = self.tokens[at].refresh_token();
                let reply = self.rp(who).post(&self.server.browser(), "revoke", &[("token", token)]).await;
                let told = match reply.status.as_u16() {
                    200 => Outcome::Done,
                    status => Outcome::Refused(status, known(reply.json()["error"].as_str())),
                };
                prop_assert_eq!(told, expected, "{:?}", step);
            }
            Step::SignOut => {
                let question = self.browser.open(&self.owner.endpoint("logout")).await;
                self.browser.submit(&question, &[("confirmLogout", "1")]).await;
                if let Some(session) = self.current().filter(|at| self.lives(*at)) {
                    self.model.sessions[session].ended = true;
                }
            }
            Step::Device(act) => self.device(act).await?,
            Step::User(enabled) => self.switch_user(enabled).await,
            Step::Client(enabled) => self.switch_client(enabled).await,
            Step::Wait(seconds) => {
                self.server.clock().advance(seconds);
                self.model.now += seconds;
            }
            Step::Restart => self.restart().await,
            _ => {}
        }
        Ok(())
    }

    fn rp(&self, who: Who) -> Rp {
        let rp = if matches!(who, Who::Owner) { &self.owner } else { &self.stranger };
        Rp { redirect_uri: self.owner.redirect_uri.clone(), ..rp.clone() }
    }

    /// The session of the browser, if the model knows of one.
    fn current(&self) -> Option<usize> {
        self.model.sessions.len().checked_sub(1)
    }

    fn lives(&self, session: usize) -> bool {
        self.model.user && self.model.lives(session)
    }

    /// A code by the browser's session, or by a new one.
    async fn authorize(&mut self) {
        if !self.model.user || !self.model.client {
            return;
        }
        let session = match self.current().filter(|at| self.lives(*at)) {
            Some(session) => session,
            None => {
                self.model.sessions.push(Session { seen: self.model.now, ended: false });
                self.model.sessions.len() - 1
            }
        };
        let answer = self.owner.authorize(&mut self.browser, "alice", "alice").await;
        self.codes.push(answer.parameter("code").unwrap_or_else(|| panic!("no code: {}", answer.body)));
        self.model.sessions[session].seen = self.model.now;
        self.model.families.push(Family { revoked: false, session });
        let family = self.model.families.len() - 1;
        self.model.codes.push(Code { family, issued: self.model.now, redeemed: false, failures: 0 });
    }

    fn compare(
        &mut self,
        expected: &Outcome,
        answer: Result<Tokens, vestibule::testing::Reply>,
        step: Step,
    ) -> Result<(), TestCaseError> {
        let told = match answer {
            Ok(tokens) => {
                self.tokens.push(tokens);
                Outcome::Tokens
            }
            Err(reply) => Outcome::Refused(reply.status.as_u16(), known(reply.json()["error"].as_str())),
        };
        prop_assert_eq!(&told, expected, "{:?}", step);
        Ok(())
    }

    async fn switch_user(&mut self, enabled: bool) {
        let mut alice = user(&self.server, "alice").await;
        alice.enabled = enabled;
        self.server.app().commit(vec![Change::PutUser(Box::new(alice))]).await.unwrap();
        self.model.user = enabled;
    }

    async fn switch_client(&mut self, enabled: bool) {
        let realm = realm(&self.server).await;
        let store = &self.server.app().store;
        let mut client = store.client_by_client_id(&realm.id, "web").await.unwrap().unwrap();
        client.enabled = enabled;
        let at = self.server.app().clock.now();
        self.server.app().commit(vec![Change::PutClient { client: Box::new(client), at }]).await.unwrap();
        self.model.client = enabled;
    }

    /// Another process on what the last one committed.
    async fn restart(&mut self) {
        let cookies = self.browser.cookies().clone();
        self.server.app().store.close().await;
        self.server = start(self.place, self.model.now).await;
        self.browser = self.server.browser();
        for (name, value) in &cookies {
            self.browser.set_cookie(name, value);
        }
        for rp in [&mut self.owner, &mut self.stranger, &mut self.tv] {
            rp.issuer = self.server.issuer("main");
        }
        self.move_devices();
        // The demo realm's file is applied at each start, and says nothing of who is enabled.
        let mut settings = realm(&self.server).await;
        assert_eq!(user(&self.server, "alice").await.enabled, self.model.user);
        settings.settings.refresh_retry_window = self.model.window;
        let at = Timestamp(self.model.now);
        self.server.app().commit(vec![Change::PutRealm { realm: settings, at }]).await.unwrap();
    }

    /// Every token is as good as the model says.
    async fn check(&mut self) -> Result<(), TestCaseError> {
        self.switch_client(true).await;
        let browser = self.server.browser();
        for (at, tokens) in self.tokens.iter().enumerate() {
            let token = &self.model.tokens[at];
            let stands = self.model.stands(token.family);
            let unused = token.used.is_none() && !token.superseded && self.model.now < token.expires;
            let told = self.owner.introspect(&browser, tokens.refresh_token()).await.body != INACTIVE;
            prop_assert_eq!(told, stands && unused, "refresh token {}", at);
            let told = self.owner.userinfo(&browser, tokens.access_token()).await.status == 200;
            prop_assert_eq!(told, stands && self.model.now < token.access_until, "access token {}", at);
        }
        // I3: at most one token of a family lives.
        for family in 0..self.model.families.len() {
            let of_it = self.model.tokens.iter().filter(|token| token.family == family);
            let live = of_it.filter(|token| token.used.is_none() && !token.superseded).count();
            prop_assert!(live <= 1, "family {} has {} live tokens", family, live);
        }
        self.check_devices().await
    }
}

fn known(error: Option<&str>) -> &'static str {
    let known = [
        "invalid_grant",
        "invalid_client",
        "invalid_request",
        "authorization_pending",
        "slow_down",
        "access_denied",
        "expired_token",
    ];
    known.into_iter().find(|one| Some(*one) == error).unwrap_or("another")
}

/// Runs `cases` random stories on one database, or as many as `VESTIBULE_STORIES` says.
fn run(place: &Place, runtime: &Runtime, cases: u32) {
    let cases = std::env::var("VESTIBULE_STORIES").ok().and_then(|many| many.parse().ok()).unwrap_or(cases);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let clock = std::cell::Cell::new(1_800_000_000);
    let server = std::cell::RefCell::new(Some(runtime.block_on(start(place, clock.get()))));
    let stories = (prop::sample::select(vec![0_i64, 10]), prop::collection::vec(step(), 1..24));
    TestRunner::new(config)
        .run(&stories, |(window, steps)| {
            let last = server.borrow_mut().take();
            runtime.block_on(async {
                let begun = match last {
                    Some(server) => server,
                    None => start(place, clock.get()).await,
                };
                let mut machine = Machine::new(place, begun, window).await;
                machine.authorize().await;
                let mut outcome = Ok(());
                for step in &steps {
                    outcome = machine.step(*step).await;
                    if outcome.is_err() {
                        break;
                    }
                }
                if outcome.is_ok() {
                    outcome = machine.check().await;
                }
                // The next story begins where nobody is signed in any more.
                clock.set(machine.model.now + 10);
                machine.server.clock().advance(10);
                *server.borrow_mut() = Some(machine.server);
                outcome
            })
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn z06_codes_and_refresh_tokens_do_what_the_model_says_on_sqlite() {
    run(&Place::sqlite(), &runtime(), 64);
}

#[test]
fn z06_codes_and_refresh_tokens_do_what_the_model_says_on_postgres() {
    let runtime = runtime();
    if let Some(place) = runtime.block_on(Place::postgres()) {
        run(&place, &runtime, 12);
    }
}
