//! The demo realm: what `dev` begins with when it is given no realm file.
//!
//! Owns the file. It is an ordinary realm file that is applied in the ordinary way; `serve` would refuse it.

use super::{FileProblems, Format, RealmSpec, parse};

/// The name that messages about the file use.
const NAME: &str = "demo.toml";

/// The realms `main` and `master` with their users, passwords, clients and secrets.
///
/// # Errors
/// When the file that is built in breaks a rule of realm files, which a test rules out.
pub fn demo() -> Result<Vec<RealmSpec>, FileProblems> {
    parse(include_str!("demo.toml"), Format::Toml, NAME, &|_| None)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::protocol::built_in::fresh_realm;
    use crate::protocol::outbound::OutboundRules;
    use crate::protocol::redirect_uri::{Strictness, matches};
    use crate::protocol::web_origin;
    use crate::realm_file::production_refusals;
    use crate::realm_file::spec::{ClientSpec, UserSpec};

    fn realm(name: &str) -> RealmSpec {
        demo().unwrap().into_iter().find(|realm| realm.name == name).unwrap()
    }

    fn client(id: &str) -> ClientSpec {
        realm("main").clients.into_iter().find(|client| client.id == id).unwrap()
    }

    /// The tables of the documentation, row by row.
    #[test]
    fn it_holds_what_the_documentation_promises() {
        let user = |user: &UserSpec| {
            let password = user.password.as_ref().map(|password| password.expose().to_owned());
            (user.username.clone(), password, user.roles.clone().unwrap_or_default().join(" "))
        };
        let row = |name: &str, roles: &str| (name.to_owned(), Some(name.to_owned()), roles.to_owned());
        let users = |realm: &str| self::realm(realm).users.iter().map(user).collect::<Vec<_>>();
        assert_eq!(users("main"), [row("alice", "user admin"), row("bob", "user")]);
        assert_eq!(users("master"), [row("admin", "admin")]);

        let secrets: BTreeMap<String, Option<String>> = realm("main")
            .clients
            .iter()
            .map(|client| (client.id.clone(), client.secret.as_ref().map(|s| s.expose().to_owned())))
            .collect();
        let expected = ["web", "spa", "third-party", "service", "gateway", "api", "tv"].map(|id| {
            let public = matches!(id, "spa" | "tv");
            (id.to_owned(), (!public).then(|| format!("{id}-secret")))
        });
        assert_eq!(secrets, BTreeMap::from(expected));
        for id in ["web", "spa", "third-party", "service", "tv"] {
            assert_eq!(client(id).audiences.unwrap(), ["api", "gateway"], "{id}");
            assert_eq!(client(id).consent.unwrap_or(false), id == "third-party", "{id}");
        }
    }

    #[test]
    fn its_addresses_are_every_path_and_port_of_this_machine() {
        for id in ["web", "spa", "third-party"] {
            let client = client(id);
            let uris = client.redirect_uris.unwrap();
            for (requested, expected) in [
                ("http://localhost:3000/callback", true),
                ("http://localhost/callback", true),
                ("http://127.0.0.1:41873/a/b?c=d", true),
                ("http://[::1]:5173/", true),
                ("https://localhost:3000/callback", false),
                ("http://localhost.evil.example/callback", false),
                ("http://localhost:3000@evil.example/callback", false),
                ("https://evil.example/callback", false),
            ] {
                let covers = |mode| uris.iter().any(|uri| matches(uri, requested, mode, false));
                assert_eq!(covers(Strictness::Development), expected, "{id}: {requested}");
                assert!(!covers(Strictness::Serve), "{id}: {requested}");
            }
            let origins = client.web_origins.unwrap();
            for (origin, expected) in
                [("http://localhost:5173", true), ("http://[::1]:1", true), ("https://evil.example", false)]
            {
                let allowed = web_origin::allows(&origins, &uris, origin, Strictness::Development);
                assert_eq!(allowed, expected, "{id}: {origin}");
            }
        }
    }

    #[test]
    fn what_it_refers_to_exists() {
        for spec in demo().unwrap() {
            let fresh = fresh_realm(&spec.name, &mut String::new);
            let roles: BTreeSet<&str> = fresh
                .roles
                .iter()
                .filter(|role| role.client.is_none())
                .map(|role| role.name.as_str())
                .chain(spec.roles.iter().map(|role| role.name.as_str()))
                .collect();
            let given = spec.users.iter().flat_map(|user| user.roles.iter().flatten());
            let service = spec.clients.iter().flat_map(|c| c.service_account_roles.iter().flatten());
            for role in given.chain(service) {
                assert!(roles.contains(role.as_str()), "{}: {role}", spec.name);
            }
            let scopes: BTreeSet<&str> = fresh
                .scopes
                .iter()
                .map(|scope| scope.name.as_str())
                .chain(spec.scopes.iter().map(|scope| scope.name.as_str()))
                .collect();
            let listed = spec.clients.iter().flat_map(|c| c.optional_scopes.iter().flatten());
            for scope in spec.optional_scopes.iter().flatten().chain(listed) {
                assert!(scopes.contains(scope.as_str()), "{}: {scope}", spec.name);
            }
        }
    }

    /// So that the tests of every standard scope can use alice.
    #[test]
    fn alice_has_every_attribute_that_the_built_in_scopes_read() {
        let alice = realm("main").users.remove(0);
        let attributes = alice.attributes.unwrap();
        let fresh = fresh_realm("main", &mut String::new);
        let fields = ["username", "email", "firstName", "lastName", "emailVerified"];
        for mapper in fresh.scopes.iter().flat_map(|scope| &scope.settings.mappers) {
            let read = mapper.config.iter().filter(|(key, _)| key.starts_with("user.attribute"));
            for (_, attribute) in read.filter(|(_, attribute)| !fields.contains(&attribute.as_str())) {
                assert!(attributes.contains_key(attribute), "{attribute}");
            }
        }
    }

    #[test]
    fn c02_production_would_refuse_the_password_grant_but_of_admin_cli() {
        for (id, refused) in [("app", true), ("admin-cli", false)] {
            let text = format!("[[realm.clients]]\nid = \"{id}\"\npublic = true\ngrants = [\"password\"]");
            let spec =
                parse(&format!("[realm]\nname = \"x\"\n{text}"), Format::Toml, NAME, &|_| None).unwrap();
            let told: Vec<String> = production_refusals(&spec[0], OutboundRules::default())
                .into_iter()
                .map(|problem| problem.field)
                .collect();
            assert_eq!(
                told.iter().any(|field| field.ends_with("clients[0].grants")),
                refused,
                "{id}: {told:?}"
            );
        }
    }

    #[test]
    fn production_would_refuse_it() {
        assert!(!production_refusals(&realm("main"), OutboundRules::default()).is_empty());
    }
}
