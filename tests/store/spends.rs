//! What is good once is good once: fifty callers at the same time, one winner (attacks P07, F02; reliability I2, I3).

use vestibule::clock::Timestamp;
use vestibule::protocol::audit::{AuditEvent, AuditKind};
use vestibule::store::{Page, RedeemCode, Redemption, RotateRefresh, Rotation, Store};

use crate::on_both;
use crate::world::{NOW, Tenant, World};

/// How many call at once.
pub(crate) const CALLERS: usize = 50;

/// A redemption of `code` that brings a refresh token.
pub(crate) fn redemption(tenant: &Tenant, code: &vestibule::protocol::code::AuthorizationCode) -> RedeemCode {
    RedeemCode {
        realm_id: tenant.realm.id.clone(),
        fingerprint: code.fingerprint.clone(),
        grant_id: code.grant_id.clone(),
        now: NOW.plus(1),
        refresh: Some(tenant.refresh(&code.grant_id, None)),
        grant_expires_at: NOW.plus(1_800),
        spends: Vec::new(),
        confirmation: None,
        audit: tenant.event(),
        reuse_audit: AuditEvent { kind: AuditKind::CodeToTokenError, ..tenant.event() },
    }
}

/// A rotation of `token`.
pub(crate) fn rotation(
    tenant: &Tenant,
    grant_id: &str,
    token: &str,
    now: Timestamp,
    retry_window: i64,
) -> RotateRefresh {
    RotateRefresh {
        realm_id: tenant.realm.id.clone(),
        id: token.to_owned(),
        grant_id: grant_id.to_owned(),
        now,
        retry_window,
        successor: tenant.refresh(grant_id, Some(token)),
        grant_expires_at: NOW.plus(1_800),
        session: None,
        spends: Vec::new(),
        audit: tenant.event(),
        reuse_audit: tenant.event(),
    }
}

/// A redeemed code's first refresh token: identifiers of the grant and of the token.
pub(crate) async fn first_token(world: &World) -> (String, String) {
    let code = world.tenant.code(&world.store).await;
    let spend = redemption(&world.tenant, &code);
    let token = spend.refresh.clone().unwrap().id;
    assert_eq!(world.store.redeem_code(spend).await.unwrap(), Redemption::Redeemed);
    (code.grant_id, token)
}

/// Runs one rotation per caller at once; gives the outcomes with the identifier of each one's successor.
async fn rotate_together(world: &World, grant: &str, token: &str, window: i64) -> Vec<(Rotation, String)> {
    let calls = (0..CALLERS).map(|_| {
        let (store, spend) =
            (world.store.clone(), rotation(&world.tenant, grant, token, NOW.plus(5), window));
        tokio::spawn(async move {
            let successor = spend.successor.id.clone();
            (store.rotate_refresh_token(spend).await.unwrap(), successor)
        })
    });
    let mut outcomes = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        outcomes.push(call.await.unwrap());
    }
    outcomes
}

/// How many of these tokens are live: kept, unused, not superseded, their grant not revoked.
async fn live(store: &Store, tenant: &Tenant, tokens: impl IntoIterator<Item = String>) -> usize {
    let mut count = 0;
    for id in tokens {
        if let Some(record) = store.refresh_token(&tenant.realm.id, &id).await.unwrap() {
            let fresh = record.token.used_at.is_none() && record.token.superseded_at.is_none();
            count += usize::from(fresh && record.grant.revoked_at.is_none());
        }
    }
    count
}

on_both! {
    async fn p07_one_of_fifty_redeems_a_code(world) {
        for round in 0..4 {
            let code = world.tenant.code(&world.store).await;
            let calls = (0..CALLERS).map(|_| {
                let (store, spend) = (world.store.clone(), redemption(&world.tenant, &code));
                tokio::spawn(async move { store.redeem_code(spend).await.unwrap() })
            });
            let mut outcomes = Vec::new();
            for call in calls.collect::<Vec<_>>() {
                outcomes.push(call.await.unwrap());
            }
            let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
            assert_eq!(count(Redemption::Redeemed), 1, "round {round}");
            assert!(count(Redemption::AlreadyRedeemed) >= 1, "round {round}");
            // The first replay revokes what the winner got (P04a); whoever comes later finds the grant gone.
            let found = world.store.grant_with_user(&world.tenant.realm.id, &code.grant_id).await.unwrap();
            assert!(found.unwrap().0.revoked_at.is_some(), "round {round}");
            let told = world.store.audit_events(&world.tenant.realm.id, Page::ALL).await.unwrap();
            let reuses = told.iter().filter(|event| event.kind == AuditKind::CodeToTokenError).count();
            assert_eq!(reuses, round + 1, "one event for one family that ended");
        }
    }

    async fn p05_an_expired_code_is_gone(world) {
        let code = world.tenant.code(&world.store).await;
        let late = RedeemCode { now: code.expires_at, ..redemption(&world.tenant, &code) };
        assert_eq!(world.store.redeem_code(late).await.unwrap(), Redemption::Gone);
        assert_eq!(
            world.store.redeem_code(redemption(&world.tenant, &code)).await.unwrap(),
            Redemption::Redeemed,
            "a refused redemption leaves the code as it was"
        );
    }

    async fn f02_strict_rotation_has_one_winner_and_the_replays_end_the_family(world) {
        let (grant, token) = first_token(&world).await;
        let outcomes = rotate_together(&world, &grant, &token, 0).await;
        assert_eq!(outcomes.iter().filter(|(outcome, _)| *outcome == Rotation::Rotated).count(), 1);
        assert!(outcomes.iter().any(|(outcome, _)| *outcome == Rotation::Reused));
        let tokens = outcomes.into_iter().map(|(_, token)| token);
        assert_eq!(live(&world.store, &world.tenant, tokens).await, 0, "the family is dead");
    }

    async fn f02_within_the_retry_window_one_successor_stays_live(world) {
        let (grant, token) = first_token(&world).await;
        let outcomes = rotate_together(&world, &grant, &token, 10).await;
        let rotated = outcomes.iter().filter(|(outcome, _)| *outcome == Rotation::Rotated).count();
        let retried = outcomes.iter().filter(|(outcome, _)| *outcome == Rotation::Retried).count();
        assert_eq!((rotated, retried), (1, CALLERS - 1));
        let tokens = outcomes.into_iter().map(|(_, token)| token);
        assert_eq!(live(&world.store, &world.tenant, tokens).await, 1);
    }

    async fn d1_a_retry_is_taken_once_the_answer_was_lost_and_refused_once_it_was_used(world) {
        let (grant, token) = first_token(&world).await;
        let rotate = async |token: &str, after: i64| {
            let spend = rotation(&world.tenant, &grant, token, NOW.plus(after), 10);
            let successor = spend.successor.id.clone();
            (world.store.rotate_refresh_token(spend).await.unwrap(), successor)
        };
        let (first, lost) = rotate(&token, 5).await;
        let (second, kept) = rotate(&token, 14).await;
        assert_eq!((first, second), (Rotation::Rotated, Rotation::Retried));
        assert_eq!(rotate(&kept, 15).await.0, Rotation::Rotated, "the new successor works");
        assert_eq!(rotate(&lost, 15).await.0, Rotation::Reused, "the lost one was killed by the retry");
    }

    async fn f01_after_the_window_a_replay_ends_the_family(world) {
        let (grant, token) = first_token(&world).await;
        let spend = |token: &str, after| rotation(&world.tenant, &grant, token, NOW.plus(after), 10);
        let first = spend(&token, 5);
        let successor = first.successor.id.clone();
        assert_eq!(world.store.rotate_refresh_token(first).await.unwrap(), Rotation::Rotated);
        assert_eq!(world.store.rotate_refresh_token(spend(&token, 30)).await.unwrap(), Rotation::Reused);
        assert_eq!(world.store.rotate_refresh_token(spend(&successor, 31)).await.unwrap(), Rotation::Gone);
    }

    async fn u02_attempts_side_by_side_are_all_counted(world) {
        use vestibule::protocol::brake::Counter;
        let rule = vestibule::protocol::realm::BruteForce::default();
        let calls = (0..CALLERS).map(|_| {
            let (store, realm, rule) = (world.store.clone(), world.tenant.realm.id.clone(), rule.clone());
            tokio::spawn(async move {
                let counters = [Counter { subject: "account/alice".into(), most: 5 }];
                store.count_attempt(&realm, &counters, &rule, NOW).await.unwrap()
            })
        });
        let mut allowed = 0;
        for call in calls.collect::<Vec<_>>() {
            allowed += usize::from(call.await.unwrap().is_none());
        }
        assert_eq!(allowed, 5, "five attempts, then one waits");
    }
}
