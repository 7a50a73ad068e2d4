//! What codes and grants are bound to (RFC 9449 §5, §10), kept and changed.

use vestibule::protocol::confirmation::Confirmation;
use vestibule::store::{Change, RedeemCode, Redemption};

use crate::on_both;
use crate::spends::redemption;
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

    async fn a_grant_may_be_bound_from_the_start(world) {
        let World { store, tenant, .. } = &world;
        let mut grant = tenant.grant();
        grant.confirmation = key("shown");
        store.commit(vec![Change::AddGrant { grant: grant.clone(), expires_at: NOW.plus(60) }]).await.unwrap();
        let (kept, ..) = store.grant_with_user(&tenant.realm.id, &grant.id).await.unwrap().unwrap();
        assert_eq!(kept.confirmation, grant.confirmation);
    }
}
