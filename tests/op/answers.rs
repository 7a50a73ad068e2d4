//! What every answer in JSON carries (hardening §4.3), and which origins may read which (row C08).

use axum::http::Method;
use vestibule::protocol::client::Client;
use vestibule::store::Change;
use vestibule::testing::Reply;

use crate::common::Scene;

async fn answers(scene: &Scene) -> Vec<(&'static str, Reply)> {
    let Scene { rp, browser, tokens, .. } = scene;
    let service = scene.server.rp("service", Some("service-secret"));
    let wrong = scene.server.rp("web", Some("wrong"));
    let form = [("grant_type", "client_credentials")];
    vec![
        ("token", service.token_request(browser, &form).await),
        ("token refused", wrong.token_request(browser, &form).await),
        ("introspection", rp.introspect(browser, tokens.access_token()).await),
        ("introspection of nothing", rp.introspect(browser, "x").await),
        ("introspection refused", wrong.introspect(browser, "x").await),
        ("userinfo", rp.userinfo(browser, tokens.access_token()).await),
        ("userinfo refused", rp.userinfo(browser, "x").await),
        ("userinfo without a token", scene.server.browser().get(&rp.endpoint("userinfo")).await),
        ("revocation", rp.post(browser, "revoke", &[("token", "x")]).await),
        ("revocation refused", wrong.post(browser, "revoke", &[("token", "x")]).await),
        ("pushed request refused", wrong.post(browser, "ext/par/request", &[]).await),
    ]
}

#[tokio::test]
async fn answers_of_the_protocol_are_kept_by_nobody_and_taken_for_nothing_else() {
    let scene = Scene::new().await;
    for (name, reply) in answers(&scene).await {
        assert_eq!(reply.header("cache-control"), "no-store", "{name}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{name}");
        assert!(!reply.header("x-request-id").is_empty(), "{name}");
        let kind = reply.header("content-type");
        assert!(kind == "application/json" || reply.body.is_empty(), "{name}: {kind}");
        assert!(reply.headers.get("set-cookie").is_none(), "{name}");
        assert!(reply.headers.get("server").is_none(), "{name}");
        if reply.status == 401 {
            assert!(!reply.header("www-authenticate").is_empty(), "{name}");
        }
    }
}

#[tokio::test]
async fn public_documents_are_kept_for_a_while_and_read_by_any_script() {
    let scene = Scene::new().await;
    for address in [
        scene.rp.endpoint("certs"),
        format!("{}/.well-known/openid-configuration", scene.rp.issuer),
        format!("{}/.well-known/oauth-authorization-server", scene.rp.issuer),
    ] {
        let headers = [("origin", "https://anybody.example")];
        let reply = scene.server.browser().send(Method::GET, &address, None, &headers).await;
        assert_eq!(reply.header("cache-control"), "public, max-age=300", "{address}");
        assert_eq!(reply.header("access-control-allow-origin"), "*", "{address}");
        assert_eq!(reply.header("access-control-allow-credentials"), "", "{address}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{address}");
        let tag = reply.header("etag").to_owned();
        let again = [("if-none-match", tag.as_str())];
        let reply = scene.server.browser().send(Method::GET, &address, None, &again).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (304, ""), "{address}");
    }
}

/// What is at hand is answered around the routes: in the same words, counted under the same route, by the same rules.
#[tokio::test]
async fn documents_at_hand_are_those_of_the_routes() {
    let scene = Scene::new().await;
    let mut browser = scene.server.browser();
    for document in ["/protocol/openid-connect/certs", "/.well-known/openid-configuration"] {
        let address = format!("{}{document}", scene.rp.issuer);
        browser.get(&address).await;
        // An escaped name is left to the routes.
        let routed = browser.get(&format!("/realms/m%61in{document}")).await;
        let at_hand = browser.get(&format!("{address}?any=thing")).await;
        assert_eq!((at_hand.status.as_u16(), &at_hand.body), (200, &routed.body), "{document}");
        let [mut own, mut theirs] = [at_hand.headers, routed.headers];
        assert_ne!(own.remove("x-request-id"), theirs.remove("x-request-id"), "{document}");
        // The router says the length early; the connection says it of either.
        theirs.remove("content-length");
        assert_eq!(own, theirs, "{document}");
        let text = scene.server.app().metrics.text();
        let counted =
            format!("_count{{method=\"GET\",route=\"/realms/{{realm}}{document}\",status=\"200\"}} 3");
        assert!(text.lines().any(|line| line.ends_with(&counted)), "{counted}\nin\n{text}");
        let elsewhere = [("host", "elsewhere.example")];
        assert_eq!(browser.send(Method::GET, &address, None, &elsewhere).await.status, 421, "{document}");
        assert_eq!(browser.get(&format!("/realms/none{document}")).await.status, 404, "{document}");
        assert_eq!(browser.send(Method::HEAD, &address, None, &[]).await.body, "", "{document}");
    }
}

#[tokio::test]
async fn c08_a_foreign_origin_reads_nothing() {
    let scene = Scene::new().await;
    let (rp, token) = (&scene.rp, scene.tokens.access_token());
    let bearer = format!("Bearer {token}");
    for (endpoint, method) in [
        ("token", Method::POST),
        ("revoke", Method::POST),
        ("userinfo", Method::GET),
        ("token/introspect", Method::POST),
        ("auth", Method::GET),
        ("logout", Method::GET),
    ] {
        let address = rp.endpoint(endpoint);
        for origin in
            ["https://evil.test", "null", "http://localhost.evil.test", "http://localhost:3000@evil.test"]
        {
            for method in [method.clone(), Method::OPTIONS] {
                let headers = [
                    ("origin", origin),
                    ("access-control-request-method", "POST"),
                    ("authorization", bearer.as_str()),
                    ("content-type", "application/x-www-form-urlencoded"),
                ];
                let body = Some("client_id=web&token=x".to_owned()).filter(|_| method == Method::POST);
                let reply = scene.server.browser().send(method.clone(), &address, body, &headers).await;
                let allowed = reply.header("access-control-allow-origin");
                assert_eq!(allowed, "", "{method} {endpoint} from {origin}");
                assert_eq!(reply.header("access-control-allow-credentials"), "", "{endpoint}");
            }
        }
    }
    let own = [("origin", "http://localhost:3000"), ("authorization", bearer.as_str())];
    let reply = scene.server.browser().send(Method::GET, &rp.endpoint("userinfo"), None, &own).await;
    assert_eq!(reply.header("access-control-allow-origin"), "http://localhost:3000", "the app's own");
    assert!(reply.header("vary").to_ascii_lowercase().contains("origin"), "{}", reply.header("vary"));
}

/// Anybody may ask, and after each change of the realm the first answer is read anew.
#[tokio::test]
async fn c08_a_preflight_reads_clients_some_at_a_time_and_nothing_but_what_it_needs() {
    let scene = Scene::new().await;
    let (server, store, web) = (&scene.server, &scene.server.app().store, scene.client("web").await);
    let clients = (0..600).map(|nth| {
        let (id, client_id) = (format!("id-{nth}"), format!("app-{nth}"));
        let mut client = Client { id, client_id, ..web.clone() };
        client.settings.web_origins = vec![format!("https://app-{nth}.example")];
        Change::PutClient { client: Box::new(client), at: server.clock().now() }
    });
    scene.commit(clients.collect()).await;
    let address = scene.rp.endpoint("token");
    for (origin, allowed, pages) in [
        ("https://app-7.example", true, 2),
        ("https://app-599.example", true, 0),
        ("https://app-600.example", false, 0),
    ] {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        // The realm is in memory then, and its clients are not.
        server.browser().get(&scene.rp.endpoint("certs")).await;
        let _ = store.traffic();
        let reply = server.browser().send(Method::OPTIONS, &address, None, &headers).await;
        assert_eq!(reply.header("access-control-allow-origin") == origin, allowed, "{origin}");
        let statements = store.traffic().statements;
        let of_clients: Vec<_> =
            statements.iter().filter(|sql| sql.contains("settings FROM clients")).collect();
        assert_eq!(of_clients.len(), pages, "{of_clients:?}");
        for sql in of_clients {
            assert!(sql.contains("LIMIT") && !sql.contains("secret_hash"), "{sql}");
        }
    }
}
