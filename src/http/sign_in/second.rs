//! What is asked after a right password: a code of a device, a new password. Until then there is no session: that the
//! password was right is noted in the sealed request ([`Half`]), and holds for the password that it was.

use axum::http::HeaderMap;
use axum::response::Response;

use super::authenticate::signed_in;
use super::password::Right;
use super::step_page::{Problem, least, page};
use super::{advance, audit, kc_action, required, views};
use crate::http::context::RealmContext;
use crate::http::error::{Fault, PageError};
use crate::http::pages::{CodeProblem, Trouble};
use crate::http::params::Params;
use crate::http::pending::{Half, PendingRequest};
use crate::passwords::PasswordError;
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::authorize::Outcome;
use crate::protocol::brake;
use crate::protocol::credential::{Credential, OTP};
use crate::protocol::otp;
use crate::protocol::sign_in_step::{NewPasswordProblem, Step, UPDATE_PASSWORD, Unknown, check_new, next};
use crate::protocol::user::User;
use crate::secrets::Secret;
use crate::store::{Change, PasswordProof};

/// A step that is answered: by whom, and for which request.
pub(super) struct Asked<'a> {
    pub(super) context: &'a RealmContext,
    pub(super) headers: &'a HeaderMap,
    pub(super) pending: &'a PendingRequest,
    pub(super) half: &'a Half,
    pub(super) user: User,
}

impl Asked<'_> {
    /// Shows the step again, with what was wrong.
    pub(super) async fn again(&self, step: &Step, problem: Option<Problem>) -> Result<Response, PageError> {
        page(self.context, self.headers, self.pending, &self.user, step, problem).await
    }
}

/// What becomes of an action for which there is no page: production holds the person up, who would else be in without
/// what an administrator asked for.
fn unknown(context: &RealmContext) -> Unknown {
    if context.app.rules.helpful { Unknown::IsPassedOver } else { Unknown::HoldsUp }
}

/// Goes on with a person whose password, and whatever `half` says, is proven.
pub(super) async fn go_on(
    context: &RealmContext,
    headers: &HeaderMap,
    pending: &PendingRequest,
    right: Right,
    half: Half,
) -> Result<Response, PageError> {
    // Whose code was right has a device, and is asked for no other code.
    let has_device = !half.code_proven && !devices(context, &right.user).await?.is_empty();
    match next(&right.user, has_device, half.code_proven, unknown(context)) {
        Step::Enter => {
            let progress = signed_in(context, headers, right, half.remember).await?;
            advance(context, headers, &PendingRequest { half: None, ..pending.clone() }, progress).await
        }
        Step::Unfit(missing) => {
            let sealed = pending.seal(context, headers);
            let (_, restart) = views::actions(context, pending, None, &sealed);
            Err(unfit(context, right, &missing).await?.again(restart))
        }
        step => {
            if right.proof.kept.is_some() {
                context.app.commit(vec![Change::ProvePassword(*right.proof)]).await?;
            }
            let pending = PendingRequest { half: Some(half), ..pending.clone() };
            page(context, headers, &pending, &right.user, &step, None).await
        }
    }
}

/// Shows again what is asked.
pub(super) async fn show(
    context: &RealmContext,
    headers: &HeaderMap,
    pending: &PendingRequest,
    half: &Half,
) -> Result<Response, PageError> {
    let user = person(context, headers, half).await?;
    let has_device = !devices(context, &user).await?.is_empty();
    let step = step(context, pending, half, &user, has_device);
    page(context, headers, pending, &user, &step, None).await
}

/// Goes on with a person who has done what was asked, and is `user` now.
pub(super) async fn go_on_as(asked: Asked<'_>, half: Half, user: User) -> Result<Response, PageError> {
    let Asked { context, headers, pending, .. } = asked;
    if half.session.is_some() {
        return kc_action::over(context, headers, pending, Outcome::Success).await;
    }
    let known = views::knows(context, headers, &user);
    let rule = &context.state.realm.settings.brute_force;
    let forgiven = brake::forgiven(&user.username, context.address, known, rule);
    let proof = Box::new(proof(&user, &half));
    let right = Right { user: Box::new(user), proof, forgiven, leading: Vec::new() };
    go_on(context, headers, pending, right, half).await
}

/// Takes what was asked.
pub(super) async fn submit(
    context: &RealmContext,
    headers: &HeaderMap,
    pending: &PendingRequest,
    half: &Half,
    form: &Params,
) -> Result<Response, PageError> {
    let user = person(context, headers, half).await?;
    if half.session.is_some() && kc_action::is_cancelled(form) {
        return kc_action::over(context, headers, pending, Outcome::Cancelled).await;
    }
    let devices = devices(context, &user).await?;
    let step = step(context, pending, half, &user, !devices.is_empty());
    let asked = Asked { context, headers, pending, half, user };
    match (&step, form.get("otp")) {
        (Step::Code, Some(typed)) => code(asked, &devices, typed).await,
        (Step::SetUpDevice, _) => required::set_up(asked, &devices, form).await,
        (Step::AcceptTerms, _) => required::accept(asked, form).await,
        (Step::CompleteProfile, _) => required::complete(asked, form).await,
        (Step::NewPassword, _) => new_password(asked, form).await,
        (Step::Code | Step::Unfit(_) | Step::Enter, _) => asked.again(&step, None).await,
    }
}

/// What is asked of a person now.
fn step(
    context: &RealmContext,
    pending: &PendingRequest,
    half: &Half,
    user: &User,
    has_device: bool,
) -> Step {
    if half.session.is_some() {
        return kc_action::step(pending);
    }
    next(user, has_device, half.code_proven, unknown(context))
}

/// The person of `half`. Whether the password is still the one that was right is settled when the sign-in is committed.
async fn person(context: &RealmContext, headers: &HeaderMap, half: &Half) -> Result<User, PageError> {
    if let Some(id) = &half.session {
        return kc_action::person(context, headers, id, &half.user_id).await;
    }
    let user = context.app.store.user_by_id(&context.state.realm.id, &half.user_id).await?;
    user.filter(|user| user.enabled).ok_or_else(|| PageError::new(Trouble::Expired))
}

/// What the sign-in stands on since the first form.
pub(super) fn proof(user: &User, half: &Half) -> PasswordProof {
    PasswordProof {
        realm_id: user.realm_id.clone(),
        user_id: user.id.clone(),
        changes: half.changes,
        kept: None,
    }
}

/// The devices whose codes the user is asked for.
///
/// # Errors
/// Trouble of ours.
pub(in crate::http) async fn devices(context: &RealmContext, user: &User) -> Result<Vec<Credential>, Fault> {
    let mut found = context.app.store.credentials_of_user(&user.realm_id, &user.id).await?;
    found.retain(|credential| credential.kind == OTP);
    Ok(found)
}

/// What `typed` proves, when it is a code of one of `devices`. It counts once [`otp::Right::spend`] is spent.
#[must_use]
pub(in crate::http) fn proves(
    context: &RealmContext,
    devices: &[Credential],
    typed: &str,
) -> Option<otp::Right> {
    let now = context.app.clock.now();
    devices.iter().find_map(|device| {
        let secret = context.app.vault.open(&device.place(), &device.secret).ok()?;
        otp::check(device, std::str::from_utf8(&secret).ok()?, typed, now)
    })
}

async fn code(asked: Asked<'_>, devices: &[Credential], typed: &str) -> Result<Response, PageError> {
    let Asked { context, headers, half, user, .. } = &asked;
    let (app, realm) = (&context.app, &context.state.realm);
    let rule = &realm.settings.brute_force;
    let known = views::knows(context, headers, user);
    let counters = brake::counters(&user.username, context.address, known, rule);
    let again = |problem| asked.again(&Step::Code, Some(Problem::Code(problem)));
    if let Some(until) = app.store.count_attempt(&realm.id, &counters, rule, app.clock.now()).await? {
        app.metrics.sign_in("too_many_attempts");
        super::note_wait(context, until, Some(&user.id)).await?;
        return again(CodeProblem::TooMany).await;
    }
    let right = proves(context, devices, typed);
    // Of requests with the same code side by side, one spends it.
    let fresh = match &right {
        Some(right) => app.store.spend(&realm.id, std::slice::from_ref(&right.spend)).await?.is_none(),
        None => false,
    };
    if !fresh {
        refused(context, user, "invalid_user_credentials").await?;
        return again(CodeProblem::Wrong).await;
    }
    if let Some(moved) = right.and_then(|right| right.moved) {
        app.commit(vec![Change::AdvanceCredential(moved)]).await?;
    }
    let (half, user) = (Half { code_proven: true, ..(*half).clone() }, user.clone());
    go_on_as(asked, half, user).await
}

async fn new_password(asked: Asked<'_>, form: &Params) -> Result<Response, PageError> {
    let Asked { context, headers, pending, half, user } = &asked;
    let text = |name| form.get(name).unwrap_or_default();
    let (new, repeated) = (text("password-new"), text("password-confirm"));
    let stored = context.app.store.password_hash(&user.realm_id, &user.id).await?.unwrap_or_default();
    let made = match check_new(new, repeated, least(context)) {
        Ok(()) => make(context, &stored, new).await?,
        Err(problem) => Err(problem),
    };
    let hash = match made {
        Ok(hash) => hash,
        Err(problem) => {
            return asked.again(&Step::NewPassword, Some(Problem::Password(problem))).await;
        }
    };
    let known = views::knows(context, headers, user);
    let rule = &context.state.realm.settings.brute_force;
    let forgiven = brake::forgiven(&user.username, context.address, known, rule);
    let leading = kc_action::held(user, half).into_iter().chain(replaced(context, user, hash)).collect();
    let proof = Box::new(proof(user, half));
    let right = Right { user: Box::new(user.clone()), proof, forgiven, leading };
    let progress = signed_in(context, headers, right, half.remember).await?;
    let acted = half.session.is_some().then_some(Outcome::Success).or(pending.acted);
    advance(context, headers, &PendingRequest { half: None, acted, ..(*pending).clone() }, progress).await
}

/// The stored form of a new password.
async fn make(
    context: &RealmContext,
    stored: &str,
    new: &str,
) -> Result<Result<String, NewPasswordProblem>, PageError> {
    let (passwords, new) = (&context.app.passwords, Secret::from(new.to_owned()));
    let same = match passwords.verify(Some(stored), &new).await {
        Err(PasswordError::TooLong) => return Ok(Err(NewPasswordProblem::Long)),
        verdict => verdict?.matches,
    };
    if same {
        return Ok(Err(NewPasswordProblem::Same));
    }
    Ok(Ok(passwords.hash(context.app.rules.password_profile, new).await?))
}

/// What a new password changes: whoever held the old one is out, offline grants included (attacks F06).
fn replaced(context: &RealmContext, user: &User, hash: String) -> Vec<Change> {
    let (realm_id, user_id) = (user.realm_id.clone(), user.id.clone());
    let at = context.app.clock.now();
    let mut actions = user.required_actions.clone();
    actions.retain(|action| action != UPDATE_PASSWORD);
    let event = AuditEvent { user_id: Some(user_id.clone()), ..audit(context, AuditKind::UpdatePassword) };
    vec![
        Change::EndSessionsOfUser { realm_id: realm_id.clone(), user_id: user_id.clone(), at },
        Change::RevokeGrantsOfUser { realm_id: realm_id.clone(), user_id: user_id.clone(), at },
        Change::SetPassword { realm_id: realm_id.clone(), user_id: user_id.clone(), hash },
        Change::SetRequiredActions { realm_id, user_id, actions },
        Change::Audit(event),
    ]
}

async fn refused(context: &RealmContext, user: &User, cause: &'static str) -> Result<(), PageError> {
    let event = AuditEvent {
        error: Some(cause.into()),
        user_id: Some(user.id.clone()),
        ..audit(context, AuditKind::LoginError)
    };
    context.app.commit(vec![Change::Audit(event)]).await?;
    context.app.metrics.sign_in(cause);
    Ok(())
}

/// The page for a person whose account lacks something that cannot be done here. The attempt was no guess.
async fn unfit(context: &RealmContext, right: Right, missing: &[String]) -> Result<PageError, PageError> {
    let Right { user, forgiven, .. } = right;
    let event = AuditEvent {
        error: Some("resolve_required_actions".into()),
        user_id: Some(user.id.clone()),
        ..audit(context, AuditKind::LoginError)
    };
    let forgive = Change::ForgiveAttempt { realm_id: user.realm_id.clone(), forgiven };
    context.app.commit(vec![forgive, Change::Audit(event)]).await?;
    context.app.metrics.sign_in("not_fully_set_up");
    Ok(PageError::new(Trouble::Unfit).detail(format!("Still missing: {}", required::named(missing))))
}
