//! Pairwise names of people (OpenID Connect Core §8.1): by these, apps of different sectors
//! cannot tell that they know the same person.

use vestibule::protocol::subject;
use vestibule::testing::{Browser, Options, Rp, TestServer, Tokens, claims};

use crate::hearing::Hearing;

fn realm(hearing: &Hearing) -> String {
    let client = |id: &str, host: &str, more: &str| {
        format!(
            "[[realm.clients]]\nid = \"{id}\"\nsecret = \"{id}-secret-that-is-long\"\n\
             redirect_uris = [\"https://{host}/{id}\"]\npost_logout_redirect_uris = [\"https://{host}/bye\"]\n\
             audiences = [\"{id}\"]\n{more}\n"
        )
    };
    let pairwise = "subject_type = \"pairwise\"";
    let hears = format!("{pairwise}\nbackchannel_logout_uri = \"{}\"", hearing.address);
    [
        "[realm]\nname = \"main\"\n[[realm.users]]\nusername = \"alice\"\npassword = \"correct horse\"\n"
            .to_owned(),
        "[[realm.users]]\nusername = \"bob\"\npassword = \"battery staple\"\n".to_owned(),
        client("one", "one.example", &hears),
        client("same", "one.example", pairwise),
        client("two", "two.example", pairwise),
        client("open", "three.example", ""),
    ]
    .concat()
}

struct Scene {
    hearing: Hearing,
    server: TestServer,
    browser: Browser,
}

impl Scene {
    async fn new() -> Self {
        let hearing = Hearing::start().await;
        let options = Options { realm: Some(realm(&hearing)), ..Options::default() };
        let server = TestServer::with(options).await.unwrap();
        Self { hearing, browser: server.browser(), server }
    }

    fn rp(&self, id: &str) -> Rp {
        let host = if id == "two" {
            "two.example"
        } else if id == "open" {
            "three.example"
        } else {
            "one.example"
        };
        let mut rp = self.server.rp(id, Some(&format!("{id}-secret-that-is-long")));
        rp.redirect_uri = format!("https://{host}/{id}");
        rp
    }

    async fn sign_in(&mut self, id: &str) -> (Rp, Tokens) {
        let rp = self.rp(id);
        let tokens = rp.sign_in(&mut self.browser, "alice", "correct horse").await.unwrap();
        (rp, tokens)
    }
}

#[tokio::test]
async fn core_8_1_one_name_for_each_sector_in_every_token() {
    let mut here = Scene::new().await;
    let document = format!("{}/.well-known/openid-configuration", here.server.issuer("main"));
    let document = here.browser.get(&document).await.json();
    assert_eq!(document["subject_types_supported"], serde_json::json!(subject::SubjectType::ALL));
    let (_, open) = here.sign_in("open").await;
    let real = open.id_claims()["sub"].as_str().unwrap().to_owned();
    let mut names = Vec::new();
    for id in ["one", "same", "two"] {
        let (rp, tokens) = here.sign_in(id).await;
        let name = tokens.id_claims()["sub"].as_str().unwrap().to_owned();
        assert_eq!(name.len(), 43, "{id}");
        let userinfo = rp.userinfo(&here.browser, tokens.access_token()).await.json();
        let told = rp.introspect(&here.browser, tokens.access_token()).await.json();
        for (row, claims) in [
            ("access token", tokens.access_claims()),
            ("refresh token", claims(tokens.refresh_token())),
            ("userinfo", userinfo),
            ("introspection", told),
        ] {
            assert_eq!(claims["sub"], name.as_str(), "{id} {row}");
            assert!(!claims.to_string().contains(&real), "{id} {row}: {claims}");
        }
        let again = rp.refresh(&here.browser, tokens.refresh_token()).await.unwrap();
        assert_eq!(again.id_claims()["sub"], name.as_str(), "{id} refreshed");
        names.push(name);
    }
    assert_eq!(names[0], names[1], "the same sector");
    assert!(names[0] != names[2] && names[0] != real);
}

#[tokio::test]
async fn a_pairwise_hint_is_understood() {
    let mut here = Scene::new().await;
    let (rp, tokens) = here.sign_in("one").await;
    let hint = tokens.id_token().to_owned();
    let silent = [("prompt", Some("none")), ("id_token_hint", Some(hint.as_str()))];
    assert!(here.browser.get(&rp.authorize_url_with(&silent)).await.parameter("code").is_some());
    let mut bobs = here.server.browser();
    rp.sign_in(&mut bobs, "bob", "battery staple").await.unwrap();
    let refused = bobs.get(&rp.authorize_url_with(&silent)).await;
    assert_eq!(refused.parameter("error").as_deref(), Some("login_required"), "P08g");
    let other = here.rp("two");
    let refused = here.browser.get(&other.authorize_url_with(&silent)).await;
    assert_eq!(refused.parameter("error").as_deref(), Some("login_required"), "of another sector");

    let logout = |hint: &str| format!("{}?id_token_hint={hint}", rp.endpoint("logout"));
    assert!(bobs.get(&logout(&hint)).await.body.contains("kc-logout"), "another person's: asked");
    let bye = "post_logout_redirect_uri=https%3A%2F%2Fone.example%2Fbye";
    let done = here.browser.get(&format!("{}&{bye}", logout(&hint))).await;
    assert_eq!((done.status.as_u16(), done.location()), (303, "https://one.example/bye"), "{}", done.body);
    let told = claims(&here.hearing.logout_token(1).await);
    assert_eq!(told["sub"], tokens.id_claims()["sub"], "in the logout token too");
}
