//! What a developer may copy: clients and people, as the realm files say them that a development server was started with.
//!
//! Owns what of a file is shown, and holds it for the terminal and the page at `/`. Production holds nothing here.

use std::sync::{PoisonError, RwLock};

use crate::app::App;
use crate::keycloak::representation::{ClientRepresentation, UserRepresentation};
use crate::protocol::client::ClientAuthentication;
use crate::realm_file::RealmSpec;
use crate::realm_file::spec::{ClientSpec, UserSpec};
use crate::secrets::Secret;
use crate::store::StoreError;

/// How many clients, and how many people, of a realm are shown: a file may hold a hundred thousand.
const MOST: usize = 20;

/// Clients of Keycloak's own, which its exports hold.
const KEYCLOAKS: [&str; 6] =
    ["account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console"];

/// A realm of which somebody may copy from.
#[derive(Clone, Debug, Default)]
pub struct ShownRealm {
    /// Its name in addresses.
    pub name: String,
    /// Its clients in the order of the file, the first of them.
    pub clients: Vec<ShownClient>,
    /// Its people in the order of the file, the first of them.
    pub users: Vec<ShownUser>,
    /// How many clients and people more there are.
    pub more: (usize, usize),
}

/// How a client proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownSecret {
    /// Not at all.
    Public,
    /// By a key or certificate of its own.
    Key,
    /// By this secret; none where the file does not say which.
    Secret(Option<Secret>),
}

/// A client to point an app at.
#[derive(Clone, Debug)]
pub struct ShownClient {
    /// `client_id`.
    pub id: String,
    /// How it proves itself.
    pub secret: ShownSecret,
    /// What it is for.
    pub purpose: String,
    /// Where it may send people back to.
    pub redirect_uris: Vec<String>,
}

/// A person to sign in as.
#[derive(Clone, Debug)]
pub struct ShownUser {
    /// The name to sign in with.
    pub username: String,
    /// The password; none where the file holds a hash, or nothing.
    pub password: Option<Secret>,
    /// Roles of the realm.
    pub roles: Vec<String>,
}

impl From<&RealmSpec> for ShownRealm {
    fn from(spec: &RealmSpec) -> Self {
        let (clients, users): (Vec<ShownClient>, Vec<ShownUser>) = match &spec.keycloak {
            None => (
                spec.clients.iter().map(ShownClient::from).collect(),
                spec.users.iter().map(ShownUser::from).collect(),
            ),
            Some(realm) => (
                realm.0.clients.iter().flatten().filter_map(of_keycloak).collect(),
                realm.0.users.iter().flatten().filter_map(person_of_keycloak).collect(),
            ),
        };
        let more = (clients.len().saturating_sub(MOST), users.len().saturating_sub(MOST));
        let (clients, users) =
            (clients.into_iter().take(MOST).collect(), users.into_iter().take(MOST).collect());
        Self { name: spec.name.clone(), clients, users, more }
    }
}

impl From<&ClientSpec> for ShownClient {
    fn from(client: &ClientSpec) -> Self {
        use ClientAuthentication::{ClientSecretJwt, None as Nothing, Secret};
        let secret = match client.authentication {
            _ if client.public == Some(true) => ShownSecret::Public,
            Some(Nothing) => ShownSecret::Public,
            None | Some(Secret | ClientSecretJwt) => ShownSecret::Secret(client.secret.clone()),
            Some(_) => ShownSecret::Key,
        };
        Self {
            id: client.id.clone(),
            secret,
            purpose: client.description.clone().unwrap_or_default(),
            redirect_uris: client.redirect_uris.clone().unwrap_or_default(),
        }
    }
}

impl From<&UserSpec> for ShownUser {
    fn from(user: &UserSpec) -> Self {
        Self {
            username: user.username.clone(),
            password: user.password.clone(),
            roles: user.roles.clone().unwrap_or_default(),
        }
    }
}

fn of_keycloak(client: &ClientRepresentation) -> Option<ShownClient> {
    let id =
        client.client_id.clone().filter(|id| !KEYCLOAKS.contains(&id.as_str()) && !id.ends_with("-realm"))?;
    let secret = match client.client_authenticator_type.as_deref() {
        _ if client.public_client == Some(true) => ShownSecret::Public,
        None | Some("client-secret" | "client-secret-jwt") => {
            let told = client.secret.as_ref().filter(|secret| !secret.is_empty() && !secret.contains("***"));
            ShownSecret::Secret(told.map(|secret| Secret::from(secret.clone())))
        }
        Some(_) => ShownSecret::Key,
    };
    let words = [&client.description, &client.name].into_iter().flatten();
    // `${client_account}` is a word for Keycloak's own pages.
    let purpose = words.filter(|words| !words.starts_with("${")).find(|words| !words.is_empty());
    Some(ShownClient {
        id,
        secret,
        purpose: purpose.cloned().unwrap_or_default(),
        redirect_uris: client.redirect_uris.clone().unwrap_or_default(),
    })
}

fn person_of_keycloak(user: &UserRepresentation) -> Option<ShownUser> {
    if user.service_account_client_id.is_some() {
        return None;
    }
    let passwords = user.credentials.iter().flatten();
    let told =
        passwords.filter(|one| one.kind.as_deref() == Some("password")).find_map(|one| one.value.clone());
    Some(ShownUser {
        username: user.username.clone()?,
        password: told.map(Secret::from),
        roles: user.realm_roles.clone().unwrap_or_default(),
    })
}

/// What is at hand of all realms.
#[derive(Debug, Default)]
pub struct AtHand {
    realms: RwLock<Vec<ShownRealm>>,
}

impl AtHand {
    /// Puts the realm of `spec` in the place of what was shown of it before.
    pub fn put(&self, spec: &RealmSpec) {
        let shown = ShownRealm::from(spec);
        let mut realms = self.realms.write().unwrap_or_else(PoisonError::into_inner);
        match realms.iter_mut().find(|one| one.name == shown.name) {
            Some(there) => *there = shown,
            None => realms.push(shown),
        }
    }

    /// What there is, in the order of the files.
    #[must_use]
    pub fn realms(&self) -> Vec<ShownRealm> {
        self.realms.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What is at hand, with the secrets that were drawn because no file says them.
///
/// # Errors
/// [`StoreError`].
pub async fn known(app: &App) -> Result<Vec<ShownRealm>, StoreError> {
    let mut realms = app.at_hand.realms();
    for realm in &mut realms {
        let unknown = |client: &&mut ShownClient| client.secret == ShownSecret::Secret(None);
        let mut unknown = realm.clients.iter_mut().filter(unknown).peekable();
        if unknown.peek().is_none() {
            continue;
        }
        let Some(record) = app.store.realm_by_name(&realm.name).await? else { continue };
        for client in unknown {
            if let Some(there) = app.store.client_by_client_id(&record.id, &client.id).await? {
                client.secret = ShownSecret::Secret(app.client_secrets.shown(&there));
            }
        }
    }
    Ok(realms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realm_file::{Format, parse};

    fn shown(text: &str, format: Format) -> ShownRealm {
        ShownRealm::from(&parse(text, format, "realm", &|_| None).unwrap().remove(0))
    }

    fn lines(realm: &ShownRealm) -> Vec<String> {
        let clients = realm.clients.iter().map(|client| {
            let secret = match &client.secret {
                ShownSecret::Public => "public",
                ShownSecret::Key => "key",
                ShownSecret::Secret(None) => "unknown",
                ShownSecret::Secret(Some(secret)) => secret.expose(),
            };
            format!("{} {secret} {:?} {}", client.id, client.redirect_uris, client.purpose)
        });
        let users = realm.users.iter().map(|user| {
            let password = user.password.as_ref().map_or("unknown", |password| password.expose());
            format!("{} {password} {:?}", user.username, user.roles)
        });
        clients.chain(users).collect()
    }

    #[test]
    fn what_a_file_says_is_shown_in_its_order_and_in_either_form() {
        let native = shown(
            "[realm]\nname = \"shop\"\n[[realm.roles]]\nname = \"user\"\n\
             [[realm.clients]]\nid = \"web\"\nsecret = \"web-secret\"\ndescription = \"The shop\"\n\
             redirect_uris = [\"http://localhost:3000/cb\"]\n\
             [[realm.clients]]\nid = \"app\"\npublic = true\n[[realm.clients]]\nid = \"drawn\"\n\
             [[realm.clients]]\nid = \"keyed\"\nauthentication = \"private_key_jwt\"\njwks_uri = \"https://a.example/k\"\n\
             [[realm.users]]\nusername = \"zoe\"\npassword = \"z\"\nroles = [\"user\"]\n[[realm.users]]\nusername = \"al\"\n",
            Format::Toml,
        );
        assert_eq!(
            lines(&native),
            [
                "web web-secret [\"http://localhost:3000/cb\"] The shop",
                "app public [] ",
                "drawn unknown [] ",
                "keyed key [] ",
                "zoe z [\"user\"]",
                "al unknown []",
            ]
        );
        let keycloak = shown(
            r#"{"realm": "shop", "clients": [
                {"clientId": "account", "publicClient": true},
                {"clientId": "web", "name": "Shop", "secret": "s", "redirectUris": ["https://a.example/cb"]},
                {"clientId": "masked", "description": "${client_x}", "secret": "**********"},
                {"clientId": "keyed", "clientAuthenticatorType": "client-jwt"}
            ], "users": [
                {"username": "alice", "realmRoles": ["user"], "credentials": [
                    {"type": "otp", "value": "x"}, {"type": "password", "value": "a"}
                ]},
                {"username": "bob", "credentials": [{"type": "password", "secretData": "{}", "credentialData": "{}"}]},
                {"username": "service-account-web", "serviceAccountClientId": "web"}
            ]}"#,
            Format::Json,
        );
        assert_eq!(
            lines(&keycloak),
            [
                "web s [\"https://a.example/cb\"] Shop",
                "masked unknown [] ",
                "keyed key [] ",
                "alice a [\"user\"]",
                "bob unknown []",
            ]
        );
    }

    #[test]
    fn of_many_the_first_are_shown_and_the_rest_counted() {
        use std::fmt::Write as _;
        let mut text = String::from("[realm]\nname = \"large\"\n");
        for index in 0..MOST + 5 {
            let _ = write!(text, "[[realm.users]]\nusername = \"u{index}\"\n");
        }
        let at_hand = AtHand::default();
        let spec = parse(&text, Format::Toml, "realm", &|_| None).unwrap().remove(0);
        at_hand.put(&spec);
        at_hand.put(&spec);
        let realms = at_hand.realms();
        assert_eq!((realms.len(), realms[0].users.len(), realms[0].more), (1, MOST, (0, 5)));
    }
}
