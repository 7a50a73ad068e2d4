//! The roles of a fresh realm, and the clients that hold some of them.

use crate::protocol::built_in::{
    ACCOUNT, ADMIN_CLI, ADMIN_ROLE, CREATE_REALM_ROLE, MASTER, REALM_ADMIN_ROLE, management_client, programs,
};
use crate::protocol::client::{Client, ClientAuthentication, ClientSettings};
use crate::protocol::realm::Realm;
use crate::protocol::role::Role;

/// A role, what it allows, and the roles of the same holder that it is composed of.
type Row = (&'static str, &'static str, &'static [&'static str]);

const REALM_ROLES: [Row; 2] = [
    ("offline_access", "Keep access while the person is away", &[]),
    ("uma_authorization", "Share own resources with others", &[]),
];

/// Further realm roles of `master`.
const MASTER_ROLES: [Row; 2] = [
    (ADMIN_ROLE, "Everything, in all realms", &[CREATE_REALM_ROLE]),
    (CREATE_REALM_ROLE, "Create realms", &[]),
];

const ACCOUNT_ROLES: [Row; 8] = [
    ("delete-account", "Delete the own account", &[]),
    ("manage-account", "Change the own account", &["manage-account-links"]),
    ("manage-account-links", "Link accounts of other providers", &[]),
    ("manage-consent", "Withdraw consents", &["view-consent"]),
    ("view-applications", "See applications with access", &[]),
    ("view-consent", "See consents", &[]),
    ("view-groups", "See own groups", &[]),
    ("view-profile", "See the own profile", &[]),
];

/// Of [`ACCOUNT_ROLES`], those that everyone has.
const ACCOUNT_DEFAULTS: [&str; 2] = ["manage-account", "view-profile"];

/// `realm-admin`, which is composed of all the others, comes on top.
const MANAGEMENT_ROLES: [Row; 18] = [
    ("create-client", "Create clients", &[]),
    ("impersonation", "Act as another user", &[]),
    ("manage-authorization", "Change authorization settings", &[]),
    ("manage-clients", "Change clients", &[]),
    ("manage-events", "Change event settings", &[]),
    ("manage-identity-providers", "Change identity providers", &[]),
    ("manage-realm", "Change the realm", &[]),
    ("manage-users", "Change users", &[]),
    ("query-clients", "Find clients", &[]),
    ("query-groups", "Find groups", &[]),
    ("query-realms", "Find realms", &[]),
    ("query-users", "Find users", &[]),
    ("view-authorization", "See authorization settings", &[]),
    ("view-clients", "See clients", &["query-clients"]),
    ("view-events", "See events", &[]),
    ("view-identity-providers", "See identity providers", &[]),
    ("view-realm", "See the realm", &[]),
    ("view-users", "See users", &["query-groups", "query-users"]),
];

/// The client that holds what apps may do with accounts of other providers.
const BROKER: &str = "broker";
const BROKER_ROLES: [Row; 1] = [("read-token", "Read the tokens of other providers", &[])];

/// The clients of Keycloak's own pages, which realm files and tools speak of. Without a grant nobody gets a token by them.
const CONSOLES: [(&str, &str); 2] =
    [("account-console", "Account Console"), ("security-admin-console", "Security Admin Console")];

/// Clients, roles and composites of a fresh realm.
pub(super) struct Holders {
    pub(super) clients: Vec<Client>,
    pub(super) roles: Vec<Role>,
    pub(super) composites: Vec<(String, String)>,
}

/// All of them for `realm`.
pub(super) fn all(realm: &Realm, id: &mut dyn FnMut() -> String) -> Holders {
    let made = Holders { clients: vec![], roles: vec![], composites: vec![] };
    let mut maker = Maker { realm_id: &realm.id, id, made };
    let realm_roles = maker.roles(None, &REALM_ROLES);
    let account = maker.client(ACCOUNT, "Account", ClientAuthentication::None);
    let account_roles = maker.roles(Some(account), &ACCOUNT_ROLES);
    let defaults = account_roles.into_iter().filter(|(name, _)| ACCOUNT_DEFAULTS.contains(name));
    let default_role = maker.role(None, &realm.default_role(), "What every user of the realm has");
    maker.compose(&default_role, realm_roles.into_iter().chain(defaults));

    let management = maker.client(
        management_client(&realm.name),
        "Administration of the realm",
        // Without a stored secret it can never prove itself.
        ClientAuthentication::Secret,
    );
    let management_roles = maker.roles(Some(management.clone()), &MANAGEMENT_ROLES);
    if realm.name == MASTER {
        let master_roles = maker.roles(None, &MASTER_ROLES);
        if let Some((_, admin)) = master_roles.iter().find(|(name, _)| *name == ADMIN_ROLE) {
            maker.compose(admin, management_roles);
        }
    } else {
        let admin = maker.role(Some(management), REALM_ADMIN_ROLE, "Everything, in this realm");
        maker.compose(&admin, management_roles);
    }
    let broker = maker.client(BROKER, "Sign-in by other providers", ClientAuthentication::Secret);
    maker.roles(Some(broker), &BROKER_ROLES);
    maker.admin_cli();
    for (client_id, name) in CONSOLES {
        maker.client(client_id, name, ClientAuthentication::None);
    }
    maker.made
}

/// The client `client_id` of the realm `realm_id` with the roles that administrate a realm.
pub(super) fn overseer(
    realm_id: &str,
    client_id: &str,
    id: &mut dyn FnMut() -> String,
) -> (Client, Vec<Role>, Vec<(String, String)>) {
    let made = Holders { clients: vec![], roles: vec![], composites: vec![] };
    let mut maker = Maker { realm_id, id, made };
    let client = maker.holder(client_id, "Administration of the realm", ClientAuthentication::Secret);
    maker.roles(Some(client.id.clone()), &MANAGEMENT_ROLES);
    (client, maker.made.roles, maker.made.composites)
}

/// A role's name and identifier.
type Named = (&'static str, String);

struct Maker<'a> {
    realm_id: &'a str,
    id: &'a mut dyn FnMut() -> String,
    made: Holders,
}

impl Maker<'_> {
    fn client(&mut self, client_id: &str, name: &str, authentication: ClientAuthentication) -> String {
        let client = self.holder(client_id, name, authentication);
        let id = client.id.clone();
        self.made.clients.push(client);
        id
    }

    fn holder(&mut self, client_id: &str, name: &str, authentication: ClientAuthentication) -> Client {
        Client {
            id: (self.id)(),
            realm_id: self.realm_id.to_owned(),
            client_id: client_id.to_owned(),
            enabled: true,
            secret_hash: None,
            settings: ClientSettings {
                name: Some(name.to_owned()),
                authentication,
                built_in: true,
                ..ClientSettings::default()
            },
        }
    }

    /// The client of programs that administer.
    fn admin_cli(&mut self) {
        self.client(ADMIN_CLI, "Administration by programs", ClientAuthentication::None);
        let last = self.made.clients.pop();
        self.made.clients.extend(last.map(programs));
    }

    /// The roles of `rows`, composed as they say.
    fn roles(&mut self, client: Option<String>, rows: &[Row]) -> Vec<Named> {
        let named: Vec<Named> = rows
            .iter()
            .map(|(name, description, _)| (*name, self.role(client.clone(), name, description)))
            .collect();
        for ((_, parent), (_, _, children)) in named.iter().zip(rows) {
            let children = named.iter().filter(|(name, _)| children.contains(name)).cloned();
            self.compose(parent, children.collect::<Vec<_>>());
        }
        named
    }

    fn role(&mut self, client: Option<String>, name: &str, description: &str) -> String {
        let id = (self.id)();
        self.made.roles.push(Role {
            id: id.clone(),
            realm_id: self.realm_id.to_owned(),
            client,
            name: name.to_owned(),
            description: Some(description.to_owned()),
            attributes: Default::default(),
            built_in: true,
        });
        id
    }

    fn compose(&mut self, parent: &str, children: impl IntoIterator<Item = Named>) {
        self.made.composites.extend(children.into_iter().map(|(_, child)| (parent.to_owned(), child)));
    }
}
