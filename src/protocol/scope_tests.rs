//! Tests of the scope rules: tables, and the property Z04.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::protocol::client::ClientSettings;

fn scope(name: &str, include_in_token: bool, consent_text: Option<&str>) -> Scope {
    Scope {
        id: name.into(),
        realm_id: "realm".into(),
        name: name.into(),
        description: None,
        settings: ScopeSettings {
            include_in_token,
            consent_text: consent_text.map(str::to_owned),
            ..Default::default()
        },
    }
}

fn known() -> Vec<Scope> {
    vec![
        scope("address", true, None),
        scope("basic", false, None),
        scope("email", true, Some("Your e-mail address")),
        scope("offline_access", true, Some("Access while you are away")),
        scope("profile", true, Some("Your profile")),
        scope("secret", true, None),
    ]
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn client(default: &str, optional: &str) -> Client {
    Client {
        id: "c".into(),
        realm_id: "realm".into(),
        client_id: "web".into(),
        enabled: true,
        secret_hash: None,
        settings: ClientSettings {
            default_scopes: Some(words(default)),
            optional_scopes: Some(words(optional)),
            ..Default::default()
        },
    }
}

fn usual() -> Client {
    client("basic profile gone", "email address offline_access")
}

fn refused(token: &str) -> ScopeError {
    ScopeError::Refused(token.into())
}

#[test]
fn a_token_keeps_what_it_shows_and_what_no_token_shows() {
    let known = known();
    let whole = grant(Some("openid email address"), &usual(), &RealmSettings::default(), &known).unwrap();
    for (name, shown, expected) in [
        ("all of it", "openid profile email address", "openid basic profile email address"),
        ("narrowed", "openid email", "openid basic email"),
        ("no OpenID Connect", "email", "basic email"),
        ("nothing", "", "basic"),
        ("what was lost since", "gone", "basic"),
        ("what was never granted", "openid offline_access", "openid basic"),
        ("a hidden one by name", "basic", "basic"),
    ] {
        assert_eq!(keep(&whole, shown).stored(), expected, "{name}");
    }
}

#[test]
fn a_service_token_counts_for_what_its_client_may_still_have() {
    let known = known();
    for (name, shown, expected) in [
        ("default scopes", "profile", "basic profile"),
        ("an optional one", "profile email", "basic profile email"),
        ("a default one that came later", "email", "basic email"),
        ("one that the client lost", "profile secret", "basic profile"),
        ("nothing", "", "basic"),
    ] {
        let granted = of_service(shown, &usual(), &RealmSettings::default(), &known);
        assert_eq!(granted.stored(), expected, "{name}");
    }
}

#[test]
fn a_request_is_granted_or_refused() {
    let many = vec!["profile"; 100].join(" ");
    let too_many = format!("{many} profile");
    let known = known();
    for (name, requested, expected) in [
        ("absent: the default scopes", None, Ok("profile")),
        ("empty counts as absent", Some(""), Ok("profile")),
        ("openid stands first", Some("email openid"), Ok("openid profile email")),
        ("the client's order, not the request's", Some("address email"), Ok("profile email address")),
        ("a repeated token counts once", Some("email email"), Ok("profile email")),
        ("a default scope by name", Some("basic profile"), Ok("profile")),
        ("surplus spaces", Some(" openid  email "), Ok("openid profile email")),
        ("one hundred tokens", Some(many.as_str()), Ok("profile")),
        ("one token too many", Some(too_many.as_str()), Err(ScopeError::TooMany)),
        ("a scope that nobody knows", Some("openid nonsense"), Err(refused("nonsense"))),
        ("a scope of the realm, not of the client", Some("secret"), Err(refused("secret"))),
        ("a scope of the client that is gone", Some("gone"), Err(refused("gone"))),
        ("another case", Some("Email"), Err(refused("Email"))),
        ("a tab", Some("openid\temail"), Err(ScopeError::Character)),
        ("a line feed", Some("openid\nemail"), Err(ScopeError::Character)),
        ("a quotation mark", Some("openid \"email\""), Err(ScopeError::Character)),
        ("a backslash", Some("open\\id"), Err(ScopeError::Character)),
        ("beyond ASCII", Some("opеnid"), Err(ScopeError::Character)),
        ("NUL", Some("openid\0"), Err(ScopeError::Character)),
    ] {
        let granted = grant(requested, &usual(), &RealmSettings::default(), &known);
        assert_eq!(granted.map(|granted| granted.token_scope()), expected.map(str::to_owned), "{name}");
    }
}

#[test]
fn a_client_without_lists_has_the_realms() {
    let known = known();
    let client = Client { settings: ClientSettings::default(), ..usual() };
    let granted = grant(Some("offline_access"), &client, &RealmSettings::default(), &known).unwrap();
    assert_eq!(granted.stored(), "basic profile email offline_access");
    assert!(granted.has("offline_access") && !granted.has("openid") && !granted.has("address"));
    assert_eq!(granted.asked, ["offline_access"]);
}

#[test]
fn consent_is_asked_for_what_has_a_sentence() {
    let known = known();
    let granted = grant(Some("openid email address"), &usual(), &RealmSettings::default(), &known).unwrap();
    let expected = [("profile", "Your profile"), ("email", "Your e-mail address")];
    assert_eq!(granted.needs_consent(), expected);
}

#[test]
fn a_grant_is_read_back_as_far_as_the_client_may_still_have_it() {
    let realm = RealmSettings::default();
    let known = known();
    let stored = grant(Some("openid email"), &usual(), &realm, &known).unwrap().stored();
    assert_eq!(stored, "openid basic profile email");
    for (name, client, expected) in [
        ("nothing changed", usual(), "openid basic profile email"),
        ("an optional scope was taken away", client("basic profile", ""), "openid basic profile"),
        ("a default scope was taken away", client("basic", "email"), "openid basic email"),
        ("a default scope was added", client("address basic profile", "email"), "openid basic profile email"),
        ("a default scope became optional", client("basic", "email profile"), "openid basic email profile"),
        ("both default and optional", client("basic email", "email email"), "openid basic email"),
        ("everything was taken away", client("", ""), "openid"),
    ] {
        assert_eq!(regrant(&stored, &client, &realm, &known).stored(), expected, "{name}");
    }
    let fewer = vec![scope("basic", false, None), scope("email", true, None)];
    assert_eq!(regrant(&stored, &usual(), &realm, &fewer).stored(), "openid basic email");
}

#[test]
fn a_refresh_may_ask_for_less_and_never_for_more() {
    let known = known();
    let granted = grant(Some("openid email"), &usual(), &RealmSettings::default(), &known).unwrap();
    for (name, requested, expected) in [
        ("absent", None, Ok("openid basic profile email")),
        ("empty", Some(""), Ok("openid basic profile email")),
        ("less", Some("openid"), Ok("openid basic")),
        ("without openid", Some("email"), Ok("basic email")),
        ("a scope that tokens do not show", Some("basic"), Ok("basic")),
        ("more", Some("openid address"), Err(ScopeError::Widened("address".into()))),
        ("unknown", Some("nonsense"), Err(ScopeError::Widened("nonsense".into()))),
        ("malformed", Some("open\"id"), Err(ScopeError::Character)),
    ] {
        let narrowed = narrow(&granted, requested);
        assert_eq!(narrowed.map(|granted| granted.stored()), expected.map(str::to_owned), "{name}");
    }
}

#[test]
fn messages_keep_to_the_characters_of_an_error_description() {
    let known = known();
    for requested in ["~!#[]^_{}", &"x".repeat(4_000), "a\tb", &"x ".repeat(101)] {
        let message =
            grant(Some(requested), &usual(), &RealmSettings::default(), &known).unwrap_err().to_string();
        let plain = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        assert!(message.bytes().all(plain) && message.len() < 120, "{message}");
    }
}

const NAMES: [&str; 8] =
    ["openid", "basic", "profile", "email", "address", "offline_access", "secret", "nonsense"];

fn some() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(&NAMES, 0..=NAMES.len()).prop_shuffle()
}

proptest! {
    /// Z04: the result lies within (asked ∪ default) ∩ the client's scopes ∩ the realm's, whatever the order; what was
    /// asked is either granted whole or refused; regranting and narrowing add nothing.
    #[test]
    fn what_is_granted_was_allowed(
        asked in some(), other in some(), default in some(), optional in some(), later in some(),
    ) {
        let (realm, known) = (RealmSettings::default(), known());
        let client = client(&default.join(" "), &optional.join(" "));
        let allowed = |name: &str| {
            (default.contains(&name) || optional.contains(&name)) && known.iter().any(|s| s.name == name)
        };
        let mut reversed = asked.clone();
        reversed.reverse();
        let result = grant(Some(&asked.join(" ")), &client, &realm, &known);
        let again = grant(Some(&reversed.join(" ")), &client, &realm, &known);
        prop_assert_eq!(result.is_ok(), asked.iter().all(|name| *name == "openid" || allowed(name)));
        let Ok(granted) = result else { return Ok(()) };
        prop_assert_eq!(granted.stored(), again.unwrap().stored());
        for scope in &granted.scopes {
            let name = scope.name.as_str();
            prop_assert!(allowed(name) && name != "openid");
            prop_assert!(asked.contains(&name) || default.contains(&name));
        }
        prop_assert!(asked.iter().all(|name| granted.has(name)));

        let names = |granted: &Granted<'_>| words(&granted.stored()).into_iter().collect::<BTreeSet<_>>();
        prop_assert_eq!(names(&regrant(&granted.stored(), &client, &realm, &known)), names(&granted));
        let changed = super::tests::client(&later.join(" "), &other.join(" "));
        let regranted = regrant(&granted.stored(), &changed, &realm, &known);
        prop_assert!(names(&regranted).is_subset(&names(&granted)));
        prop_assert!(regranted.scopes.iter().all(|s| later.contains(&&*s.name) || other.contains(&&*s.name)));
        if let Ok(narrowed) = narrow(&granted, Some(&other.join(" "))) {
            prop_assert!(names(&narrowed).is_subset(&names(&granted)));
            prop_assert!(other.iter().all(|name| narrowed.has(name)));
        }
    }

    #[test]
    fn no_parameter_makes_the_parser_fail_badly(text in "\\PC{0,300}") {
        let known = known();
        let _ = grant(Some(&text), &usual(), &RealmSettings::default(), &known);
    }
}
