//! Where people look for a console: a page that says how a realm is looked after without one.

use axum::http::Method;
use scraper::{Html, Selector};
use vestibule::testing::{Options, Reply, TestServer};

use crate::admin::scene::REALMS;

fn commands(reply: &Reply) -> Vec<String> {
    let page = Html::parse_document(&reply.body);
    page.select(&Selector::parse("pre code").unwrap()).map(|code| code.text().collect()).collect()
}

#[tokio::test]
async fn people_who_look_for_a_console_are_told_what_there_is() {
    let server = TestServer::start().await.unwrap();
    let mut browser = server.browser();
    for path in ["/admin", "/admin/", "/console", "/console/"] {
        let reply = browser.send(Method::GET, path, None, &[("accept", "text/html")]).await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(commands(&reply)[0].contains("export REALM"), "{path}");
    }
    for path in ["/admin/main/console", "/admin/main/console/"] {
        let reply = browser.send(Method::GET, path, None, &[("accept", "text/html")]).await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.body.contains("Vestibule Demo"), "{path}");
        let commands = commands(&reply);
        assert!(commands[1].contains("--import-realm main.toml --watch"), "{path}: {commands:?}");
        assert!(commands[2].contains("username=admin -d password=admin"), "{path}: {commands:?}");
        assert!(commands[3].ends_with(&format!("{}/admin/realms/main", server.origin())), "{commands:?}");
        assert!(reply.body.contains(&format!("{}/realms/main/account/", server.origin())), "{path}");
    }
    let reply = browser.send(Method::GET, "/", None, &[]).await;
    assert!(reply.body.contains("href=\"/admin/\""), "the overview leads there");
    let reply = browser.send(Method::GET, "/admin/nowhere/console/", None, &[("accept", "text/html")]).await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn the_commands_get_a_token_and_are_heard() {
    let server = TestServer::start().await.unwrap();
    let mut browser = server.browser();
    let reply = browser.send(Method::GET, "/admin/main/console/", None, &[]).await;
    let commands = commands(&reply);
    let words: Vec<&str> = commands[2].split([' ', '(', ')']).collect();
    let address = words.iter().find(|word| word.starts_with("http")).unwrap();
    let body =
        words.windows(2).filter(|pair| pair[0] == "-d").map(|pair| pair[1]).collect::<Vec<_>>().join("&");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let reply = browser.send(Method::POST, address, Some(body), &form).await;
    let authorization = format!("Bearer {}", reply.json()["access_token"].as_str().unwrap());
    let address = commands[3].split(' ').next_back().unwrap();
    let reply = browser.send(Method::GET, address, None, &[("authorization", &authorization)]).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["realm"]), (200, &"main".into()));
}

#[tokio::test]
async fn a06_production_tells_of_no_realm_and_no_administrator() {
    let options = Options { realm: Some(REALMS.to_owned()), strict: true, ..Options::default() };
    let server = TestServer::with(options).await.unwrap();
    let mut browser = server.browser();
    for (path, status) in
        [("/admin/", 200), ("/admin/main/console/", 200), ("/admin/nowhere/console/", 404), ("/", 404)]
    {
        let reply = browser.send(Method::GET, path, None, &[("accept", "text/html")]).await;
        assert_eq!(reply.status, status, "{path}");
        for told in ["other", "password=", "owner", "helpdesk", "creator", "alice"] {
            assert!(!reply.body.contains(told), "{path}: {told}");
        }
        assert_eq!(reply.body.contains("CLIENT_ID:CLIENT_SECRET"), status == 200, "{path}");
    }
}
