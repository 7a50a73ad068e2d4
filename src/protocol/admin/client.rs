//! What clients and their mappers may not be made to give: more than the one who looks after them has (attacks A03).

use super::Rights;
use crate::protocol::built_in::{ADMIN_CLI, MASTER, management_client};
use crate::protocol::client::{Client, ClientSettings};
use crate::protocol::mapper::{Kind, Mapper};
use crate::protocol::role::{Role, Roles};

/// The client of Keycloak's administration pages.
const CONSOLE: &str = "security-admin-console";

/// Whether administrators of the realm called `realm` come in by this client, or it holds their roles: whoever changes
/// where it sends people, or how it proves itself, gets what they have.
#[must_use]
pub fn is_entrance(realm: &str, client: &Client) -> bool {
    let name = client.client_id.as_str();
    [ADMIN_CLI, CONSOLE, management_client(realm)].contains(&name)
        || (realm == MASTER && client.settings.built_in && name.ends_with("-realm"))
}

impl Rights {
    /// Whether the caller may put `mapper` into tokens of the realm called `realm`: it gives no role, and no audience,
    /// that is worth more than what the caller has.
    #[must_use]
    pub fn covers_mapper(&self, realm: &str, roles: &Roles, mapper: &Mapper) -> bool {
        let setting = |name: &str| mapper.config.get(name).map(String::as_str);
        let role = |name: &str| setting(name).and_then(|spec| named(roles, spec));
        let covers =
            |role: Option<&Role>| role.is_none_or(|role| self.covers(realm, roles, [role.id.as_str()]));
        match Kind::parse(&mapper.kind) {
            Some(Kind::HardcodedRole) => covers(role("role")),
            Some(Kind::RoleName) => covers(role("new.role.name")),
            Some(Kind::Audience) => ["included.client.audience", "included.custom.audience"]
                .into_iter()
                .filter_map(setting)
                .all(|client_id| self.covers_roles_of(realm, roles, client_id)),
            _ => true,
        }
    }

    /// Whether the caller may give a client of the realm called `realm` these settings.
    #[must_use]
    pub fn covers_settings(&self, realm: &str, roles: &Roles, settings: &ClientSettings) -> bool {
        let exchanged = settings.exchange.iter().map(|rule| &rule.audience);
        settings.audiences.iter().chain(exchanged).all(|name| self.covers_roles_of(realm, roles, name))
            && settings.mappers.iter().all(|mapper| self.covers_mapper(realm, roles, mapper))
    }
}

/// The role that a mapper means by `name`, or by `client.name`.
fn named<'a>(roles: &'a Roles, spec: &str) -> Option<&'a Role> {
    roles.iter().find(|role| match roles.client_id(role) {
        Some(client_id) => {
            spec.strip_prefix(client_id).and_then(|rest| rest.strip_prefix('.')) == Some(role.name.as_str())
        }
        None => spec == role.name,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::protocol::admin::Caller;
    use crate::protocol::built_in::{FreshRealm, fresh_realm};
    use crate::protocol::jws::Claims;

    fn realm() -> (Roles, Vec<Client>) {
        let mut next = 0;
        let mut id = || {
            next += 1;
            next.to_string()
        };
        let FreshRealm { clients, roles, composites, .. } = fresh_realm("main", &mut id);
        let names = clients.iter().map(|client| (client.id.clone(), client.client_id.clone())).collect();
        (Roles::new(roles, composites, names), clients)
    }

    fn rights(roles: &Roles, held: &str) -> Rights {
        let role = named(roles, held).unwrap();
        Caller::new("main", roles, std::slice::from_ref(&role.id), ADMIN_CLI, &Claims::new(Map::new()))
            .over("main")
    }

    fn mapper(kind: &str, name: &str, value: &str) -> Mapper {
        let config = [(name.to_owned(), value.to_owned())].into();
        Mapper { kind: kind.to_owned(), config, ..Mapper::default() }
    }

    #[test]
    fn a03_what_mappers_give() {
        let (roles, _) = realm();
        let (some, all) = (
            rights(&roles, "realm-management.manage-clients"),
            rights(&roles, "realm-management.realm-admin"),
        );
        let (role, rename, audience) =
            ("oidc-hardcoded-role-mapper", "oidc-role-name-mapper", "oidc-audience-mapper");
        for (row, mapper, expected) in [
            ("another's right", mapper(role, "role", "realm-management.manage-users"), false),
            ("all rights", mapper(role, "role", "realm-management.realm-admin"), false),
            ("their own", mapper(role, "role", "realm-management.manage-clients"), true),
            ("a plain role", mapper(role, "role", "offline_access"), true),
            ("a role that is not there", mapper(role, "role", "realm-management.none"), true),
            ("renamed to a right", mapper(rename, "new.role.name", "realm-management.manage-users"), false),
            ("the audience", mapper(audience, "included.client.audience", "realm-management"), false),
            ("by another setting", mapper(audience, "included.custom.audience", "realm-management"), false),
            ("another audience", mapper(audience, "included.client.audience", "api"), true),
            ("a claim", mapper("oidc-hardcoded-claim-mapper", "claim.value", "realm-management"), true),
        ] {
            assert_eq!(some.covers_mapper("main", &roles, &mapper), expected, "{row}");
            assert!(all.covers_mapper("main", &roles, &mapper), "{row}");
        }
        let settings =
            ClientSettings { audiences: vec!["realm-management".to_owned()], ..Default::default() };
        assert!(!some.covers_settings("main", &roles, &settings));
        assert!(all.covers_settings("main", &roles, &settings));
        assert!(!some.covers_all("main", &roles) && all.covers_all("main", &roles));
    }

    #[test]
    fn a03_where_administrators_come_in() {
        let (_, clients) = realm();
        let entrances: Vec<&str> = clients
            .iter()
            .filter(|client| is_entrance("main", client))
            .map(|client| client.client_id.as_str())
            .collect();
        assert_eq!(entrances, ["realm-management", ADMIN_CLI, "security-admin-console"]);
    }
}
