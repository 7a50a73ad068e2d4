//! Every page against hostile words, its size, its headers and the names that scripts rely on.

use scraper::{ElementRef, Html, Node, Selector};

use super::*;
use crate::clock::Timestamp;

#[path = "../../../examples/pages/samples.rs"]
mod samples;

fn samples(
    word: &dyn Fn(&'static str) -> &'static str,
    address: &dyn Fn(&'static str) -> &'static str,
) -> Vec<(&'static str, Page)> {
    samples::every_page(&samples::Source { word, address })
}

fn honest() -> Vec<(&'static str, Page)> {
    samples(&|word| word, &|address| address)
}

fn page(name: &str) -> Html {
    let all = honest();
    Html::parse_document(&all.iter().find(|(known, _)| *known == name).unwrap().1.html)
}

fn one<'a>(html: &'a Html, selector: &str) -> ElementRef<'a> {
    let found: Vec<_> = html.select(&Selector::parse(selector).unwrap()).collect();
    assert_eq!(found.len(), 1, "{selector}");
    found[0]
}

fn count(html: &Html, selector: &str) -> usize {
    html.select(&Selector::parse(selector).unwrap()).count()
}

/// Tags and attribute names in the order of the document, without any text or value.
fn skeleton(html: &str) -> Vec<String> {
    let document = Html::parse_document(html);
    document
        .tree
        .nodes()
        .filter_map(|node| match node.value() {
            Node::Element(element) => {
                let mut names: Vec<_> = element.attrs().map(|(name, _)| name).collect();
                names.sort_unstable();
                Some(format!("{} {}", element.name(), names.join(" ")))
            }
            Node::Comment(_) => Some("comment".to_owned()),
            _ => None,
        })
        .collect()
}

const HOSTILE: [&str; 9] = [
    "\"><img src=x onerror=1>",
    "'><svg/onload=alert(1)>",
    "</title></script><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{31337*31337}}{% raw %}${31337*31337}",
    "Acme\u{202E}moc.live",
    "--><!--",
    "\u{0}\r\n\" autofocus onfocus=\"alert(1)",
    "https://evil.test/\" onclick=\"alert(1)",
];

#[test]
fn hostile_words_change_no_page() {
    let expected = honest();
    for hostile in HOSTILE {
        for ((name, page), (_, expected)) in samples(&|_| hostile, &|address| address).iter().zip(&expected) {
            assert_eq!(skeleton(&page.html), skeleton(&expected.html), "{name} with {hostile:?}");
            assert_eq!(page.headers(), expected.headers(), "{name} with {hostile:?}");
            assert!(!page.html.contains("982007569"), "{name} calculated");
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..proptest::test_runner::Config::with_cases(32) })]

    #[test]
    fn no_words_change_a_page(words in "x[\\x00-\u{10ffff}<>\"'&{}%`/=]{0,160}") {
        let words: &'static str = words.leak();
        for ((name, page), (_, expected)) in samples(&|_| words, &|address| address).iter().zip(&honest()) {
            proptest::prop_assert_eq!(skeleton(&page.html), skeleton(&expected.html), "{}", name);
        }
    }
}

#[test]
fn hostile_addresses_are_left_out() {
    let expected = samples(&|word| word, &|_| "");
    for hostile in HOSTILE.into_iter().chain(["//evil.test", "data:text/html,x", "/\\evil.test"]) {
        for ((name, page), (_, expected)) in samples(&|word| word, &|_| hostile).iter().zip(&expected) {
            assert_eq!(page.html, expected.html, "{name} with {hostile:?}");
            assert_eq!(page.headers(), expected.headers(), "{name} with {hostile:?}");
        }
    }
}

#[test]
fn every_address_is_ours_or_http() {
    for (name, page) in honest() {
        let html = Html::parse_document(&page.html);
        for element in html.select(&Selector::parse("[href], [src], [action]").unwrap()) {
            for (attribute, value) in element.value().attrs() {
                if matches!(attribute, "href" | "src" | "action") {
                    // The one address that leads into an app of the device.
                    let key = name.starts_with("new-device") && value.starts_with("otpauth://totp/");
                    assert!(key || Link::new(value).is_some(), "{name}: {attribute}={value}");
                }
            }
        }
        assert_eq!(
            count(&html, "[style], style, [onclick], [onload]"),
            0,
            "{name}: the policy forbids these"
        );
        let scripts = count(&html, "script");
        assert_eq!(scripts, usize::from(matches!(name, "form-post" | "signed-out-onward")), "{name}");
    }
}

#[test]
fn words_from_others_stand_apart() {
    let turned = "\u{5D0}\u{5D1}";
    for (name, page) in samples(&|_| turned, &|address| address) {
        let html = Html::parse_document(&page.html);
        for node in html.tree.nodes() {
            if let Node::Text(text) = node.value()
                && text.contains(turned)
            {
                let parent = node.parent().unwrap();
                let element = parent.value().as_element().unwrap();
                let alone = matches!(element.name(), "dt" | "td" | "title")
                    || element.attr("class").is_some_and(|class| class.starts_with("mark"));
                assert!(
                    alone || matches!(element.name(), "bdi" | "code"),
                    "{name}: a name in <{}>",
                    element.name()
                );
            }
        }
    }
}

#[test]
fn pages_are_small_and_complete() {
    for (name, page) in honest() {
        let size = page.html.len() + crate::http::assets::stylesheet().len();
        assert!(size < 30_000, "{name}: {size} bytes");
        let html = Html::parse_document(&page.html);
        assert!(html.errors.is_empty(), "{name}: {:?}", html.errors);
        assert_eq!(one(&html, "html").attr("lang"), Some("en"), "{name}");
        assert!(!one(&html, "title").text().collect::<String>().trim().is_empty(), "{name}");
        one(&html, "h1");
        one(&html, "main");
        let mut ids: Vec<_> =
            html.select(&Selector::parse("[id]").unwrap()).map(|e| e.attr("id").unwrap()).collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name}: an id twice");
        for label in html.select(&Selector::parse("label[for]").unwrap()) {
            one(&html, &format!("#{}", label.attr("for").unwrap()));
        }
        for described in html.select(&Selector::parse("[aria-describedby]").unwrap()) {
            one(&html, &format!("#{}", described.attr("aria-describedby").unwrap()));
        }
    }
}

#[test]
fn the_sign_in_form_has_the_names_that_scripts_fill_in() {
    let html = page("login-dev");
    let form = one(&html, "form#kc-form-login");
    assert_eq!(form.attr("method"), Some("post"));
    assert_eq!(
        form.attr("action"),
        Some("/realms/main/login-actions/authenticate?session_code=abc&client_id=web")
    );
    for (selector, label) in [("#username", "Username or email"), ("#password", "Password")] {
        let input = one(&html, &format!("#kc-form-login input{selector}"));
        let id = input.attr("id").unwrap();
        assert_eq!(input.attr("name"), Some(id));
        assert_eq!(one(&html, &format!("label[for={id}]")).inner_html(), label);
        assert_eq!(count(&html, &format!("[name={id}]")), 1, "a script that goes by the name finds one");
    }
    assert_eq!(one(&html, "#username").attr("autocomplete"), Some("username"));
    assert_eq!(one(&html, "#password").attr("autocomplete"), Some("current-password"));
    assert_eq!(one(&html, "input#rememberMe[type=checkbox]").attr("name"), Some("rememberMe"));
    assert_eq!(one(&html, "input#id-hidden-input[type=hidden]").attr("name"), Some("credentialId"));
    let submit = one(&html, "#kc-form-login button#kc-login[type=submit]");
    assert_eq!((submit.attr("name"), submit.inner_html().as_str()), (Some("login"), "Sign In"));
    assert_eq!(one(&html, "title").inner_html(), "Sign in to Acme");
    let first = html.select(&Selector::parse("form").unwrap()).next().unwrap();
    assert_eq!(first.attr("id"), Some("kc-form-login"), "HtmlUnit scripts take the first form");
    for other in html.select(&Selector::parse("button:not(#kc-login)").unwrap()) {
        let name: String = other.text().collect();
        assert!(!name.to_lowercase().contains("sign in"), "{name} would be found as \"Sign In\" too");
    }
}

#[test]
fn the_sign_in_form_follows_its_state() {
    let plain = page("login");
    assert_eq!(count(&plain, "#username[autofocus]"), 1);
    assert_eq!(count(&plain, "#rememberMe, [role=alert], [aria-invalid], [name=persona]"), 0);
    let failed = page("login-failed");
    assert_eq!(one(&failed, "#input-error[role=alert]").inner_html(), "Invalid username or password.");
    assert_eq!(count(&failed, "[aria-invalid=true][aria-describedby=input-error]"), 2);
    assert_eq!(one(&failed, "#username").attr("value"), Some("alice@example.com"));
    assert_eq!(count(&failed, "#password[autofocus], #rememberMe[checked]"), 2);
    assert_eq!(one(&failed, "#password").attr("value"), None);
    for (seconds, told) in [
        (1, "10 seconds"),
        (30, "30 seconds"),
        (31, "40 seconds"),
        (55, "1 minute"),
        (60, "1 minute"),
        (61, "2 minutes"),
        (900, "15 minutes"),
    ] {
        let shell = Shell::new("", Brand::new("main", None, None));
        let mut view = Login::new(shell, Link::own("/x"));
        view.problem = Some(LoginProblem::TooManyAttempts(seconds));
        let html = Html::parse_document(&view.page().html);
        let expected = format!("Too many attempts. Try again in {told}.");
        assert_eq!(one(&html, "#input-error").inner_html(), expected, "{seconds}");
    }
    let waiting = page("login-waiting");
    assert_eq!(
        count(&waiting, "[aria-describedby=input-error]:not([aria-invalid])"),
        2,
        "nothing typed is wrong"
    );
    let again = page("login-again");
    assert_eq!(one(&again, "#username[readonly]").attr("value"), Some("alice"));
}

#[test]
fn the_other_pages_have_their_names() {
    let rows = [
        ("consent", "form[method=post] #kc-login[name=accept][value=Yes]", "Yes"),
        ("consent", "form[method=post] #kc-cancel[name=cancel][value=No]", "No"),
        ("consent", "form[method=post] input[type=hidden][name=csrf][value='3q2-7wAAAAA']", ""),
        ("consent", "img.logo[src='/realms/main/app.svg']:nth-of-type(1)", ""),
        (
            "consent",
            ".papers a[href='https://notes.example.com/privacy']",
            "Privacy policy of <bdi>Field Notes</bdi>",
        ),
        (
            "login-again",
            ".papers a[href='https://notes.example.com/terms']",
            "Terms of <bdi>Field Notes</bdi>",
        ),
        ("logout", "h1", "Do you want to sign out?"),
        ("logout", "form[method=post] button#kc-logout[name=confirmLogout]", "Sign out"),
        ("logout", "form[method=post] [name=csrf]", ""),
        (
            "logout-stay",
            "a#backToApplication[href='https://harbour.example.com']",
            "Back to <bdi>Harbour</bdi>",
        ),
        ("trouble-no-realm", "a#loginRestartLink[href='/']", "Overview"),
        ("signed-out", "h1", "You are signed out"),
        ("signed-out-back", "iframe[src='https://notes.example.com/bye?sid=1']", ""),
        ("signed-out-onward", "iframe[src='https://notes.example.com/bye?sid=1']", ""),
        ("signed-out-onward", "a#kc-onward[href='https://notes.example.com/bye?state=x&y']", "Continue"),
        (
            "form-post",
            "form[method=post][action='https://harbour.example.com/callback?x=1&y=2'] [name=state][value='s t&a=te']",
            "",
        ),
        ("form-post", "script[nonce='q83vEjRWeJCrze8SNFZ4kA==']", "document.forms[0].submit()"),
        ("form-post", "form button[type=submit]", "Continue"),
        ("device-unknown", "#device-user-code[name=device_user_code][value=''][autofocus]", ""),
        ("device-confirm", ".whom a", "Not you?"),
        ("device-approved", "title", "Your device is connected – Acme"),
        ("device-denied", "a.button[href='/realms/main/account/']", "Your account"),
        ("trouble-no-cookie", "a.button[href='/realms/main/account/']", "Your account"),
        ("signed-out", "a.button[href='/realms/main/account/']", "Sign in again"),
        ("signed-out-everywhere", "h1", "You are signed out everywhere"),
        ("logout", "a.button[href='/realms/main/account/']", "Stay signed in"),
        ("device-confirm", "#kc-oauth #kc-login[name=accept]", "Yes"),
        ("trouble-absent", "a#loginRestartLink", "Sign In"),
        ("consent", "title", "Allow Field Notes to use your account? – Acme"),
        ("code", "title", "Enter a code – Acme"),
        ("new-password", "title", "Choose a new password – Northwind Traders"),
        ("account", "a#referrer[href='https://notes.example.com/']", "Back to <bdi>Notes</bdi>"),
        ("new-password-wished", "#kc-passwd-update-form button[name=cancel-aia][formnovalidate]", "Cancel"),
        ("new-device-wished", "#kc-totp-settings-form button[name=cancel-aia][formnovalidate]", "Cancel"),
        ("profile-wished", "#kc-update-profile-form button[name=cancel-aia][formnovalidate]", "Cancel"),
        ("new-password", "#username[autocomplete=username][value=alice][readonly][hidden]", ""),
        (
            "no-console",
            "section[aria-labelledby=account] a.button[href='/realms/main/account/']",
            "Account page",
        ),
        ("new-device", "form#kc-totp-settings-form #totp[name=totp][inputmode=numeric]", ""),
        ("new-device", "#kc-totp-secret-key", "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"),
        ("new-device", "a#kc-totp-open[href^='otpauth://totp/']", "Open in an authenticator app"),
        ("code", "#kc-attempted-username", "Alice Adams"),
        ("new-password", "#kc-attempted-username", "Alice Adams"),
        ("profile", "#kc-attempted-username", "Alice Adams"),
        ("terms", "a#reset-login", "Not you?"),
        ("terms", "form #kc-accept[name=accept]", "Accept"),
        ("terms", "form #kc-decline[name=cancel]", "Decline"),
        (
            "profile-refused",
            "#kc-update-profile-form #lastName[aria-invalid=true][aria-describedby=input-error-lastName]",
            "",
        ),
        ("profile", "#kc-update-profile-form #email[type=email][value='alice@example.com']", ""),
        ("trouble-expired", "a#loginRestartLink[href='/realms/main/login-actions/restart']", "Start again"),
    ];
    for (name, selector, inner) in rows {
        assert_eq!(one(&page(name), selector).inner_html(), inner, "{name} {selector}");
    }
    assert_eq!(
        count(&page("account"), "form [name=csrf]"),
        5,
        "every form of the account page has its token"
    );
}

#[test]
fn a_consent_page_promises_what_is_kept() {
    for (name, remembered) in [("consent", true), ("consent-bare", false), ("consent-details", false)] {
        let said = one(&page(name), "main > p.small").text().collect::<String>();
        assert_eq!(said.contains("Your answer is remembered."), remembered, "{name}: {said}");
        assert_eq!(said.contains("You are asked each time."), !remembered, "{name}: {said}");
    }
}

#[test]
fn form_post_keeps_values_byte_for_byte() {
    for value in
        HOSTILE.into_iter().filter(|value| !value.contains(['\0', '\r', '\n'])).chain(["", " ", "&amp;", "ü"])
    {
        let page = FormPost {
            shell: Shell::new("", Brand::new("main", None, None)),
            client: Name::new("web"),
            target: Link::own("https://app.example.com/cb"),
            fields: vec![Hidden { name: "state", value }],
            nonce: "abc",
        }
        .page();
        let html = Html::parse_document(&page.html);
        assert_eq!(one(&html, "[name=state]").attr("value"), Some(value));
    }
}

#[test]
fn policies_and_statuses_follow_the_page() {
    let rows = [
        ("login", 200, "form-action 'self'; frame-ancestors 'none'"),
        ("login-dev", 200, "form-action 'self' http://localhost:3000;"),
        ("consent", 200, "form-action 'self' https://notes.example.com;"),
        ("consent-bare", 200, "form-action 'self' com.example.harbour:;"),
        (
            "form-post",
            200,
            "script-src 'nonce-q83vEjRWeJCrze8SNFZ4kA=='; form-action 'self' https://harbour.example.com;",
        ),
        ("signed-out-back", 200, "script-src 'none'; frame-src https://notes.example.com;"),
        (
            "signed-out-onward",
            200,
            "script-src 'nonce-q83vEjRWeJCrze8SNFZ4kA=='; frame-src https://notes.example.com;",
        ),
        ("trouble-redirect", 400, "script-src 'none'; form-action 'self';"),
        ("trouble-forged", 403, "default-src 'none';"),
        ("trouble-unfit", 403, "default-src 'none';"),
        ("code", 200, "form-action 'self' http://localhost:3000;"),
        ("new-password", 200, "form-action 'self' http://localhost:3000;"),
        ("trouble-missing", 404, "default-src 'none';"),
        ("trouble-method", 405, "default-src 'none';"),
        ("trouble-host", 421, "default-src 'none';"),
        ("trouble-absent", 404, "default-src 'none';"),
        ("trouble-busy", 429, "default-src 'none';"),
        ("trouble-fault", 500, "default-src 'none';"),
        ("trouble-unavailable", 503, "default-src 'none';"),
    ];
    for (name, status, policy) in rows {
        let all = honest();
        let page = &all.iter().find(|(known, _)| *known == name).unwrap().1;
        let headers = page.headers();
        let found = headers["content-security-policy"].to_str().unwrap();
        assert_eq!(page.status.as_u16(), status, "{name}");
        assert!(found.contains(policy), "{name}: {found}");
        assert!(found.contains("frame-ancestors 'none'"), "{name}");
    }
}
