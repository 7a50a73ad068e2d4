//! Authorization codes at the token endpoint: rows P06 and P07.

use vestibule::testing::{Browser, Rp, TestServer, Tokens};

use crate::common::{Scene, is_error};
use crate::on_both;

/// A good code of the scene's app, and what proves it.
async fn code(scene: &mut Scene) -> String {
    scene.browser.get(&scene.rp.authorize_url()).await.parameter("code").unwrap()
}

#[tokio::test]
async fn p06_a_code_that_was_changed_in_one_place_is_none() {
    let mut scene = Scene::new().await;
    let (first, second) = (code(&mut scene).await, code(&mut scene).await);
    let half = first.len() / 2;
    let mut forged = vec![
        ("one shorter", first[..first.len() - 1].to_owned()),
        ("one longer", format!("{first}A")),
        ("padded", format!("{first}=")),
        ("a space", format!(" {first}")),
        ("halves swapped", format!("{}{}", &first[..half], &second[half..])),
        ("halves swapped", format!("{}{}", &second[..half], &first[half..])),
        ("twice", format!("{first}{first}")),
        ("another letter case", first.to_lowercase()),
        ("long", "x".repeat(8_000)),
    ];
    for at in 0..first.len() {
        let other = if first.as_bytes()[at] == b'A' { "B" } else { "A" };
        forged.push(("one letter", format!("{}{other}{}", &first[..at], &first[at + 1..])));
    }
    for (case, forged) in &forged {
        let refused = scene.rp.redeem(&scene.browser, forged).await.unwrap_err();
        is_error(&refused, 400, "invalid_grant", &format!("{case}: {forged}"));
    }
    for good in [first, second] {
        assert!(scene.rp.redeem(&scene.browser, &good).await.is_ok(), "no guess burns a code");
    }
}

/// Each kind of value is good at its own place alone.
#[tokio::test]
async fn p06_no_value_counts_as_one_of_another_kind() {
    let mut scene = Scene::new().await;
    let good = code(&mut scene).await;
    let page = scene.browser.open(&scene.rp.authorize_url_with(&[("prompt", Some("login"))])).await;
    let action = page.form_action();
    let pending = form_urlencoded::parse(action.split_once('?').unwrap().1.as_bytes())
        .find(|(name, _)| name == "session_code")
        .unwrap()
        .1
        .into_owned();
    let claims = scene.tokens.access_claims();
    let values = [
        ("code", good.clone()),
        ("refresh token", scene.tokens.refresh_token().to_owned()),
        ("refresh token's identifier", {
            let refresh = vestibule::testing::claims(scene.tokens.refresh_token());
            refresh["jti"].as_str().unwrap().to_owned()
        }),
        ("access token", scene.tokens.access_token().to_owned()),
        ("ID token", scene.tokens.id_token().to_owned()),
        ("session", claims["sid"].as_str().unwrap().to_owned()),
        ("session cookie", scene.browser.cookies()["main-sid"].clone()),
        ("browser cookie", scene.browser.cookies()["main-auth"].clone()),
        ("pending request", pending),
    ];
    let service = scene.server.rp("api", Some("api-secret"));
    for (kind, value) in &values {
        if *kind != "code" {
            let reply = scene.rp.redeem(&scene.browser, value).await.unwrap_err();
            is_error(&reply, 400, "invalid_grant", &format!("{kind} as code"));
        }
        if *kind != "refresh token" {
            let reply = scene.rp.refresh(&scene.browser, value).await.unwrap_err();
            is_error(&reply, 400, "invalid_grant", &format!("{kind} as refresh token"));
        }
        if *kind != "access token" {
            let reply = scene.rp.userinfo(&scene.browser, value).await;
            assert_eq!(reply.status, 401, "{kind} as access token: {}", reply.body);
            let reply = service.introspect(&scene.browser, value).await;
            assert_eq!(reply.body, r#"{"active":false}"#, "{kind} at introspection");
        }
        let mut fresh = scene.server.browser();
        if *kind != "session cookie" {
            fresh.set_cookie("main-sid", value);
            let silent = scene.rp.authorize_url_with(&[("prompt", Some("none"))]);
            let reply = fresh.get(&silent).await;
            assert_eq!(reply.parameter("error").as_deref(), Some("login_required"), "{kind} as session");
        }
        if *kind != "pending request" {
            let address = format!(
                "{}/login-actions/authenticate?{}",
                scene.rp.issuer,
                form_urlencoded::Serializer::new(String::new()).append_pair("session_code", value).finish()
            );
            let reply = scene.browser.get(&address).await;
            assert_eq!(reply.status, 400, "{kind} as pending request");
        }
    }
    assert!(scene.rp.redeem(&scene.browser, &good).await.is_ok(), "and none of it spent the code");
}

/// The one answer that is good, of fifty that are asked for at once at one node or at two; with the app as it knows the
/// node that gave it.
async fn redeem_together(nodes: &[&TestServer], rp: &Rp, code: &str) -> (Rp, Browser, Tokens) {
    let calls = (0..50).map(|at| {
        let node = nodes[at % nodes.len()];
        let (rp, browser) = (Rp { issuer: node.issuer("main"), ..rp.clone() }, node.browser());
        let code = code.to_owned();
        tokio::spawn(async move {
            let answer = rp.redeem(&browser, &code).await;
            (rp, browser, answer)
        })
    });
    let mut good = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        let (rp, browser, answer) = call.await.unwrap();
        match answer {
            Ok(tokens) => good.push((rp, browser, tokens)),
            Err(refused) => is_error(&refused, 400, "invalid_grant", "P07 a loser"),
        }
    }
    assert_eq!(good.len(), 1, "P07 one winner");
    good.remove(0)
}

on_both! {
    async fn p07_one_of_fifty_requests_redeems_a_code_and_the_family_ends(place) {
        let one = place.start().await;
        // A SQLite file belongs to one server; Postgres serves several.
        let two = if place.is_postgres() { Some(place.start().await) } else { None };
        let nodes = [Some(&one), two.as_ref()].into_iter().flatten().collect::<Vec<_>>();
        let (mut browser, rp) = (one.browser(), one.rp("web", Some("web-secret")));
        rp.authorize(&mut browser, "alice", "alice").await;
        for _ in 0..3 {
            let code = browser.get(&rp.authorize_url()).await.parameter("code").unwrap();
            let (rp, browser, tokens) = redeem_together(&nodes, &rp, &code).await;
            // The replays ended what the winner got, as P04a says: never some tokens alive and some dead.
            assert_eq!(rp.userinfo(&browser, tokens.access_token()).await.status, 401);
            is_error(&rp.refresh(&browser, tokens.refresh_token()).await.unwrap_err(), 400, "invalid_grant", "P07");
        }
    }
}
