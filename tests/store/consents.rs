//! What a person allows, in several tabs at once and beside a withdrawal (attacks S07).

use std::collections::BTreeSet;

use vestibule::protocol::consent::Consent;
use vestibule::store::{Change, StoreError};

use crate::on_both;
use crate::spends::CALLERS;
use crate::world::{NOW, Tenant, World};

fn yes(tenant: &Tenant, scopes: &[&str]) -> Change {
    Change::WidenConsent(Consent {
        realm_id: tenant.realm.id.clone(),
        user_id: tenant.user.id.clone(),
        client: tenant.client.id.clone(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        granted_at: NOW,
        updated_at: NOW,
    })
}

fn withdrawal(tenant: &Tenant) -> Change {
    let (realm_id, user_id) = (tenant.realm.id.clone(), tenant.user.id.clone());
    Change::WithdrawConsent { realm_id, user_id, client: tenant.client.id.clone(), at: NOW }
}

/// What is allowed; none when nothing is.
async fn allowed(world: &World) -> Option<BTreeSet<String>> {
    let Tenant { realm, user, client, .. } = &world.tenant;
    world.store.consent(&realm.id, &user.id, &client.id).await.unwrap().map(|consent| consent.scopes)
}

fn set(scopes: &[&str]) -> Option<BTreeSet<String>> {
    Some(scopes.iter().map(|scope| (*scope).to_owned()).collect())
}

on_both! {
    async fn s07_a_consent_is_widened_by_each_yes(world) {
        for (said, holds) in [
            (&[][..], &[][..]),
            (&["email"], &["email"]),
            (&["email"], &["email"]),
            (&["mail", "e"], &["email", "mail", "e"]),
            (&["a\\b", "a%b", "a_b", "a]b"], &["email", "mail", "e", "a\\b", "a%b", "a_b", "a]b"]),
            (&["a%b", "aXb", "a'b"], &["email", "mail", "e", "a\\b", "a%b", "a_b", "a]b", "aXb", "a'b"]),
            (&[], &["email", "mail", "e", "a\\b", "a%b", "a_b", "a]b", "aXb", "a'b"]),
        ] {
            world.store.commit(vec![yes(&world.tenant, said)]).await.unwrap();
            assert_eq!(allowed(&world).await, set(holds), "{said:?}");
        }
        world.store.commit(vec![withdrawal(&world.tenant)]).await.unwrap();
        assert_eq!(allowed(&world).await, None);
        world.store.commit(vec![yes(&world.tenant, &["phone"])]).await.unwrap();
        assert_eq!(allowed(&world).await, set(&["phone"]), "nothing that was withdrawn comes back");
    }

    async fn a04_nobody_consents_for_another_realm(world) {
        let other = Tenant::new("other", &world.store).await;
        let Change::WidenConsent(consent) = yes(&other, &["email"]) else { unreachable!() };
        let mixed = Consent { client: world.tenant.client.id.clone(), ..consent };
        let refused = world.store.commit(vec![Change::WidenConsent(mixed)]).await;
        assert!(matches!(refused, Err(StoreError::Conflict { what: "reference" })), "{refused:?}");
    }

    async fn s07_of_fifty_answers_at_once_none_is_lost(world) {
        let calls = (0..CALLERS).map(|at| {
            let (store, yes) = (world.store.clone(), yes(&world.tenant, &["openid", &format!("scope-{at}")]));
            tokio::spawn(async move { store.commit(vec![yes]).await.unwrap() })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap();
        }
        let all = (0..CALLERS).map(|at| format!("scope-{at}")).chain(["openid".to_owned()]).collect();
        assert_eq!(allowed(&world).await, Some(all));
    }

    /// Each yes gives a grant for its scope: of whatever comes before a withdrawal or after it, no grant is good that the
    /// consent does not speak of.
    async fn s07_a_withdrawal_beside_answers_leaves_no_grant_without_consent(world) {
        for round in 0..4 {
            let calls = (0..CALLERS).map(|at| {
                let (store, tenant, scope) = (world.store.clone(), world.tenant.clone(), format!("scope-{at}"));
                tokio::spawn(async move {
                    if at % 10 == 9 {
                        store.commit(vec![withdrawal(&tenant)]).await.unwrap();
                        return None;
                    }
                    let mut grant = tenant.grant();
                    grant.scope.clone_from(&scope);
                    let id = grant.id.clone();
                    let given = Change::AddGrant { grant, expires_at: NOW.plus(600) };
                    store.commit(vec![yes(&tenant, &[&scope]), given]).await.unwrap();
                    Some(id)
                })
            });
            let mut given = Vec::new();
            for call in calls.collect::<Vec<_>>() {
                given.extend(call.await.unwrap());
            }
            let mut good = BTreeSet::new();
            for id in given {
                let (grant, ..) =
                    world.store.grant_with_user(&world.tenant.realm.id, &id).await.unwrap().unwrap();
                if grant.revoked_at.is_none() {
                    good.insert(grant.scope);
                }
            }
            let allowed = allowed(&world).await.unwrap_or_default();
            assert!(good.is_subset(&allowed), "round {round}: {good:?} of {allowed:?}");
            world.store.commit(vec![withdrawal(&world.tenant)]).await.unwrap();
        }
    }
}
