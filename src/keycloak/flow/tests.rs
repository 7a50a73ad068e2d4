//! Tests of flows: what a fresh realm has, and each change.

use super::provider::For;
use super::*;

fn fresh() -> Flows {
    Flows::new("realm", Vec::new(), Vec::new())
}

fn kept(value: Value) -> Kept {
    value.as_object().cloned().unwrap()
}

/// `mine` with the steps `auth-cookie`, `auth-otp-form` and the flow `below`, which has `auth-password-form`.
fn own() -> Flows {
    let mut flows = fresh();
    flows.add(kept(json!({ "alias": "mine", "topLevel": true })), "m").unwrap();
    flows.add_step("mine", "auth-cookie", None).unwrap();
    flows.add_step("mine", "auth-otp-form", None).unwrap();
    flows.add_flow("mine", &kept(json!({ "alias": "below", "type": "basic-flow" })), None, "b").unwrap();
    flows.add_step("below", "auth-password-form", None).unwrap();
    flows
}

/// What the steps of a flow are, with their depths.
fn told(flows: &Flows, name: &str) -> Vec<String> {
    let shown = flows.executions(name).unwrap();
    let one = |step: &Value| {
        let what = step["providerId"].as_str().or(step["displayName"].as_str()).unwrap_or_default();
        format!("{} {what} {}", step["level"], step["requirement"].as_str().unwrap_or_default())
    };
    shown.iter().map(one).collect()
}

fn id(flows: &Flows, flow: &str, index: usize) -> String {
    flows.executions(flow).unwrap()[index]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_fresh_realm_has_keycloaks_flows() {
    let flows = fresh();
    let top: Vec<&str> = flows.top().map(alias).collect();
    assert_eq!(
        top,
        [
            "browser",
            "direct grant",
            "registration",
            "reset credentials",
            "clients",
            "first broker login",
            "docker auth"
        ]
    );
    assert_eq!(
        told(&flows, "browser"),
        [
            "0 auth-cookie ALTERNATIVE",
            "0 auth-spnego DISABLED",
            "0 identity-provider-redirector ALTERNATIVE",
            "0 forms ALTERNATIVE",
            "1 auth-username-password-form REQUIRED",
            "1 Browser - Conditional 2FA CONDITIONAL",
            "2 conditional-user-configured REQUIRED",
            "2 conditional-credential REQUIRED",
            "2 auth-otp-form ALTERNATIVE",
            "2 webauthn-authenticator DISABLED",
            "2 auth-recovery-authn-code-form DISABLED",
        ]
    );
    for flow in &flows.flows {
        for step in steps(flow) {
            let (below, provider) = (member(step, "flowAlias"), member(step, "authenticator"));
            assert!(below.is_empty() || flows.named(below).is_some(), "{below}");
            assert!(provider.is_empty() || Provider::named(provider).is_some(), "{provider}");
            assert_eq!(step.get(CONFIG).is_some(), flows.config_of(step).is_some(), "{provider}");
        }
    }
    assert_eq!(Provider::of(For::Clients).count(), 4);
}

#[test]
fn every_step_has_an_identifier_of_its_own_that_stays() {
    let mut flows = own();
    let all = |flows: &Flows| {
        flows.executions("mine").unwrap().iter().map(|step| step["id"].to_string()).collect::<Vec<_>>()
    };
    let before = all(&flows);
    assert_eq!(before.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    flows.update("b", kept(json!({ "alias": "renamed" }))).unwrap();
    flows.update("m", kept(json!({ "alias": "ours" }))).unwrap();
    flows.move_step(before[1].trim_matches('"'), true).unwrap();
    let after = flows.executions("ours").unwrap();
    let after: Vec<String> = after.iter().map(|step| step["id"].to_string()).collect();
    assert_eq!(after, [&before[1], &before[0], &before[2], &before[3]].map(String::clone));
    flows.add_step("ours", "auth-cookie", None).unwrap();
    assert_ne!(id(&flows, "ours", 4), id(&flows, "ours", 1), "the same step twice");
}

#[test]
fn steps_are_added_moved_changed_and_taken_away() {
    let mut flows = own();
    assert_eq!(
        told(&flows, "mine"),
        [
            "0 auth-cookie DISABLED",
            "0 auth-otp-form DISABLED",
            "0 below DISABLED",
            "1 auth-password-form REQUIRED"
        ]
    );
    let otp = id(&flows, "mine", 1);
    flows.update_step(&kept(json!({ "id": otp, "requirement": "ALTERNATIVE" }))).unwrap();
    flows.move_step(&otp, true).unwrap();
    flows.move_step(&otp, true).unwrap();
    assert_eq!(told(&flows, "mine")[..2], ["0 auth-otp-form ALTERNATIVE", "0 auth-cookie DISABLED"]);
    flows.move_step(&otp, false).unwrap();
    assert_eq!(told(&flows, "mine")[1], "0 auth-otp-form ALTERNATIVE");
    flows.update_step(&kept(json!({ "id": otp, "requirement": "ALTERNATIVE", "priority": 90 }))).unwrap();
    assert_eq!(told(&flows, "mine")[3], "0 auth-otp-form ALTERNATIVE");
    flows.remove_step(&otp).unwrap();
    assert_eq!(flows.execution(&otp), Err(FlowError::NoStep));
    let below = id(&flows, "mine", 1);
    assert_eq!(flows.execution(&below).unwrap()["flowId"], "b");
    let renamed =
        json!({ "id": below, "requirement": "REQUIRED", "displayName": "under", "description": "d" });
    flows.update_step(&kept(renamed)).unwrap();
    assert_eq!(told(&flows, "mine")[1], "0 under REQUIRED");
    flows.remove_step(&below).unwrap();
    assert_eq!(told(&flows, "mine"), ["0 auth-cookie DISABLED"]);
    assert_eq!(flows.removed_flows, ["b"], "a flow goes with the step that it stands for");
}

#[test]
fn steps_of_one_priority_can_be_moved() {
    let mut flows = fresh();
    let steps = json!([{ "authenticator": "a", "priority": 1 }, { "authenticator": "b", "priority": 1 }]);
    let flow = json!({ "alias": "x", "authenticationExecutions": steps });
    flows.add(kept(flow), "x").unwrap();
    flows.move_step(&id(&flows, "x", 1), true).unwrap();
    assert_eq!(told(&flows, "x"), ["0 b ", "0 a "]);
}

#[test]
fn settings_hang_on_their_step() {
    let mut flows = own();
    let cookie = id(&flows, "mine", 0);
    flows.configure(&cookie, kept(json!({ "alias": "set", "config": { "a": "1" } })), "c").unwrap();
    let shown = &flows.executions("mine").unwrap()[0];
    assert_eq!((&shown["alias"], &shown["authenticationConfig"]), (&json!("set"), &json!("c")));
    let again = flows.configure(&cookie, kept(json!({ "alias": "set" })), "d");
    assert_eq!(again, Err(FlowError::Taken));
    flows.update_config("c", kept(json!({ "alias": "other", "config": { "a": "2" } }))).unwrap();
    assert_eq!(flows.config("c").unwrap()["config"], json!({ "a": "2" }));
    assert_eq!(flows.executions("mine").unwrap()[0]["alias"], "other");
    flows.remove_config("c").unwrap();
    assert!(flows.executions("mine").unwrap()[0].get("alias").is_none());
    assert_eq!(flows.remove_config("c"), Err(FlowError::NoConfig));
}

#[test]
fn a_copy_has_all_of_its_own() {
    let mut flows = fresh();
    let mut count = 0;
    let mut new_id = || {
        count += 1;
        format!("id-{count}")
    };
    let copy = flows.copy("first broker login", "mine", &mut new_id).unwrap();
    assert_eq!(flows.flow(&copy).unwrap()["builtIn"], false);
    let told = |name: &str| flows.executions(name).unwrap();
    assert_eq!(told("mine").len(), told("first broker login").len());
    let (from, to) = (told("first broker login"), told("mine"));
    assert!(from.iter().zip(&to).all(|(from, to)| from["id"] != to["id"] && from["level"] == to["level"]));
    assert_eq!(to[0]["alias"], "mine review profile config");
    assert_eq!(to[1]["displayName"], "mine User creation or linking");
    assert_eq!(flows.copy("browser", "mine", &mut new_id), Err(FlowError::Taken));
    flows.remove(&copy).unwrap();
    assert_eq!(flows.flows.len(), fresh().flows.len(), "all of the copy goes");
    assert_eq!(flows.configs.len(), fresh().configs.len());
}

#[test]
fn what_came_with_the_realm_keeps_its_steps() {
    let mut flows = fresh();
    let cookie = id(&flows, "browser", 0);
    assert!(matches!(flows.remove("browser"), Err(FlowError::BuiltIn(_))));
    assert!(matches!(flows.add_step("browser", "auth-cookie", None), Err(FlowError::BuiltIn(_))));
    assert!(matches!(flows.add_flow("browser", &Kept::new(), None, "x"), Err(FlowError::BuiltIn(_))));
    assert!(matches!(flows.move_step(&cookie, false), Err(FlowError::BuiltIn(_))));
    assert!(matches!(flows.remove_step(&cookie), Err(FlowError::BuiltIn(_))));
    assert!(matches!(flows.update("browser", kept(json!({ "alias": "b" }))), Err(FlowError::BuiltIn(_))));
    assert!(flows.changed_flows.is_empty());
    flows.update_step(&kept(json!({ "id": cookie, "requirement": "DISABLED" }))).unwrap();
    assert_eq!(told(&flows, "browser")[0], "0 auth-cookie DISABLED");
    let browser = flows.flow("browser").unwrap().clone();
    assert_eq!(flows.changed_flows, [text(&browser, "id")]);
    let again = Flows::new("realm", vec![browser], Vec::new());
    assert_eq!(told(&again, "browser"), told(&flows, "browser"), "kept, it stands in the fresh one's place");
}

#[test]
fn refusals() {
    let mut flows = own();
    assert_eq!(flows.executions("none"), Err(FlowError::NoFlow));
    assert_eq!(flows.add(kept(json!({})), "x"), Err(FlowError::Unnamed));
    assert_eq!(flows.add(kept(json!({ "alias": "forms" })), "x"), Err(FlowError::Taken));
    assert_eq!(flows.add_step("none", "auth-cookie", None), Err(FlowError::NoParent));
    assert_eq!(flows.add_step("mine", "", None), Err(FlowError::Unnamed));
    assert_eq!(flows.update("m", kept(json!({ "alias": "forms" }))).err(), Some(FlowError::Taken));
    assert_eq!(flows.update_step(&kept(json!({ "id": "none" }))), Err(FlowError::NoStep));
    let cookie = id(&flows, "mine", 0);
    assert_eq!(
        flows.update_step(&kept(json!({ "id": cookie, "requirement": "MAYBE" }))),
        Err(FlowError::Requirement)
    );
    assert_eq!(flows.configure("none", kept(json!({ "alias": "x" })), "x"), Err(FlowError::NoStep));
}

#[test]
fn a_flow_inside_itself_has_an_end() {
    let steps = json!([{ "flowAlias": "round", "authenticatorFlow": true, "priority": 0 }]);
    let round = json!({ "id": "r", "alias": "round", "topLevel": true, "authenticationExecutions": steps });
    let mut flows = Flows::new("realm", vec![kept(round)], Vec::new());
    assert!(flows.executions("round").unwrap().len() < 100);
    let refused = flows.copy("round", "again", &mut || "x".to_owned());
    assert_eq!(refused, Err(FlowError::Taken));
    flows.remove("round").unwrap();
}
