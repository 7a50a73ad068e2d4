//! Realm files against a real database, in memory.

use std::sync::Arc;

use super::*;
use crate::passwords::{Limits, Passwords, Profile};
use crate::protocol::client::{Client, GrantType};
use crate::protocol::role::Group;
use crate::realm_file::{ExportOptions, Format, demo, export, export_with, fresh, parse};
use crate::store::StoreOptions;
use crate::vault::Vault;

const NOW: Timestamp = Timestamp(1_700_000_000);

struct Place {
    store: Store,
    secrets: ClientSecrets,
}

impl Place {
    async fn new() -> Self {
        Self::of(Profile::Development).await
    }

    async fn of(profile: Profile) -> Self {
        let vault = Arc::new(Vault::random());
        let store = Store::open(&StoreOptions::new("sqlite::memory:"), Arc::clone(&vault)).await.unwrap();
        store.migrate().await.unwrap();
        let passwords = Passwords::with_profile(Limits::default(), profile);
        Self { store, secrets: ClientSecrets::new(passwords, vault) }
    }

    async fn plan(&self, spec: &RealmSpec, prune: bool) -> Result<Plan, ApplyError> {
        plan(&self.store, &self.secrets, spec, PlanOptions { prune, ..PlanOptions::default() }, NOW).await
    }

    async fn apply(&self, spec: &RealmSpec) -> (Plan, Vec<NewSecret>) {
        apply_spec(&self.store, &self.secrets, spec, PlanOptions::default(), NOW).await.unwrap()
    }

    /// The realm as a file with all secrets, those that are known in the clear.
    async fn with_secrets(&self, realm: &str) -> String {
        let state = self.state(realm).await;
        let shown = |client: &Client| Some((client.client_id.clone(), self.secrets.shown(client)?));
        let known = state.clients.iter().filter_map(shown).collect();
        export_with(&state, ExportOptions { minimal: false, with_secrets: true }, &known).unwrap()
    }

    async fn state(&self, realm: &str) -> State {
        load(&self.store, realm).await.unwrap().unwrap()
    }
}

fn read(text: &str) -> RealmSpec {
    parse(text, Format::Toml, "realm.toml", &|_| None).unwrap().remove(0)
}

fn spec(rest: &str) -> RealmSpec {
    read(&format!("[realm]\nname = \"main\"\n{rest}"))
}

#[tokio::test]
async fn the_demo_realm_is_applied_once() {
    let place = Place::new().await;
    for spec in demo().unwrap() {
        assert!(place.apply(&spec).await.1.is_empty());
        for prune in [false, true] {
            let second = place.plan(&spec, prune).await.unwrap();
            assert!(second.is_empty(), "{second}");
        }
        assert!(
            prepare(&place.plan(&spec, false).await.unwrap(), &place.secrets, NOW)
                .await
                .unwrap()
                .changes
                .is_empty()
        );
    }
    let main = place.state("main").await;
    let alice = main.users.iter().find(|user| user.user.username == "alice").unwrap();
    let names: BTreeSet<String> = alice.roles.iter().map(|id| main.role_name(id).unwrap()).collect();
    assert_eq!(names, ["admin", "default-roles-main", "user"].map(str::to_owned).into());
    let password =
        place.secrets.passwords().verify(alice.password_hash.as_deref(), &"alice".into()).await.unwrap();
    assert!(password.matches);
    let tv = main.client("tv").unwrap();
    assert!(tv.is_public() && tv.may(GrantType::DeviceCode));
    let service = main.client("service").unwrap();
    assert_eq!(main.service_account(&service.id).unwrap().roles.len(), 2);
    let default = main.roles.realm_role("default-roles-main").unwrap();
    assert_eq!(main.roles.children(&default.id).count(), 4);
}

#[tokio::test]
async fn what_comes_with_every_realm_stays_whole_when_a_file_names_it() {
    let place = Place::new().await;
    place.apply(&spec("[[realm.roles]]\nname = \"default-roles-main\"\ndescription = \"Everyone\"\n")).await;
    let main = place.state("main").await;
    let default = main.roles.realm_role("default-roles-main").unwrap();
    assert_eq!(default.description.as_deref(), Some("Everyone"));
    assert!(default.built_in);
    assert_eq!(main.roles.children(&default.id).count(), 4);
}

#[tokio::test]
async fn an_export_of_the_database_changes_nothing() {
    let place = Place::new().await;
    for spec in demo().unwrap() {
        place.apply(&spec).await;
        for minimal in [false, true] {
            for with_secrets in [false, true] {
                let options = ExportOptions { minimal, with_secrets };
                let text = export(&place.state(&spec.name).await, options).unwrap();
                let plan = place.plan(&read(&text), true).await.unwrap();
                assert!(plan.is_empty(), "{plan}{text}");
            }
        }
    }
}

#[tokio::test]
async fn an_export_with_secrets_moves_a_realm() {
    let (here, there) = (Place::new().await, Place::new().await);
    let spec = demo().unwrap().remove(0);
    here.apply(&spec).await;
    let moved = here.with_secrets("main").await;
    assert!(moved.contains("secret = \"web-secret\"") && !moved.contains("secret_hash"), "{moved}");
    there.apply(&read(&moved)).await;
    assert!(there.plan(&spec, true).await.unwrap().is_empty(), "passwords and secrets came along");
    assert_eq!(there.with_secrets("main").await, moved);
}

#[tokio::test]
async fn changes_reach_the_database_and_a_second_plan_is_empty() {
    let place = Place::new().await;
    let spec = demo().unwrap().remove(0);
    place.apply(&spec).await;
    let mut changed = spec.clone();
    changed.display_name = Some("Other".into());
    changed.lifetimes.code = Some(30);
    changed.roles.retain(|role| role.name == "user");
    changed.clients.retain(|client| client.id != "tv");
    changed.users[0].roles = Some(vec!["user".into(), "account:view-groups".into()]);
    changed.users[0].password = Some("another".into());
    changed.users.remove(1);
    let options = PlanOptions { prune: true, ..PlanOptions::default() };
    let (plan, _) = apply_spec(&place.store, &place.secrets, &changed, options, NOW).await.unwrap();
    assert_eq!(plan.differences.len(), 5, "{plan}");
    let second = place.plan(&changed, true).await.unwrap();
    assert!(second.is_empty(), "{second}");
    let main = place.state("main").await;
    assert_eq!(main.realm.display_name.as_deref(), Some("Other"));
    assert_eq!(main.realm.settings.code, 30);
    assert!(main.client("tv").is_none() && main.roles.realm_role("admin").is_none());
    assert!(!main.users.iter().any(|user| user.user.username == "bob"));
    let alice = main.users.iter().find(|user| user.user.username == "alice").unwrap();
    assert!(
        place
            .secrets
            .passwords()
            .verify(alice.password_hash.as_deref(), &"another".into())
            .await
            .unwrap()
            .matches
    );
}

#[tokio::test]
async fn a_mistake_changes_nothing() {
    let place = Place::new().await;
    place.apply(&spec("[[realm.users]]\nusername = \"alice\"\nemail = \"a@x.example\"\n")).await;
    let before = place.store.realm_by_name("main").await.unwrap();
    for (name, rest, expected) in [
        (
            "a reference",
            "display_name = \"x\"\n[[realm.users]]\nusername = \"bob\"\nroles = [\"nope\"]\n",
            "realm.users[0].roles[0]: there is no role `nope`",
        ),
        (
            "somebody's address",
            "[[realm.users]]\nusername = \"bob\"\nemail = \"A@X.example\"\n",
            "realm.users[0].email: the user `alice` has this address",
        ),
    ] {
        let Err(ApplyError::File(problems)) = place.plan(&spec(rest), false).await else { panic!("{name}") };
        assert!(problems.to_string().ends_with(expected), "{name}: {problems}");
        assert_eq!(place.store.realm_by_name("main").await.unwrap(), before);
    }
}

#[tokio::test]
async fn secrets_are_drawn_once() {
    let place = Place::new().await;
    let file = spec("[[realm.clients]]\nid = \"api\"\n");
    let (_, secrets) = place.apply(&file).await;
    assert_eq!(secrets.len(), 1);
    assert_eq!((secrets[0].client_id.as_str(), secrets[0].secret.expose().len()), ("api", 43));
    assert!(!format!("{secrets:?}").contains(secrets[0].secret.expose()));
    let (second, secrets_again) = place.apply(&file).await;
    assert!(second.is_empty() && secrets_again.is_empty());
    let named =
        spec(&format!("[[realm.clients]]\nid = \"api\"\nsecret = \"{}\"\n", secrets[0].secret.expose()));
    assert!(place.plan(&named, false).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_new_password_signs_its_user_out() {
    let place = Place::new().await;
    let file =
        |password: &str| spec(&format!("[[realm.users]]\nusername = \"a\"\npassword = \"{password}\"\n"));
    let changes = async |password: &str| {
        let plan = place.plan(&file(password), false).await.unwrap();
        prepare(&plan, &place.secrets, NOW).await.unwrap().changes
    };
    assert!(!signs_out(&changes("one").await), "a new user has no sessions");
    place.apply(&file("one")).await;
    assert!(changes("one").await.is_empty());
    assert!(signs_out(&changes("two").await));
}

/// Sessions, grants, offline grants.
fn signs_out(changes: &[Change]) -> bool {
    let sessions = changes.iter().any(|change| matches!(change, Change::EndSessionsOfUser { .. }));
    let grants = changes.iter().any(|change| matches!(change, Change::RevokeGrantsOfUser { .. }));
    assert_eq!(sessions, grants, "all or nothing");
    sessions
}

#[tokio::test]
async fn f06_a_user_who_is_disabled_is_signed_out_once() {
    let place = Place::new().await;
    let file = |enabled: bool| spec(&format!("[[realm.users]]\nusername = \"a\"\nenabled = {enabled}\n"));
    let changes = async |enabled: bool| {
        let plan = place.plan(&file(enabled), false).await.unwrap();
        prepare(&plan, &place.secrets, NOW).await.unwrap().changes
    };
    assert!(!signs_out(&changes(false).await), "who was never there has nothing");
    place.apply(&file(true)).await;
    assert!(signs_out(&changes(false).await));
    place.apply(&file(false)).await;
    assert!(!signs_out(&changes(true).await));
}

#[tokio::test]
async fn two_nodes_that_begin_together_end_alike() {
    let place = Place::new().await;
    let spec = demo().unwrap().remove(0);
    let first = place.plan(&spec, false).await.unwrap();
    place.apply(&spec).await;
    let late = apply(&place.store, &place.secrets, &first, NOW).await;
    assert!(matches!(late, Err(ApplyError::Store(StoreError::Conflict { .. }))), "{late:?}");
    assert!(place.plan(&spec, true).await.unwrap().is_empty());
}

const APP: &str = "[[realm.clients]]\nid = \"app\"\nredirect_uris = [\"https://app.example/cb\"]\n";
const PERSON: &str = "[[realm.users]]\nusername = \"a\"\nemail = \"a@example.com\"\n";

/// What somebody else changes while a plan waits for its commit.
async fn meanwhile(place: &Place, case: &str) -> Change {
    let state = place.state("main").await;
    let realm_id = state.realm.id.clone();
    match case {
        "a client" => {
            let mut client = state.client("app").unwrap().clone();
            client.settings.redirect_uris.push("https://app.example/second".into());
            Change::PutClient { client: Box::new(client), at: NOW }
        }
        "a user" => {
            let mut user = state.users[0].user.clone();
            user.first_name = Some("Ann".into());
            Change::PutUser(Box::new(user))
        }
        "what a user must do" => {
            let (user_id, actions) = (state.users[0].user.id.clone(), vec!["UPDATE_PASSWORD".into()]);
            Change::SetRequiredActions { realm_id, user_id, actions }
        }
        _ => {
            let (id, path) = (fresh::id(), "/made".to_owned());
            let attributes = Default::default();
            Change::PutGroup(Group { id, realm_id, parent: None, name: "made".into(), path, attributes })
        }
    }
}

#[tokio::test]
async fn what_was_changed_since_a_plan_was_made_is_not_overwritten() {
    for case in ["a client", "a user", "what a user must do", "a group"] {
        let place = Place::new().await;
        place.apply(&spec(&format!("{APP}{PERSON}"))).await;
        let file = format!("{}name = \"App\"\n{}last_name = \"Black\"\n", APP, PERSON);
        let plan = place.plan(&spec(&file), false).await.unwrap();
        let change = meanwhile(&place, case).await;
        place.store.commit(vec![change]).await.unwrap();
        let before = place.state("main").await;
        let late = apply(&place.store, &place.secrets, &plan, NOW).await;
        assert!(matches!(late, Err(ApplyError::Moved)), "{case}: {late:?}");
        let after = place.state("main").await;
        assert_eq!(after.clients, before.clients, "{case}");
        assert_eq!(format!("{:?}", after.users), format!("{:?}", before.users), "{case}");
        assert!(!place.apply(&spec(&file)).await.0.is_empty(), "{case}: made anew it is applied");
        assert!(place.plan(&spec(&file), false).await.unwrap().is_empty(), "{case}");
    }
}

/// Each file says something else of the same client: in the end it is as all of them say.
#[tokio::test]
async fn files_that_are_applied_side_by_side_all_last() {
    let place = Arc::new(Place::new().await);
    place.apply(&spec(APP)).await;
    let said = ["name = \"App\"", "consent = true", "backchannel_logout_uri = \"https://app.example/out\""];
    let calls: Vec<_> = said
        .map(|said| {
            let place = Arc::clone(&place);
            tokio::spawn(async move { place.apply(&spec(&format!("{APP}{said}\n"))).await })
        })
        .into();
    for call in calls {
        call.await.unwrap();
    }
    for said in said {
        assert!(place.plan(&spec(&format!("{APP}{said}\n")), false).await.unwrap().is_empty(), "{said}");
    }
}

/// A client's stored secret.
async fn stored(place: &Place, client_id: &str) -> String {
    let state = place.state("main").await;
    state.client(client_id).unwrap().secret_hash.clone().unwrap_or_default()
}

const SHARED: &str = "a secret of at least thirty-two bytes";

#[tokio::test]
async fn a_secret_that_must_be_read_again_is_sealed() {
    let place = Place::of(Profile::Standard).await;
    let client = |fields: &str| spec(&format!("[[realm.clients]]\nid = \"app\"\n{fields}"));
    let shared = client(&format!("authentication = \"client_secret_jwt\"\nsecret = \"{SHARED}\""));
    assert!(place.apply(&shared).await.1.is_empty());
    let sealed = stored(&place, "app").await;
    assert!(sealed.starts_with("sealed:") && !sealed.contains(SHARED), "{sealed}");
    assert!(place.plan(&shared, false).await.unwrap().is_empty(), "the second time");
    let state = place.state("main").await;
    assert_eq!(place.secrets.reveal(state.client("app").unwrap()), Some(SHARED.into()));

    // Another method needs another stored form: the same secret when the file has it, else a new one.
    let plain = client(&format!("authentication = \"secret\"\nsecret = \"{SHARED}\""));
    assert!(place.apply(&plain).await.1.is_empty());
    assert!(stored(&place, "app").await.starts_with("$argon2id$"));
    let [drawn] = &place.apply(&client("authentication = \"client_secret_jwt\"")).await.1[..] else {
        panic!("a new secret is drawn")
    };
    let state = place.state("main").await;
    assert_eq!(place.secrets.reveal(state.client("app").unwrap()).as_ref(), Some(&drawn.secret));
}

/// What the panel of `dev` shows and an export holds; production keeps a hash of the same secret.
#[tokio::test]
async fn development_can_show_the_secrets_of_a_file_again_and_those_that_were_drawn() {
    let file =
        spec("[[realm.clients]]\nid = \"app\"\nsecret = \"app-secret\"\n[[realm.clients]]\nid = \"drawn\"\n");
    for (profile, forms) in
        [(Profile::Development, ["shared:", "shared:"]), (Profile::Standard, ["$argon2id$", "sha256:"])]
    {
        let place = Place::of(profile).await;
        let drawn = place.apply(&file).await.1.remove(0).secret;
        let state = place.state("main").await;
        for ((id, secret), form) in
            [("app", &Secret::from("app-secret")), ("drawn", &drawn)].into_iter().zip(forms)
        {
            assert!(stored(&place, id).await.starts_with(form), "{id}: {form}");
            let client = state.client(id).unwrap();
            let shown = (profile == Profile::Development).then(|| secret.clone());
            assert_eq!(place.secrets.shown(client), shown, "{id}");
            assert!(place.secrets.verify_of(client, secret).await.unwrap(), "{id}");
        }
        assert!(place.plan(&file, false).await.unwrap().is_empty(), "the second time");
    }
}

#[tokio::test]
async fn a_new_user_does_not_take_the_identifier_of_another() {
    let place = Place::new().await;
    place.apply(&spec("[[realm.users]]\nid = \"u1\"\nusername = \"alice\"\n")).await;
    let bob = spec("[[realm.users]]\nid = \"u1\"\nusername = \"bob\"\n");
    let told = place.plan(&bob, false).await.unwrap_err().to_string();
    assert!(told.contains("users[0].id: the user `alice` has this id"), "{told}");
    assert!(place.plan(&bob, true).await.is_ok(), "alice goes first");
}
