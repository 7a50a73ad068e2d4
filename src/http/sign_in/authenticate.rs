//! The sign-in form: `POST /login-actions/authenticate`.

use axum::http::HeaderMap;
use axum::response::Response;

use super::password::{self, Right, Verdict};
use super::{Progress, advance, audit, second, views};
use crate::http::context::RealmContext;
use crate::http::cookies::{self, Kind};
use crate::http::error::PageError;
use crate::http::pages::{LoginProblem, Trouble};
use crate::http::params::{Form, Params, Query};
use crate::http::pending::{Half, PendingRequest};
use crate::http::tokens;
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::authorize;
use crate::protocol::session::Session;
use crate::secrets::Secret;
use crate::store::Change;

/// Takes the form, and goes on with the request that waits.
pub async fn post(
    context: RealmContext,
    headers: HeaderMap,
    Query(query): Query,
    Form(form): Form,
) -> Response {
    submit(&context, &headers, query, form).await.unwrap_or_else(|error| context.fail(&error))
}

/// A reload of the form's address shows the form again.
pub async fn get(context: RealmContext, headers: HeaderMap, Query(query): Query) -> Response {
    let shown = async {
        let query = query.map_err(|_| PageError::new(Trouble::Request))?;
        let pending = PendingRequest::open(&context, &headers, &query).await?;
        if let Some(half) = &pending.half {
            return second::show(&context, &headers, &pending, half).await;
        }
        let progress = Progress::from_cookie(&context, &headers).await?;
        advance(&context, &headers, &pending, progress).await
    };
    shown.await.unwrap_or_else(|error| context.fail(&error))
}

async fn submit(
    context: &RealmContext,
    headers: &HeaderMap,
    query: Result<Params, crate::http::params::ParamsError>,
    form: Result<Params, crate::http::params::ParamsError>,
) -> Result<Response, PageError> {
    if !context.is_same_origin(headers) {
        return Err(PageError::new(Trouble::Forged));
    }
    let query = query.map_err(|why| PageError::new(Trouble::Request).detail(why.description()))?;
    let form = form.map_err(|why| PageError::new(Trouble::Request).detail(why.description()))?;
    let pending = PendingRequest::open(context, headers, &query).await?;
    // The forms of the steps after it have no such field; an empty one counts as absent.
    let anew = ["password", "persona"].iter().any(|name| form.get(name).is_some());
    if let Some(half) = pending.half.as_ref().filter(|_| !anew) {
        return second::submit(context, headers, &pending, half, &form).await;
    }
    let attempt = Attempt::read(context, &form);
    let (_turn, verdict) = password::check(context, headers, &attempt.typed, &attempt.password).await?;
    let problem = match verdict {
        Verdict::Right(right) => {
            let half = Half {
                user_id: right.user.id.clone(),
                changes: right.proof.changes,
                remember: attempt.remember,
                code_proven: false,
                device: None,
                session: None,
            };
            let forgiven = right.forgiven.clone();
            let outcome = second::go_on(context, headers, &pending, right, half).await;
            if outcome.as_ref().is_err_and(PageError::is_ours) {
                password::take_back(context, forgiven).await;
            }
            return outcome;
        }
        Verdict::WaitUntil(until) => LoginProblem::TooManyAttempts(until.since(context.app.clock.now())),
        Verdict::Wrong | Verdict::Disabled => LoginProblem::Invalid,
    };
    refused(context, headers, &pending, &attempt, problem).await
}

/// What the person typed.
struct Attempt {
    typed: String,
    password: Secret,
    remember: bool,
}

impl Attempt {
    fn read(context: &RealmContext, form: &Params) -> Self {
        let text = |name| form.get(name).unwrap_or_default().to_owned();
        let remember = form.get("rememberMe").is_some() && context.state.realm.settings.remember_me;
        let persona = form.get("persona").filter(|_| context.app.rules.helpful).and_then(|name| {
            context.app.rules.personas.iter().find(|p| p.realm == context.realm() && p.username == name)
        });
        match persona {
            Some(persona) => Self {
                typed: persona.username.clone(),
                password: Secret::from(persona.password.clone()),
                remember,
            },
            None => Self { typed: text("username"), password: Secret::from(text("password")), remember },
        }
    }
}

/// The session that a right password earns. The browser's old session of the same person goes on under a new cookie;
/// another person's ends.
pub(super) async fn signed_in(
    context: &RealmContext,
    headers: &HeaderMap,
    Right { user, proof, forgiven, leading }: Right,
    remember: bool,
) -> Result<Progress, PageError> {
    let now = context.app.clock.now();
    let settings = &context.state.realm.settings;
    let before = super::session(context, headers).await?;
    let (cookie, fingerprint) = cookies::fresh();
    let goes_on = leading.is_empty();
    let mut changes = vec![Change::ProvePassword(*proof)];
    changes.extend(leading);
    let session = match before {
        Some((old, owner)) if owner.id == user.id && goes_on => {
            let session = Session {
                auth_time: now,
                last_seen_at: now,
                acr: settings.password_acr.clone(),
                remembered: old.remembered || remember,
                ..old
            };
            let expires_at = session.ends_at(settings);
            changes.push(Change::ReauthenticateSession { session: session.clone(), fingerprint, expires_at });
            session
        }
        before => {
            if let Some((old, _)) = before {
                changes.push(Change::EndSession { realm_id: old.realm_id, id: old.id, at: now });
            }
            let session = password::fresh_session(context, headers, &user, remember, now);
            let expires_at = session.ends_at(settings);
            changes.push(Change::BeginSession { session: session.clone(), fingerprint, expires_at });
            session
        }
    };
    changes.push(Change::ForgiveAttempt { realm_id: user.realm_id.clone(), forgiven });
    changes.push(Change::Audit(AuditEvent {
        user_id: Some(user.id.clone()),
        session_id: Some(session.id.clone()),
        ..audit(context, AuditKind::Login)
    }));
    context.app.metrics.sign_in("success");
    let age = session.remembered.then_some(settings.remember_me_max);
    let known = context.app.vault.seal(&views::known_browser(context), user.id.as_bytes());
    let cookies = [
        cookies::set(context, Kind::Session, &cookie, age),
        cookies::set(context, Kind::State, &session.id, age),
        cookies::set(context, Kind::Remember, &known, Some(settings.remember_me_max)),
    ];
    Ok(Progress {
        session: Some((session, *user)),
        changes,
        cookies: cookies.into_iter().flatten().collect(),
        signed_in: true,
        after_form: true,
        ..Progress::default()
    })
}

async fn refused(
    context: &RealmContext,
    headers: &HeaderMap,
    pending: &PendingRequest,
    attempt: &Attempt,
    problem: LoginProblem,
) -> Result<Response, PageError> {
    // One that had to wait was noted with its wait.
    if problem == LoginProblem::Invalid {
        let cause = "invalid_user_credentials";
        let event = AuditEvent { error: Some(cause.into()), ..audit(context, AuditKind::LoginError) };
        context.app.commit(vec![Change::Audit(event)]).await?;
        context.app.metrics.sign_in(cause);
    }
    let client_id = pending.parameters.as_ref().and_then(|parameters| parameters.get("client_id"));
    let entry = match client_id {
        Some(id) => context.state.client(&context.app.store, id).await?,
        None => None,
    };
    let before = super::session(context, headers).await?;
    let request = entry
        .as_ref()
        .zip(pending.parameters.as_ref())
        .and_then(|(entry, parameters)| super::proven_request(context, &entry.client, parameters));
    let known = before
        .as_ref()
        .zip(entry.as_ref())
        .map(|((session, _), entry)| tokens::session_known_to(context, &entry.client, session));
    let again = known.as_ref().zip(request.as_ref()).is_some_and(|(session, request)| {
        authorize::is_for_the_same(request, session, pending.hinted_subject.as_deref())
    });
    let page = views::Login {
        client: entry.as_ref().map(|entry| &entry.client),
        request: request.as_ref(),
        again,
        typed: Some(&attempt.typed),
        remember: attempt.remember,
        problem: Some(problem),
    };
    Ok(page.render(context, headers, pending, before.as_ref().map(|(_, user)| user)))
}
