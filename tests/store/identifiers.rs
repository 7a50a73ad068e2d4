//! An identifier that may be used once: one of fifty callers uses it up, and whatever came with a used one leaves no trace
//! (attacks C04, J07).

use vestibule::clock::Timestamp;
use vestibule::protocol::spend::{Spend, SpendKind};
use vestibule::store::{RedeemCode, Redemption, RotateRefresh, Rotation};

use crate::on_both;
use crate::spends::{CALLERS, first_token, redemption, rotation};
use crate::world::{NOW, Tenant, World};

const REPLAYED: Option<SpendKind> = Some(SpendKind::ClientAssertion);

fn spend(jti: &str, expires_at: Timestamp) -> Spend {
    Spend::new(SpendKind::ClientAssertion, "client", jti, expires_at)
}

on_both! {
    async fn c04_one_of_fifty_spends_an_identifier(world) {
        for round in 0..4 {
            let calls = (0..CALLERS).map(|_| {
                let (store, realm) = (world.store.clone(), world.tenant.realm.id.clone());
                tokio::spawn(async move {
                    store.spend(&realm, &[spend(&format!("j{round}"), NOW.plus(60))]).await.unwrap()
                })
            });
            let mut fresh = 0;
            for call in calls.collect::<Vec<_>>() {
                fresh += usize::from(call.await.unwrap().is_none());
            }
            assert_eq!(fresh, 1, "round {round}");
        }
    }

    async fn c04_an_identifier_is_of_its_realm_and_owner(world) {
        let World { store, tenant, .. } = &world;
        let other = Tenant::new("other", store).await;
        let ours = spend("same", NOW.plus(60));
        let anothers = Spend::new(SpendKind::ClientAssertion, "another client", "same", NOW.plus(60));
        assert_eq!(store.spend(&tenant.realm.id, std::slice::from_ref(&ours)).await.unwrap(), None);
        assert_eq!(store.spend(&other.realm.id, std::slice::from_ref(&ours)).await.unwrap(), None);
        assert_eq!(store.spend(&tenant.realm.id, &[anothers]).await.unwrap(), None);
        assert_eq!(store.spend(&tenant.realm.id, &[ours]).await.unwrap(), REPLAYED);
    }

    async fn several_are_spent_together_or_not_at_all(world) {
        let World { store, tenant, .. } = &world;
        let (a, b) = (spend("a", NOW.plus(60)), spend("b", NOW.plus(60)));
        assert_eq!(store.spend(&tenant.realm.id, std::slice::from_ref(&a)).await.unwrap(), None);
        assert_eq!(store.spend(&tenant.realm.id, &[b.clone(), a]).await.unwrap(), REPLAYED);
        assert_eq!(store.spend(&tenant.realm.id, &[b]).await.unwrap(), None, "it was not spent");
        assert_eq!(store.spend(&tenant.realm.id, &[]).await.unwrap(), None);
    }

    async fn c04_looking_spends_nothing(world) {
        let World { store, tenant, .. } = &world;
        let realm = &tenant.realm.id;
        let (a, b) = (spend("a", NOW.plus(60)), spend("b", NOW.plus(60)));
        assert_eq!(store.spend(realm, std::slice::from_ref(&a)).await.unwrap(), None);
        assert_eq!(store.spent(realm, &[]).await.unwrap(), None);
        for both in [[b.clone(), a.clone()], [a, b.clone()]] {
            assert_eq!(store.spent(realm, &both).await.unwrap(), REPLAYED);
        }
        for _ in 0..2 {
            assert_eq!(store.spent(realm, std::slice::from_ref(&b)).await.unwrap(), None);
        }
        assert_eq!(store.spend(realm, &[b]).await.unwrap(), None);
    }

    async fn c04_a_replay_leaves_a_code_as_it_was(world) {
        let World { store, tenant, .. } = &world;
        let code = tenant.code(store).await;
        let with = |jti: &str| RedeemCode {
            spends: vec![spend(jti, NOW.plus(60))],
            ..redemption(tenant, &code)
        };
        assert_eq!(store.spend(&tenant.realm.id, &with("used").spends).await.unwrap(), None);
        let replay = store.redeem_code(with("used")).await.unwrap();
        assert_eq!(replay, Redemption::Replayed(SpendKind::ClientAssertion));
        let record = store.code_by_fingerprint(&tenant.realm.id, &code.fingerprint).await.unwrap().unwrap();
        assert!(record.code.redeemed_at.is_none() && record.grant.revoked_at.is_none());
        assert_eq!(store.redeem_code(with("fresh")).await.unwrap(), Redemption::Redeemed);
        assert_eq!(store.spend(&tenant.realm.id, &with("fresh").spends).await.unwrap(), REPLAYED);
    }

    async fn c04_one_of_fifty_redemptions_with_the_same_identifier_lasts(world) {
        let World { store, tenant, .. } = &world;
        let mut calls = Vec::new();
        for _ in 0..CALLERS {
            let code = tenant.code(store).await;
            let redeem =
                RedeemCode { spends: vec![spend("shared", NOW.plus(60))], ..redemption(tenant, &code) };
            let store = store.clone();
            calls.push(tokio::spawn(async move { store.redeem_code(redeem).await.unwrap() }));
        }
        let mut redeemed = 0;
        for call in calls {
            redeemed += usize::from(call.await.unwrap() == Redemption::Redeemed);
        }
        assert_eq!(redeemed, 1);
    }

    async fn c04_a_replay_rotates_nothing(world) {
        let World { store, tenant, .. } = &world;
        let (grant, token) = first_token(&world).await;
        let with = |jti: &str| RotateRefresh {
            spends: vec![spend(jti, NOW.plus(60))],
            ..rotation(tenant, &grant, &token, NOW.plus(5), 0)
        };
        assert_eq!(store.spend(&tenant.realm.id, &with("used").spends).await.unwrap(), None);
        let replay = store.rotate_refresh_token(with("used")).await.unwrap();
        assert_eq!(replay, Rotation::Replayed(SpendKind::ClientAssertion));
        let record = store.refresh_token(&tenant.realm.id, &token).await.unwrap().unwrap();
        assert!(record.token.used_at.is_none() && record.grant.revoked_at.is_none());
        assert_eq!(store.rotate_refresh_token(with("fresh")).await.unwrap(), Rotation::Rotated);
    }

    async fn o04_an_identifier_is_swept_when_its_time_is_over(world) {
        let World { store, tenant, .. } = &world;
        let ours = [spend("a", NOW.plus(60))];
        assert_eq!(store.spend(&tenant.realm.id, &ours).await.unwrap(), None);
        store.sweep(NOW.plus(600), 90, 100).await.unwrap();
        assert_eq!(store.spend(&tenant.realm.id, &ours).await.unwrap(), REPLAYED, "its time is not over");
        store.sweep(NOW.plus(3_600), 90, 100).await.unwrap();
        assert_eq!(store.spend(&tenant.realm.id, &ours).await.unwrap(), None);
    }
}
