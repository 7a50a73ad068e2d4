//! Realms whose users are in files of their own.

use std::sync::Arc;

use super::super::spec::RealmSpec;

/// The realms of the files of one import, in their order. A service account that a later file describes moves to the
/// file of its realm: it comes to be with its client, and has the identifier that is given it from its beginning.
#[must_use]
pub fn with_service_accounts(mut realms: Vec<RealmSpec>) -> Vec<RealmSpec> {
    for index in 1..=realms.len() {
        let (before, later) = realms.split_at_mut(index);
        let Some(realm) = before.last_mut() else { continue };
        let Some(own) = &mut realm.keycloak else { continue };
        if own.0.clients.is_none() {
            continue;
        }
        let same = later.iter_mut().filter(|other| other.name == realm.name);
        let mut accounts = Vec::new();
        for other in same.filter_map(|other| other.keycloak.as_mut()) {
            if let Some(users) = &mut Arc::make_mut(&mut other.0).users {
                accounts.extend(users.extract_if(.., |user| user.service_account_client_id.is_some()));
            }
        }
        if !accounts.is_empty() {
            Arc::make_mut(&mut own.0).users.get_or_insert_default().append(&mut accounts);
        }
    }
    realms
}

#[cfg(test)]
mod tests {
    use super::super::super::{Format, parse};
    use super::*;

    #[test]
    fn a_service_account_comes_with_its_client_and_people_in_their_own_file() {
        let read = |text: &str| parse(text, Format::Json, "f.json", &|_| None).unwrap().remove(0);
        let realms = with_service_accounts(vec![
            read(r#"{"realm": "shop", "clients": [{"clientId": "api", "serviceAccountsEnabled": true}]}"#),
            read(
                r#"{"realm": "shop", "users": [
                    {"username": "service-account-api", "serviceAccountClientId": "api"}, {"username": "alice"}]}"#,
            ),
            read(r#"{"realm": "other", "users": [{"username": "x", "serviceAccountClientId": "api"}]}"#),
        ]);
        let names = |realm: &RealmSpec| {
            let users = realm.keycloak.iter().flat_map(|realm| realm.0.users.iter().flatten());
            users.filter_map(|user| user.username.clone()).collect::<Vec<_>>()
        };
        let found: Vec<_> = realms.iter().map(names).collect();
        assert_eq!(found, [vec!["service-account-api"], vec!["alice"], vec!["x"]]);
    }
}
