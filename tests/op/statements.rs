//! What each endpoint asks of the database, as a table: so many statements, so many transactions that write, nothing
//! twice. A number that grows must be meant.

mod proofs;

use vestibule::clock::Timestamp;
use vestibule::store::Traffic;
use vestibule::testing::{Options, Reply, Rp, TestServer};

use crate::common::Scene;
use crate::database::Place;
use crate::on_both;

/// Statements of the server's own clockwork, which may fall into any measurement.
const CLOCKWORK: [&str; 3] = ["FROM configuration", "logout_outbox", "SELECT id, version FROM realms"];

pub(crate) fn is_clockwork(sql: &str) -> bool {
    CLOCKWORK.iter().any(|word| sql.contains(word))
}

/// One row of the table.
struct Cost {
    statements: usize,
    writes: usize,
}

fn of(traffic: &Traffic) -> Vec<&'static str> {
    traffic.statements.iter().filter(|sql| !is_clockwork(sql)).copied().collect()
}

struct Meter<'a> {
    server: &'a TestServer,
    wrong: Vec<String>,
}

impl Meter<'_> {
    fn begin(&self) {
        self.server.clock().advance(1);
        let _ = self.server.app().store.traffic();
    }

    /// Compares what was sent since [`Meter::begin`].
    fn end(&mut self, row: &str, cost: Cost) {
        let traffic = self.server.app().store.traffic();
        let sent = of(&traffic);
        let reads = sent.iter().filter(|sql| sql.starts_with("SELECT") || sql.starts_with("WITH"));
        let mut reads = reads.copied().collect::<Vec<_>>();
        let all = reads.len();
        reads.sort_unstable();
        reads.dedup();
        if reads.len() != all {
            self.wrong.push(format!("{row}: a query is repeated in {sent:#?}"));
        }
        if (sent.len(), traffic.writes) != (cost.statements, cost.writes) {
            let told = format!("{row}: {} statements and {} writes", sent.len(), traffic.writes);
            self.wrong.push(format!("{told}, not {} and {}: {sent:#?}", cost.statements, cost.writes));
        }
    }
}

fn cost(statements: usize, writes: usize) -> Cost {
    Cost { statements, writes }
}

#[track_caller]
fn ok(reply: &Reply) {
    assert!(matches!(reply.status.as_u16(), 200 | 201 | 303), "{}: {}", reply.status, reply.body);
}

async fn measured(place: &Place) {
    // A clock that the test moves, so that no session is used twice in one second by chance.
    let frozen_at = Some(Timestamp(1_800_000_000));
    let server = TestServer::with(Options { frozen_at, ..place.options() }).await.unwrap();
    let (mut browser, rp) = (server.browser(), server.rp("web", Some("web-secret")));
    let service = server.rp("service", Some("service-secret"));
    let consenting = server.rp("third-party", Some("third-party-secret"));
    // Once through everything, so that realms and clients are in memory.
    let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    service.tokens(&browser, &[("grant_type", "client_credentials")]).await.unwrap();
    consenting.sign_in(&mut server.browser(), "bob", "bob").await.unwrap();
    let scene = Scene { server, browser, rp, tokens };
    let mut meter = Meter { server: &scene.server, wrong: Vec::new() };
    pages(&scene, &mut meter).await;
    requests(&scene, &mut meter).await;
    tokens_of(&scene, &mut meter).await;
    assert!(meter.wrong.is_empty(), "{}", meter.wrong.join("\n"));
}

async fn pages(scene: &Scene, meter: &mut Meter<'_>) {
    let rp = &scene.rp;
    let mut fresh = scene.server.browser();
    meter.begin();
    let page = fresh.get(&rp.authorize_url()).await;
    meter.end("authorization, nobody signed in", cost(0, 0));
    meter.begin();
    ok(&fresh.post(&page.form_action(), &[("username", "alice"), ("password", "alice")]).await);
    meter.end("sign-in", cost(14, 2));
    meter.begin();
    ok(&fresh.get(&rp.authorize_url()).await);
    meter.end("authorization, signed in", cost(6, 1));
    meter.begin();
    ok(&fresh.get(&rp.authorize_url_with(&[("prompt", Some("none"))])).await);
    meter.end("authorization, silent", cost(6, 1));
    meter.begin();
    ok(&fresh.get(&format!("{}/account/", rp.issuer)).await);
    meter.end("account page", cost(4, 0));
    meter.begin();
    ok(&fresh.get(&rp.endpoint("logout")).await);
    meter.end("sign-out, the question", cost(1, 0));
    for (row, address) in [
        ("key set", rp.endpoint("certs")),
        ("metadata", format!("{}/.well-known/openid-configuration", rp.issuer)),
    ] {
        meter.begin();
        ok(&fresh.get(&address).await);
        meter.end(row, cost(0, 0));
    }
}

async fn requests(scene: &Scene, meter: &mut Meter<'_>) {
    let Scene { rp, browser, server, .. } = scene;
    let (spa, tv) = (server.rp("spa", None), server.rp("tv", None));
    // So that the clients are in memory.
    for rp in [&spa, &tv] {
        ok(&rp.post(browser, "revoke", &[("token", "x")]).await);
    }
    let mut pushed = String::new();
    for (row, rp, paid) in
        [("pushed request", rp.clone(), cost(1, 1)), ("pushed request, public client", spa, cost(2, 1))]
    {
        let parameters = rp.parameters();
        let fields = parameters.iter().filter(|(name, _)| rp.secret.is_some() || name != "client_id");
        let fields: Vec<(&str, &str)> = fields.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        meter.begin();
        let reply = rp.post(browser, "ext/par/request", &fields).await;
        meter.end(row, paid);
        ok(&reply);
        let reference = reply.json()["request_uri"].as_str().unwrap().to_owned();
        pushed = format!("{}?client_id={}&request_uri={reference}", rp.endpoint("auth"), rp.client_id);
    }
    meter.begin();
    ok(&browser.clone().get(&pushed).await);
    meter.end("authorization, pushed and signed in", cost(8, 1));
    meter.begin();
    let device = tv.device(browser).await.unwrap();
    meter.end("codes for a device", cost(3, 1));
    meter.begin();
    tv.poll(browser, &device).await.unwrap_err();
    meter.end("token, a device that waits", cost(3, 1));
    browser.clone().approve_device(&device, "alice", "alice").await;
    meter.begin();
    tv.poll(browser, &device).await.unwrap();
    meter.end("token, a device", cost(9, 1));
}

async fn tokens_of(scene: &Scene, meter: &mut Meter<'_>) {
    let Scene { rp, browser, .. } = scene;
    let service = scene.server.rp("service", Some("service-secret"));
    let code = browser.clone().get(&rp.authorize_url()).await.parameter("code").unwrap();
    meter.begin();
    let tokens = rp.redeem(browser, &code).await.unwrap();
    meter.end("token, code", cost(5, 1));
    meter.begin();
    let next = rp.refresh(browser, tokens.refresh_token()).await.unwrap();
    meter.end("token, refresh", cost(6, 1));
    meter.begin();
    service.tokens(browser, &[("grant_type", "client_credentials")]).await.unwrap();
    meter.end("token, service", cost(1, 0));
    meter.begin();
    ok(&rp.userinfo(browser, next.access_token()).await);
    meter.end("userinfo", cost(1, 0));
    meter.begin();
    ok(&rp.introspect(browser, next.access_token()).await);
    meter.end("introspection, access token", cost(1, 0));
    meter.begin();
    ok(&rp.introspect(browser, next.refresh_token()).await);
    meter.end("introspection, refresh token", cost(1, 0));
    // Refusals.
    for (row, token, paid) in [("an unknown code", "x", cost(1, 0)), ("another's word", "x.y.z", cost(1, 0))]
    {
        meter.begin();
        rp.redeem(browser, token).await.unwrap_err();
        meter.end(row, paid);
    }
    meter.begin();
    rp.refresh(browser, "x.y.z").await.unwrap_err();
    meter.end("a refresh token that is none", cost(0, 0));
    meter.begin();
    rp.userinfo(browser, "x.y.z").await;
    meter.end("an access token that is none", cost(0, 0));
    meter.begin();
    rp.refresh(browser, tokens.refresh_token()).await.unwrap();
    meter.end("token, refresh again within the window", cost(8, 1));
    meter.begin();
    ok(&rp.post(browser, "revoke", &[("token", next.access_token())]).await);
    meter.end("revocation", cost(3, 1));
    refused_codes(scene, meter).await;
}

/// Refusals that leave something: whatever it is, in one transaction with the proof that is used up.
async fn refused_codes(scene: &Scene, meter: &mut Meter<'_>) {
    let Scene { rp, browser, server, .. } = scene;
    let proven = Rp { dpop: Some(server.proof_key()), ..rp.clone() };
    for (case, rp, spends) in [("", rp, 0), (", with a proof", &proven, 1)] {
        let code = browser.clone().get(&rp.authorize_url()).await.parameter("code").unwrap();
        let guess = Rp { verifier: "x".repeat(43), ..rp.clone() };
        for (row, rp, paid) in [
            ("a wrong verifier", &guess, cost(3 + spends, 1)),
            ("a code", rp, cost(5 + spends, 1)),
            ("a code that comes again", rp, cost(6 + spends, 1)),
            ("and again", rp, cost(1 + spends, spends)),
        ] {
            meter.begin();
            let answer = rp.redeem(browser, &code).await;
            meter.end(&format!("{row}{case}"), paid);
            assert_eq!(answer.is_ok(), row == "a code", "{row}{case}");
        }
    }
}

on_both! {
    async fn what_each_endpoint_costs(place) {
        measured(&place).await;
    }
}
