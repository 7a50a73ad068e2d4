//! What codes and grants are bound to (RFC 9449 §5, §10), kept and changed.

use vestibule::clock::Timestamp;
use vestibule::protocol::confirmation::Confirmation;
use vestibule::protocol::spend::{Spend, SpendKind};
use vestibule::store::{Change, KeepRefresh, Keeping, RedeemCode, Redemption};

use crate::on_both;
use crate::spends::{CALLERS, first_token, redemption};
use crate::world::{NOW, World};

fn key(jkt: &str) -> Option<Confirmation> {
    Some(Confirmation::Jkt(jkt.to_owned()))
}

on_both! {
    async fn rfc9449_10_a_code_keeps_its_key_and_redemption_binds_the_grant(world) {
        let World { store, tenant, .. } = &world;
        let realm = &tenant.realm.id;
        let mut code = tenant.code(store).await;
        code.fingerprint = "bound".into();
        code.confirmation = key("named");
        store.commit(vec![Change::AddCode(code.clone())]).await.unwrap();
        let record = store.code_by_fingerprint(realm, "bound").await.unwrap().unwrap();
        assert_eq!((&record.code.confirmation, &record.grant.confirmation), (&key("named"), &None));

        let redeem = RedeemCode { confirmation: key("shown"), ..redemption(tenant, &code) };
        let token = redeem.refresh.clone().unwrap().id;
        assert_eq!(store.redeem_code(redeem).await.unwrap(), Redemption::Redeemed);
        assert_eq!(store.refresh_token(realm, &token).await.unwrap().unwrap().grant.confirmation, key("shown"));
        let record = store.code_by_fingerprint(realm, "bound").await.unwrap().unwrap();
        assert_eq!(record.code.confirmation, key("named"), "what a replay is judged by");
    }

    async fn fapi2_5_3_2_1_a_token_that_stays_is_good_for_all_who_use_it_together(world) {
        let World { store, tenant, .. } = &world;
        let (grant, token) = first_token(&world).await;
        let with = |now: Timestamp| KeepRefresh {
            realm_id: tenant.realm.id.clone(),
            id: token.clone(),
            grant_id: grant.clone(),
            now,
            expires_at: now.plus(1_800),
            grant_expires_at: now.plus(1_800),
            session: None,
            spends: Vec::new(),
            audit: tenant.event(),
        };
        let calls = (0..CALLERS).map(|_| {
            let (store, keep) = (store.clone(), with(NOW.plus(60)));
            tokio::spawn(async move { store.keep_refresh_token(keep).await.unwrap() })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), Keeping::Kept);
        }
        let record = store.refresh_token(&tenant.realm.id, &token).await.unwrap().unwrap();
        assert_eq!((record.token.used_at, record.token.expires_at), (None, NOW.plus(1_860)));
        let late = store.keep_refresh_token(with(NOW.plus(1_860))).await.unwrap();
        assert_eq!(late, Keeping::Gone, "it expired");
        let spent = vec![Spend::new(SpendKind::DpopProof, "key", "jti", NOW.plus(120))];
        assert_eq!(store.spend(&tenant.realm.id, &spent).await.unwrap(), None);
        let replay = KeepRefresh { spends: spent, ..with(NOW.plus(61)) };
        assert_eq!(store.keep_refresh_token(replay).await.unwrap(), Keeping::Replayed(SpendKind::DpopProof));
        let (realm_id, id, at) = (tenant.realm.id.clone(), grant.clone(), NOW.plus(62));
        store.commit(vec![Change::RevokeGrant { realm_id, id, at }]).await.unwrap();
        assert_eq!(store.keep_refresh_token(with(NOW.plus(63))).await.unwrap(), Keeping::Gone, "revoked");
    }

    async fn a_grant_may_be_bound_from_the_start(world) {
        let World { store, tenant, .. } = &world;
        let mut grant = tenant.grant();
        grant.confirmation = key("shown");
        store.commit(vec![Change::AddGrant { grant: grant.clone(), expires_at: NOW.plus(60) }]).await.unwrap();
        let (kept, ..) = store.grant_with_user(&tenant.realm.id, &grant.id).await.unwrap().unwrap();
        assert_eq!(kept.confirmation, grant.confirmation);
    }
}
