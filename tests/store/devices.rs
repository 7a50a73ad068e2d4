//! A device's request: spent once, looked up under a count, polled, taken back, bounded (attacks D01 to D03, D06).

use vestibule::clock::Timestamp;
use vestibule::protocol::authorization_details::Detail;
use vestibule::protocol::brake::Counter;
use vestibule::protocol::device_code::{Approval, DeviceCode};
use vestibule::protocol::spend::{Spend, SpendKind};
use vestibule::store::{
    Asked, Change, DeviceLookup, DeviceRedemption, NewDeviceCode, Poll, RedeemDeviceCode, StoreError,
};

use crate::on_both;
use crate::world::{NOW, Tenant, World, id};

const CALLERS: usize = 50;

fn device(tenant: &Tenant) -> DeviceCode {
    DeviceCode {
        fingerprint: id(),
        realm_id: tenant.realm.id.clone(),
        client: tenant.client.id.clone(),
        user_code: id(),
        scope: "openid".into(),
        details: Vec::new(),
        address: "192.0.2.1".into(),
        issued_at: NOW,
        expires_at: NOW.plus(600),
        interval: 5,
        polled_at: None,
        approval: None,
        denied_at: None,
        redeemed_at: None,
    }
}

async fn ask(world: &World, code: &DeviceCode, most: i64) -> Asked {
    let (network, audit) = ("192.0.2.1".into(), world.tenant.event());
    world.store.ask_for_device(NewDeviceCode { code: code.clone(), network, most, audit }).await.unwrap()
}

/// A request that waits.
async fn waiting(world: &World) -> DeviceCode {
    let code = device(&world.tenant);
    assert_eq!(ask(world, &code, 100).await, Asked::Waiting);
    code
}

fn approval(tenant: &Tenant, at: Timestamp) -> Approval {
    Approval {
        at,
        user_id: tenant.user.id.clone(),
        session_id: tenant.session.id.clone(),
        auth_time: NOW,
        acr: "1".into(),
    }
}

async fn approve(world: &World, code: &DeviceCode, at: Timestamp) -> Result<(), StoreError> {
    let (realm_id, fingerprint) = (code.realm_id.clone(), code.fingerprint.clone());
    let (approval, scope, details) = (approval(&world.tenant, at), "openid".into(), code.details.clone());
    world.store.commit(vec![Change::ApproveDevice { realm_id, fingerprint, approval, scope, details }]).await
}

fn redemption(tenant: &Tenant, code: &DeviceCode) -> RedeemDeviceCode {
    let grant = tenant.grant();
    RedeemDeviceCode {
        fingerprint: code.fingerprint.clone(),
        now: NOW.plus(2),
        refresh: Some(tenant.refresh(&grant.id, None)),
        spends: Vec::new(),
        grant,
        issuer: "https://id.example/realms/main".into(),
        grant_expires_at: NOW.plus(1_800),
        audit: tenant.event(),
    }
}

async fn kept(world: &World, code: &DeviceCode) -> DeviceCode {
    world.store.device_code(&code.realm_id, &code.fingerprint).await.unwrap().unwrap()
}

async fn redeems(world: &World, spend: RedeemDeviceCode) -> bool {
    world.store.redeem_device_code(spend).await.unwrap() == DeviceRedemption::Redeemed
}

fn is_conflict(result: &Result<(), StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict { what: "device" }))
}

on_both! {
    async fn rfc9396_what_was_approved_in_detail_replaces_what_was_asked(world) {
        let details = |texts: &[&str]| -> Vec<Detail> {
            texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
        };
        let both = details(&[r#"{"type":"files","actions":["read"]}"#, r#"{"type":"payment"}"#]);
        let code = DeviceCode { details: both.clone(), ..device(&world.tenant) };
        assert_eq!(ask(&world, &code, 100).await, Asked::Waiting);
        assert_eq!(kept(&world, &code).await.details, both);
        let less = DeviceCode { details: details(&[r#"{"type":"payment"}"#]), ..code };
        approve(&world, &less, NOW).await.unwrap();
        assert_eq!(kept(&world, &less).await.details, less.details);
    }

    async fn d01_one_of_fifty_spends_a_device_code(world) {
        for round in 0..4 {
            let code = waiting(&world).await;
            approve(&world, &code, NOW.plus(1)).await.unwrap();
            let calls = (0..CALLERS).map(|_| {
                let (store, spend) = (world.store.clone(), redemption(&world.tenant, &code));
                tokio::spawn(async move {
                    let (grant, token) = (spend.grant.id.clone(), spend.refresh.clone().unwrap().id);
                    let outcome = store.redeem_device_code(spend).await.unwrap();
                    (outcome == DeviceRedemption::Redeemed, grant, token)
                })
            });
            let mut won = Vec::new();
            for call in calls.collect::<Vec<_>>() {
                let (spent, grant, token) = call.await.unwrap();
                let found = world.store.grant_with_user(&world.tenant.realm.id, &grant).await.unwrap();
                let refresh = world.store.refresh_token(&world.tenant.realm.id, &token).await.unwrap();
                assert_eq!((found.is_some(), refresh.is_some()), (spent, spent), "round {round}");
                won.extend(spent.then_some(grant));
            }
            assert_eq!(won.len(), 1, "round {round}");
            assert_eq!(kept(&world, &code).await.redeemed_at, Some(NOW.plus(2)));
        }
    }

    async fn d01_only_what_was_approved_is_spent_by_its_client_and_in_time(world) {
        let code = waiting(&world).await;
        let spend = || redemption(&world.tenant, &code);
        assert!(!redeems(&world, spend()).await, "nobody said yes");
        approve(&world, &code, NOW.plus(1)).await.unwrap();
        let late = RedeemDeviceCode { now: code.expires_at, ..spend() };
        assert!(!redeems(&world, late).await, "too late");
        let mut other = spend();
        other.grant.client = id();
        assert!(!redeems(&world, other).await, "another client");
        let mut other = spend();
        other.grant.user_id = id();
        assert!(!redeems(&world, other).await, "another person");
        assert!(redeems(&world, spend()).await, "refusals leave it as it was");
    }

    async fn c04_a_replayed_proof_of_the_client_leaves_the_code(world) {
        let code = waiting(&world).await;
        approve(&world, &code, NOW.plus(1)).await.unwrap();
        let proof = Spend::new(SpendKind::ClientAssertion, &code.client, "jti", NOW.plus(60));
        world.store.spend(&code.realm_id, std::slice::from_ref(&proof)).await.unwrap();
        let replay = RedeemDeviceCode { spends: vec![proof], ..redemption(&world.tenant, &code) };
        let outcome = world.store.redeem_device_code(replay).await.unwrap();
        assert_eq!(outcome, DeviceRedemption::Replayed(SpendKind::ClientAssertion));
        assert!(redeems(&world, redemption(&world.tenant, &code)).await);
    }

    async fn d04_of_a_yes_and_a_no_the_first_one_counts(world) {
        for round in 0..4 {
            let code = waiting(&world).await;
            let deny = Change::DenyDevice {
                realm_id: code.realm_id.clone(),
                fingerprint: code.fingerprint.clone(),
                at: NOW.plus(1),
            };
            let (yes, no) = tokio::join!(approve(&world, &code, NOW.plus(1)), world.store.commit(vec![deny]));
            assert_ne!(yes.is_ok(), no.is_ok(), "round {round}: {yes:?} {no:?}");
            assert!(is_conflict(if yes.is_ok() { &no } else { &yes }));
            let now = kept(&world, &code).await;
            assert_eq!((now.approval.is_some(), now.denied_at.is_some()), (yes.is_ok(), no.is_ok()));
        }
        let code = waiting(&world).await;
        assert!(is_conflict(&approve(&world, &code, code.expires_at).await), "expired");
        let mut stranger = approval(&world.tenant, NOW.plus(1));
        stranger.user_id = id();
        let (realm_id, fingerprint) = (code.realm_id.clone(), code.fingerprint.clone());
        let (approval, scope, details) = (stranger, String::new(), Vec::new());
        let change = Change::ApproveDevice { realm_id, fingerprint, approval, scope, details };
        assert!(is_conflict(&world.store.commit(vec![change]).await), "nobody of this realm");
    }

    async fn d02_guesses_side_by_side_are_all_counted_and_right_ones_are_not(world) {
        let code = waiting(&world).await;
        let realm = world.tenant.realm.id.clone();
        let counters = || vec![
            Counter { subject: "device/user/alice".into(), most: 5 },
            Counter { subject: "device/hour/1".into(), most: 1_000 },
        ];
        let look = async |user_code: &str, at| {
            world.store.waiting_device(&realm, user_code, counters(), at).await.unwrap()
        };
        for _ in 0..10 {
            assert_eq!(look(&code.user_code, NOW).await, DeviceLookup::Found(Box::new(code.clone())));
        }
        let calls = (0..CALLERS).map(|_| {
            let (store, realm, counters) = (world.store.clone(), realm.clone(), counters());
            tokio::spawn(async move { store.waiting_device(&realm, "nobody's", counters, NOW).await.unwrap() })
        });
        let mut unknown = 0;
        for call in calls.collect::<Vec<_>>() {
            match call.await.unwrap() {
                DeviceLookup::Unknown => unknown += 1,
                other => assert_eq!(other, DeviceLookup::WaitUntil(NOW.plus(60))),
            }
        }
        assert_eq!(unknown, 5);
        assert_eq!(look(&code.user_code, NOW).await, DeviceLookup::WaitUntil(NOW.plus(60)), "nor is it looked up");
        // After the wait a right code is found, and gives nobody another guess for it.
        let after = NOW.plus(61);
        assert_eq!(look(&code.user_code, after).await, DeviceLookup::Found(Box::new(code.clone())));
        assert_eq!(look("nobody's", after).await, DeviceLookup::Unknown);
        assert_eq!(look("nobody's", after).await, DeviceLookup::WaitUntil(after.plus(120)));
        let other = Tenant::new("other", &world.store).await;
        let elsewhere = world.store.waiting_device(&other.realm.id, &code.user_code, counters(), NOW).await.unwrap();
        assert_eq!(elsewhere, DeviceLookup::Unknown, "A04");
        assert!(world.store.device_code(&other.realm.id, &code.fingerprint).await.unwrap().is_none(), "A04");
    }

    async fn d03_a_poll_that_comes_too_soon_lengthens_the_wait(world) {
        let code = waiting(&world).await;
        let poll = async |after| {
            world.store.poll_device(&code.realm_id, &code.fingerprint, &[], NOW.plus(after)).await.unwrap()
        };
        for (after, too_fast, interval) in
            [(0, false, 5), (3, true, 10), (12, false, 10), (21, false, 10), (29, true, 15), (43, false, 15)]
        {
            let expected = if too_fast { Poll::TooFast } else { Poll::InTime };
            assert_eq!(poll(after).await, expected, "{after}");
            let now = kept(&world, &code).await;
            assert_eq!((now.interval, now.polled_at), (interval, Some(NOW.plus(after))), "{after}");
        }
    }

    async fn d05_a_consent_that_is_withdrawn_takes_the_yes_back(world) {
        let (unused, used) = (waiting(&world).await, waiting(&world).await);
        approve(&world, &unused, NOW.plus(1)).await.unwrap();
        approve(&world, &used, NOW.plus(1)).await.unwrap();
        let spend = redemption(&world.tenant, &used);
        let grant = spend.grant.id.clone();
        assert!(redeems(&world, spend).await);
        let (realm_id, user_id) = (world.tenant.realm.id.clone(), world.tenant.user.id.clone());
        let client = world.tenant.client.id.clone();
        let withdraw = Change::WithdrawConsent { realm_id: realm_id.clone(), user_id, client, at: NOW.plus(3) };
        world.store.commit(vec![withdraw]).await.unwrap();
        assert!(!redeems(&world, redemption(&world.tenant, &unused)).await);
        let (grant, ..) = world.store.grant_with_user(&realm_id, &grant).await.unwrap().unwrap();
        assert_eq!(grant.revoked_at, Some(NOW.plus(3)));
    }

    async fn d05_a_yes_and_its_withdrawal_at_once_leave_no_live_grant(world) {
        for round in 0..8 {
            let code = waiting(&world).await;
            approve(&world, &code, NOW.plus(1)).await.unwrap();
            let (realm_id, user_id) = (world.tenant.realm.id.clone(), world.tenant.user.id.clone());
            let client = world.tenant.client.id.clone();
            let withdraw = Change::WithdrawConsent { realm_id: realm_id.clone(), user_id, client, at: NOW.plus(3) };
            let spend = redemption(&world.tenant, &code);
            let grant = spend.grant.id.clone();
            let (spent, withdrawn) =
                tokio::join!(redeems(&world, spend), world.store.commit(vec![withdraw]));
            withdrawn.unwrap();
            let found = world.store.grant_with_user(&realm_id, &grant).await.unwrap();
            assert_eq!(found.is_some(), spent, "round {round}");
            assert!(found.is_none_or(|(grant, ..)| grant.revoked_at.is_some()), "round {round}");
        }
    }

    async fn d06_open_requests_are_bounded_and_swept(world) {
        let (first, second) = (device(&world.tenant), device(&world.tenant));
        assert_eq!(ask(&world, &first, 1).await, Asked::Waiting);
        assert_eq!(ask(&world, &second, 1).await, Asked::TooMany(first.expires_at));
        let same = DeviceCode { user_code: first.user_code.clone(), ..second.clone() };
        assert_eq!(ask(&world, &same, 100).await, Asked::Taken);
        let later = DeviceCode { issued_at: first.expires_at, expires_at: first.expires_at.plus(600), ..second };
        assert_eq!(ask(&world, &later, 1).await, Asked::Waiting, "the first one has expired");
        world.store.sweep(first.expires_at.plus(601), 90, 100).await.unwrap();
        let found = world.store.device_code(&first.realm_id, &first.fingerprint).await.unwrap();
        assert!(found.is_none());
        assert!(kept(&world, &later).await.redeemed_at.is_none());
    }
}
