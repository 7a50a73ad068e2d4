//! A name and a password against the record, with the brake: what the sign-in form and the password grant share, and the
//! session that a right password earns.

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use uuid::Uuid;

use super::views;
use crate::clock::Timestamp;
use crate::http::context::RealmContext;
use crate::http::error::Fault;
use crate::passwords::PasswordError;
use crate::protocol::brake::{self, Forgiven};
use crate::protocol::session::Session;
use crate::protocol::user::{User, canonical};
use crate::secrets::Secret;
use crate::store::{Change, PasswordProof};
use crate::turns::Turn;

/// What became of an attempt.
pub(in crate::http) enum Verdict {
    /// The password is right, and the user is enabled.
    Right(Right),
    /// The password is right, and the user is switched off.
    Disabled,
    /// It is wrong, or nobody has the name.
    Wrong,
    /// There were too many attempts; the next one counts from this moment.
    WaitUntil(Timestamp),
}

/// A right password.
pub(in crate::http) struct Right {
    /// Whose.
    pub(in crate::http) user: Box<User>,
    /// What proves that the password is right still when the sign-in is committed.
    pub(in crate::http) proof: Box<PasswordProof>,
    /// What is no failure any more.
    pub(in crate::http) forgiven: Forgiven,
    /// What comes before the session, which is then a new one.
    pub(in crate::http) leading: Vec<Change>,
}

/// Counts the attempt, then looks at the password; both for names that nobody has too, at the same cost. The turn is to be
/// kept until what follows from the verdict is committed.
///
/// # Errors
/// Trouble of ours.
pub(in crate::http) async fn check<'a>(
    context: &'a RealmContext,
    headers: &HeaderMap,
    typed: &str,
    password: &Secret,
) -> Result<(Option<Turn<'a>>, Verdict), Fault> {
    let (app, realm) = (&context.app, &context.state.realm);
    let name = canonical(typed);
    let found = app.store.user_by_login(&realm.id, &name, realm.settings.login_with_email).await?;
    // One account is one count, whichever of its names is typed.
    let counted = found.as_ref().map_or(name.as_str(), |found| found.user.username.as_str());
    let known = found.as_ref().is_some_and(|found| views::knows(context, headers, &found.user));
    let rule = &realm.settings.brute_force;
    let counters = brake::counters(counted, context.address, known, rule);
    let subject = counters.first().map(|counter| format!("{}/{}", realm.id, counter.subject));
    let turn = app.sign_ins.of(&subject.unwrap_or_default(), brake::side_by_side(rule)).await?;
    if let Some(until) = app.store.count_attempt(&realm.id, &counters, rule, app.clock.now()).await? {
        drop(turn);
        app.metrics.sign_in("too_many_attempts");
        super::note_wait(context, until, found.as_ref().map(|found| found.user.id.as_str())).await?;
        // Whoever is told at once asks again at once, with a page to be made for it each time.
        tokio::time::sleep(app.rules.pause).await;
        return Ok((None, Verdict::WaitUntil(until)));
    }
    let hash = found.as_ref().and_then(|found| found.password_hash.clone());
    let forgiven = brake::forgiven(counted, context.address, known, rule);
    let network = brake::network(context.address);
    let verdict = match app.passwords.verify_from(&network, hash.as_deref(), password).await {
        Err(PasswordError::TooLong) => return Ok((Some(turn), Verdict::Wrong)),
        Err(PasswordError::Busy) => {
            // No password was looked at: to count this would let a crowd lock people out.
            let realm_id = realm.id.clone();
            app.commit(vec![Change::ForgiveAttempt { realm_id, forgiven }]).await?;
            return Err(Fault::Passing);
        }
        verdict => verdict?,
    };
    if let (Some(error), Some(found)) = (&verdict.unusable, &found) {
        tracing::warn!(user_id = %found.user.id, %error, "a stored password hash cannot be used");
    }
    let Some(found) = found.filter(|_| verdict.matches) else {
        return Ok((Some(turn), Verdict::Wrong));
    };
    if !found.user.enabled {
        return Ok((Some(turn), Verdict::Disabled));
    }
    let proof = Box::new(PasswordProof {
        realm_id: realm.id.clone(),
        user_id: found.user.id.clone(),
        changes: found.password_changes,
        kept: if verdict.rehash { rehash(context, password).await } else { None },
    });
    let right = Right { user: Box::new(found.user), proof, forgiven, leading: Vec::new() };
    Ok((Some(turn), Verdict::Right(right)))
}

/// Takes the attempt of a right password back when what follows from it could not be kept: it was no guess. Where a session
/// has no room this may have none either, and then it stays counted.
pub(in crate::http) async fn take_back(context: &RealmContext, forgiven: Forgiven) {
    let realm_id = context.state.realm.id.clone();
    if let Err(error) = context.app.commit(vec![Change::ForgiveAttempt { realm_id, forgiven }]).await {
        tracing::warn!(%error, "a right password stays counted as an attempt");
    }
}

/// The password as new ones are stored; none when that must wait for another sign-in.
async fn rehash(context: &RealmContext, password: &Secret) -> Option<String> {
    let app = &context.app;
    let hashed = app.passwords.hash(app.rules.password_profile, password.clone()).await;
    hashed.inspect_err(|error| tracing::debug!(%error, "a password is not stored anew this time")).ok()
}

/// A session that begins now.
pub(in crate::http) fn fresh_session(
    context: &RealmContext,
    headers: &HeaderMap,
    user: &User,
    remembered: bool,
    now: Timestamp,
) -> Session {
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Session {
        id: Uuid::now_v7().to_string(),
        realm_id: user.realm_id.clone(),
        user_id: user.id.clone(),
        auth_time: now,
        acr: context.state.realm.settings.password_acr.clone(),
        remembered,
        started_at: now,
        last_seen_at: now,
        ended_at: None,
        address: context.address.to_string(),
        user_agent: user_agent.chars().take(256).collect(),
    }
}
