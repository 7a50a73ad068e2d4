//! What a server does while nobody asks.

use std::sync::Arc;
use std::time::Duration;

use crate::app::Shared;
use crate::server::Shutdown;
use crate::store::SWEEP_BATCH;

/// How often a node looks whether another one changed the configuration, should it not be told.
const REFRESH: Duration = Duration::from_millis(500);
/// Between two steps of a sweep, for others.
const PAUSE: Duration = Duration::from_millis(20);
/// Days for which audit events are kept.
const AUDIT_DAYS: i64 = 90;

/// Keeps realms fresh, makes their keys before anybody asks, and sweeps.
pub(super) fn spawn(app: &Shared, sweep_interval: Duration, shutdown: &Shutdown) {
    let (warmed, stop) = (Arc::clone(app), shutdown.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = stop.begun() => {}
            () = warm(&warmed) => {}
        }
    });
    let (refreshed, stop) = (Arc::clone(app), shutdown.clone());
    tokio::spawn(async move {
        let mut every = tokio::time::interval(REFRESH);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.begun() => break,
                _ = every.tick() => look(&refreshed).await,
            }
        }
    });
    let (told, stop) = (Arc::clone(app), shutdown.clone());
    tokio::spawn(async move {
        let mut notices = told.store.notices();
        loop {
            tokio::select! {
                () = stop.begun() => break,
                () = notices.next() => look(&told).await,
            }
        }
    });
    let (swept, stop) = (Arc::clone(app), shutdown.clone());
    tokio::spawn(async move {
        let mut every = tokio::time::interval(sweep_interval);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // The first tick is at once, when a start has better things to do.
        every.tick().await;
        loop {
            tokio::select! {
                () = stop.begun() => break,
                _ = every.tick() => sweep(&swept).await,
            }
        }
    });
}

async fn look(app: &Shared) {
    if let Err(error) = app.realms.refresh(&app.store).await {
        tracing::warn!(%error, "the configuration cannot be looked at");
    }
}

/// Reads the realms into memory once, so that their keys exist before the first request needs one.
async fn warm(app: &Shared) {
    let realms = app.store.realms().await.unwrap_or_default();
    for realm in realms.iter().take(16) {
        if let Err(error) = app.realms.named(&app.store, &realm.name).await {
            tracing::error!(realm = realm.name, %error, "a realm cannot be used");
        }
    }
}

/// Removes what has expired, and what is left of deleted realms, batch by batch, giving way to others in between.
async fn sweep(app: &Shared) {
    loop {
        match app.store.sweep(app.clock.now(), AUDIT_DAYS, SWEEP_BATCH).await {
            Ok(swept) if swept.more => tokio::time::sleep(PAUSE).await,
            Ok(swept) => {
                tracing::debug!(rows = swept.rows, "swept");
                break;
            }
            Err(error) => {
                tracing::warn!(%error, "expired rows cannot be removed");
                return;
            }
        }
    }
    loop {
        match app.store.sweep_deleted_realms(SWEEP_BATCH).await {
            Ok(swept) if swept.more => tokio::time::sleep(PAUSE).await,
            Ok(_) => break,
            Err(error) => {
                tracing::warn!(%error, "what is left of deleted realms cannot be removed");
                break;
            }
        }
    }
}
