//! The worker that tells clients of the end of sessions (OpenID Connect Back-Channel Logout 1.0 §2.5).
//!
//! Owns when and how often a client is tried. The notices are rows, written by whatever ended the session in the same
//! transaction, so that none is lost when a process dies: any node goes on with them. The token is made when it is
//! sent, by the key that signs then.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::app::{App, Shared};
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::backchannel_logout::{HEADER_TYP, Notice, logout_token, next_attempt, next_look};
use crate::secrets;
use crate::server::Shutdown;
use crate::store::StoreError;

/// Clients that are told at the same time by one node.
const MOST_AT_ONCE: usize = 8;
/// How often a node looks for notices that nobody woke it for: those to be tried again, and those of other nodes.
const LOOK: Duration = Duration::from_secs(1);

/// How an attempt ended.
enum Outcome {
    /// The client knows.
    Told,
    /// The client is gone, or wants to hear nothing any more.
    NotWanted,
    /// It was reached, or could have been, and did not take it.
    Refused(String),
    /// Nobody answers there.
    Silent(String),
}

/// Begins telling, until `shutdown` and for `patience` at most after it. What it gives ends with it.
pub fn spawn(app: &Shared, shutdown: &Shutdown, patience: Duration) -> JoinHandle<()> {
    tokio::spawn(run(Arc::clone(app), shutdown.clone(), patience))
}

async fn run(app: Shared, shutdown: Shutdown, patience: Duration) {
    let mut every = tokio::time::interval(LOOK);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.begun() => break,
            () = app.logouts.notified() => {}
            _ = every.tick() => {}
            // A place is free, and more may be waiting for it.
            Some(_) = under_way.join_next() => {}
        }
        let places = MOST_AT_ONCE.saturating_sub(under_way.len());
        match claim(&app, places).await {
            Ok(notices) => notices.into_iter().for_each(|notice| {
                under_way.spawn(tell(Arc::clone(&app), notice));
            }),
            Err(error) => tracing::warn!(%error, "logout notices cannot be looked at"),
        }
    }
    // Whoever is being told may finish; the rest is for the next start or for another node.
    let finished = async { while under_way.join_next().await.is_some() {} };
    tokio::select! {
        () = shutdown.forced() => {}
        _ = tokio::time::timeout(patience, finished) => {}
    }
}

async fn claim(app: &App, places: usize) -> Result<Vec<Notice>, StoreError> {
    match i64::try_from(places) {
        Ok(places) if places > 0 => app.store.claim_logout_notices(app.clock.now(), places).await,
        _ => Ok(Vec::new()),
    }
}

async fn tell(app: Shared, notice: Notice) {
    let noted = match attempt(&app, &notice).await {
        Ok(Outcome::Told) => {
            app.metrics.backchannel_logout("told");
            app.store.logout_notice_done(&notice).await
        }
        Ok(Outcome::NotWanted) => app.store.logout_notice_done(&notice).await,
        Ok(Outcome::Refused(why)) => failed(&app, &notice, &why, false).await,
        Ok(Outcome::Silent(why)) => failed(&app, &notice, &why, true).await,
        Err(why) => not_tried(&app, &notice, &why).await,
    };
    if let Err(error) = noted {
        tracing::warn!(%error, "what became of a logout notice could not be noted");
    }
}

async fn failed(app: &App, notice: &Notice, why: &str, silent: bool) -> Result<(), StoreError> {
    let now = app.clock.now();
    let Notice { client, attempts, .. } = notice;
    if let Some(at) = next_attempt(notice, now) {
        tracing::info!(client, attempts, why, "a client could not be told of a logout, and is tried again");
        app.metrics.backchannel_logout("failed");
        return app.store.postpone_logout_notice(notice, at, silent).await;
    }
    tracing::warn!(client, attempts, why, "a client could not be told of a logout, and is given up");
    give_up(app, notice, why).await
}

/// Trouble of ours is not the client's: it is waited out, and no event tells its cause.
async fn not_tried(app: &App, notice: &Notice, why: &NotTried) -> Result<(), StoreError> {
    let client = &notice.client;
    if let Some(at) = next_look(notice, app.clock.now()) {
        tracing::warn!(client, %why, "a client cannot be told of a logout now, and is told later");
        app.metrics.backchannel_logout("postponed");
        return app.store.return_logout_notice(notice, at).await;
    }
    tracing::error!(client, %why, "a client could not be told of a logout, and is given up");
    give_up(app, notice, "server_error").await
}

async fn give_up(app: &App, notice: &Notice, why: &str) -> Result<(), StoreError> {
    app.metrics.backchannel_logout("given_up");
    let (now, Notice { client, attempts, .. }) = (app.clock.now(), notice);
    let record = app.store.client_by_id(&notice.realm_id, client).await?;
    let event = AuditEvent {
        id: Uuid::now_v7().to_string(),
        realm_id: notice.realm_id.clone(),
        at: now,
        kind: AuditKind::BackchannelLogoutError,
        user_id: Some(notice.user_id.clone()),
        client_id: record.map(|client| client.client_id),
        session_id: Some(notice.session_id.clone()),
        address: None,
        error: Some(why.to_owned()),
        detail: serde_json::json!({ "attempts": attempts }),
    };
    app.store.give_up_logout_notice(notice, &event).await
}

/// Why an attempt did not come as far as to be made. For the log.
#[derive(Debug, thiserror::Error)]
enum NotTried {
    #[error("the realm is switched off")]
    Realm,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keys(#[from] crate::realms::RealmError),
    #[error(transparent)]
    Sign(#[from] crate::signer::SignError),
}

async fn attempt(app: &App, notice: &Notice) -> Result<Outcome, NotTried> {
    let client = app.store.client_by_id(&notice.realm_id, &notice.client).await?;
    let wanted = client.and_then(|client| {
        let address = client.settings.backchannel_logout_uri.clone()?;
        Some((client, address))
    });
    let Some((client, address)) = wanted else { return Ok(Outcome::NotWanted) };
    let name = app.store.realm_by_id(&notice.realm_id).await?.ok_or(NotTried::Realm)?.name;
    let state = app.realms.named(&app.store, &name).await?.ok_or(NotTried::Realm)?;
    let algorithm = client.id_token_algorithm(state.algorithm());
    let key = state.ring.signer(algorithm).ok_or(crate::signer::SignError::NoKey)?;
    let subject = state.sub(&client, &notice.user_id);
    let (now, jti) = (app.clock.now(), secrets::random_name());
    let token = key.sign(HEADER_TYP, &logout_token(notice, &client.client_id, &subject, now, &jti))?;
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", &token).finish();
    Ok(match app.fetcher.post_form(&address, body).await {
        Ok(answer) if (200..300).contains(&answer.status) => Outcome::Told,
        Ok(answer) if answer.status >= 500 => Outcome::Silent(format!("it answered {}", answer.status)),
        Ok(answer) => Outcome::Refused(format!("it answered {}", answer.status)),
        Err(error) => Outcome::Silent(error.to_string()),
    })
}
