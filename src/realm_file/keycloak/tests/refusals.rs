//! What a file of Keycloak's is refused for, and what its person is told.

use super::*;

#[test]
fn mistakes_name_file_and_line() {
    for (name, text, expected) in [
        (
            "a wrong type",
            "{\"realm\": \"r\",\n\"accessTokenLifespan\": \"soon\"}",
            "realm.json:2: invalid type: a text, expected a whole number",
        ),
        (
            "a realm that cannot be named",
            "{\"realm\": \"a/b\"}",
            "realm.json: [0].realm: a realm's name is of letters",
        ),
        ("a list where one thing belongs", "{\"realm\": \"r\",\n\n\"clients\": {}}", "realm.json:3: invalid"),
    ] {
        let told = parse(text, Format::Json, "realm.json", &|_| None).unwrap_err().to_string();
        assert!(told.starts_with(expected), "{name}: {told}");
    }
}

#[test]
fn production_names_the_clients_that_it_refuses() {
    let refusals = |text: &str| {
        let refusals = production_refusals(&read(text), OutboundRules::default());
        refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let small = refusals(SMALL);
    assert!(small.contains("client `quickstart-app`") && small.contains("client `spa`"), "{small}");
    let groups = refusals(GROUPS);
    assert!(groups.contains("client `storefront`") && !groups.contains("account-console"), "{groups}");
    assert_eq!(refusals(CREDENTIALS), "");
}

/// D4: whoever reads the plan hears which clients are weaker in development than production lets them be.
#[tokio::test]
async fn a_plan_names_the_public_clients_that_may_go_without_pkce() {
    let place = Place::new().await;
    let text = GROUPS.replacen("\"pkce.code.challenge.method\": \"S256\",", "", 1);
    let plan = place.plan(&text, false).await.unwrap();
    let told: Vec<&str> = plan.notes().filter(|note| note.contains("PKCE")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("storefront") && !told[0].contains("account-console"), "{told:?}");
    let effect: Vec<&str> = plan.notes().filter(|note| note.contains("without effect, of clients")).collect();
    assert!(
        effect.iter().all(|note| !note.contains("redirectUris") && !note.contains("rootUrl")),
        "{effect:?}"
    );
}

/// A realm's export with another name would make the realm another one: a person hears what to write instead.
#[tokio::test]
async fn a_new_realm_does_not_take_the_identifier_of_another() {
    let (place, before) = Place::with(GROUPS).await;
    let name = &before.realm.name;
    let exported = place.export(name, ALL).await;
    let copy = changed(&exported, |realm| realm["realm"] = json!("copy"));
    let told = place.plan(&copy, false).await.unwrap_err().to_string();
    assert!(told.contains("[0].id: ") && told.contains(&format!("`{name}`: remove `id`")), "{told}");
    let spec = read(&copy);
    let applied = apply_spec(&place.store, &place.secrets, &spec, PlanOptions::default(), NOW).await;
    assert!(matches!(applied, Err(ApplyError::File(_))), "{applied:?}");
    let realms = place.store.realms().await.unwrap();
    assert_eq!(realms.iter().map(|realm| &realm.name).collect::<Vec<_>>(), [name]);
    assert_eq!(place.state(name).await.users.len(), before.users.len());
}

/// Whoever comes with the identifier of another would take their place, password and roles included.
#[tokio::test]
async fn no_record_takes_the_identifier_of_another() {
    let base = json!({
        "realm": "r", "roles": { "realm": [{ "id": "r1", "name": "one" }] },
        "clients": [{ "id": "c1", "clientId": "one" }], "groups": [{ "id": "g1", "name": "one" }],
        "clientScopes": [{ "id": "s1", "name": "one" }], "users": [{ "id": "u1", "username": "one" }],
    });
    let (place, _) = Place::with(&base.to_string()).await;
    for (kind, name, list) in [
        ("role", "two", json!({ "roles": { "realm": [{ "id": "r1", "name": "two" }] } })),
        ("client", "two", json!({ "clients": [{ "id": "c1", "clientId": "two" }] })),
        ("group", "/two", json!({ "groups": [{ "id": "g1", "name": "two" }] })),
        ("client scope", "two", json!({ "clientScopes": [{ "id": "s1", "name": "two" }] })),
        ("user", "two", json!({ "users": [{ "id": "u1", "username": "two" }] })),
    ] {
        let earlier = if kind == "group" { "/one" } else { "one" };
        let expected =
            format!("{kind} `{name}` has the `id` of {kind} `{earlier}`: remove it from one of them");
        let mut other = list.clone();
        other["realm"] = json!("r");
        let told = place.plan(&other.to_string(), false).await.unwrap_err().to_string();
        assert!(told.contains(&expected), "of the realm: {told}");
        // Both in one file, of a new realm.
        let mut both = base.clone();
        both["realm"] = json!("new");
        for (name, new) in list.as_object().unwrap() {
            let there = if name == "roles" { &mut both["roles"]["realm"] } else { &mut both[name] };
            let new = if name == "roles" { &new["realm"] } else { new };
            there.as_array_mut().unwrap().push(new[0].clone());
        }
        let told = place.plan(&both.to_string(), false).await.unwrap_err().to_string();
        assert!(told.contains(&expected), "of one file: {told}");
    }
    assert!(place.plan(&base.to_string(), false).await.unwrap().is_empty(), "the same records again");
    let renamed = json!({ "realm": "n", "roles": { "realm": [{ "id": "x", "name": "offline_access" }, { "id": "x", "name": "mine" }] } });
    let told = place.plan(&renamed.to_string(), false).await.unwrap_err().to_string();
    assert!(told.contains("has the `id` of role"), "of what comes with every realm: {told}");
}

#[test]
fn production_refuses_redirect_uris_that_would_never_match() {
    let file = json!({ "realm": "r", "clients": [
        { "clientId": "plain", "redirectUris": ["http://app.example/cb"] },
        { "clientId": "good", "redirectUris": ["https://app.example/cb", "/realms/r/account"] },
        { "clientId": "account", "rootUrl": "${authBaseUrl}", "redirectUris": ["/realms/r/account"] },
    ] });
    let told: Vec<String> = production_refusals(&read(&file.to_string()), OutboundRules::default())
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("client `plain`") && told[0].contains("http://app.example/cb"), "{told:?}");
}

#[tokio::test]
async fn an_address_is_shared_where_the_file_says_so_and_told_with_both_names_elsewhere() {
    let place = Place::new().await;
    let mut file = json!({
        "realm": "r",
        "users": [{ "username": "a", "email": "x@y.example" }, { "username": "b", "email": "X@y.example" }],
    });
    let told = place.plan(&file.to_string(), false).await.unwrap_err().to_string();
    assert!(told.contains("user `b` has the `email` of user `a`: give one of them another"), "{told}");
    file["duplicateEmailsAllowed"] = json!(true);
    place.apply(&file.to_string()).await;
    assert!(place.plan(&file.to_string(), false).await.unwrap().is_empty(), "the same again");
    let state = place.state("r").await;
    assert_eq!(state.users.iter().filter(|one| one.user.email.is_some()).count(), 2);
    assert!(!state.realm.settings.login_with_email, "nobody signs in by an address that may be another's");
}

/// As in Keycloak, which looks at addresses where people type them.
#[tokio::test]
async fn an_address_that_is_none_is_kept_and_told() {
    let place = Place::new().await;
    let file = json!({ "realm": "r", "users": [{ "username": "a", "email": "no-at" }] }).to_string();
    let plan = place.plan(&file, false).await.unwrap();
    assert!(plan.notes().any(|note| note == "user `a` has an `email` that is no e-mail address: it is kept"));
    place.apply(&file).await;
    assert_eq!(place.state("r").await.users[0].user.email.as_deref(), Some("no-at"));
    assert!(place.plan(&file, false).await.unwrap().is_empty(), "the same again");
}
