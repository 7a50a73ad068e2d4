//! The person's own page: `GET …/account/` shows profile, apps with consent and sessions; its forms withdraw and end. An app
//! that asks there for JSON gets the profile, and may change it (`profile`).

mod profile;

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::Response;
use serde::Deserialize;

pub use profile::update;

use super::context::RealmContext;
use super::cookies;
use super::error::{Fault, PageError};
use super::goodbye;
use super::pages::{Account, App, Brand, Done, Hidden, Link, Moment, Name, Profile, SignedIn, Trouble};
use super::params::{Form, Params, ParamsError, Query};
use super::pending::{OwnPage, PendingRequest, Referrer};
use super::sign_in::{self, Progress, audit, see_other, with_cookies};
use crate::protocol::account::{Access, allow};
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::client::Client;
use crate::protocol::consent::Consent;
use crate::protocol::referrer;
use crate::protocol::session::Session;
use crate::protocol::sign_in_step::{CONFIGURE_TOTP, UPDATE_PASSWORD, UPDATE_PROFILE};
use crate::protocol::user::User;
use crate::store::{Change, Page};

/// What a form of the page does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Takes back what an app was allowed.
    Withdraw,
    /// Ends one session.
    EndSession,
    /// Ends every session.
    EndAll,
}

/// What a person may change of the own account: the word in the address, and the action by Keycloak's name.
const CHANGES: [(&str, &str); 3] =
    [("profile", UPDATE_PROFILE), ("password", UPDATE_PASSWORD), ("device", CONFIGURE_TOTP)];

/// `GET …/account/change/{what}`: leads whose sign-in is fresh enough to the form, others over the sign-in page.
pub async fn change(
    context: RealmContext,
    headers: HeaderMap,
    path: Path<std::collections::HashMap<String, String>>,
) -> Response {
    let Some((_, action)) =
        CHANGES.iter().find(|(word, _)| path.get("what").is_some_and(|what| what == word))
    else {
        return context.fail(&PageError::new(Trouble::Missing));
    };
    let page = OwnPage::Change { action: (*action).to_owned() };
    let pending = PendingRequest { page, ..PendingRequest::account(context.app.clock.now()) };
    let shown = async {
        let progress = Progress::from_cookie(&context, &headers).await?;
        sign_in::advance(&context, &headers, &pending, progress).await
    };
    shown.await.unwrap_or_else(|error| context.fail(&error))
}

/// Shows the page, after a sign-in if nobody is signed in; to an app that asks for JSON with a token, the profile.
pub async fn show(context: RealmContext, headers: HeaderMap, Query(query): Query) -> Response {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("application/json") && !accept.contains("text/html") {
        return profile::read(&context, &headers).await;
    }
    page(&context, &headers, query).await.unwrap_or_else(|error| context.fail(&error))
}

async fn page(
    context: &RealmContext,
    headers: &HeaderMap,
    query: Result<Params, ParamsError>,
) -> Result<Response, PageError> {
    let query = query.unwrap_or_default();
    let referrer = Referrer::read(&query);
    let progress = Progress::from_cookie(context, headers).await?;
    let Some((session, user)) = &progress.session else {
        let pending = PendingRequest::account(context.app.clock.now());
        let page = referrer.map_or(OwnPage::Account, OwnPage::AccountFrom);
        let pending = PendingRequest { page, ..pending };
        return sign_in::advance(context, headers, &pending, progress).await;
    };
    let (store, realm) = (&context.app.store, &context.state.realm);
    let now = context.app.clock.now();
    let consents = store.consents_of_user(&realm.id, &user.id, Page::ALL).await?;
    let sessions = store.sessions_of_user(&realm.id, &user.id, Page::ALL).await?;
    let back = way_back(context, referrer.as_ref()).await?;
    let may_change = may_change(context, user).await?;
    let full_name = user.full_name();
    let path = format!("{}/account", super::realm_path(context));
    let [withdraw, end, end_all] =
        ["withdraw", "end-session", "end-all"].map(|action| format!("{path}/{action}"));
    let changes = CHANGES.map(|(what, _)| format!("{path}/change/{what}"));
    let csrf = csrf(context, session);
    let apps = consents.iter().map(|(consent, client)| app(context, consent, client, &withdraw));
    let live = sessions.iter().filter(|one| one.is_live(&realm.settings, now));
    let live = live.map(|one| signed_in(one, session, &end));
    let view = Account {
        shell: context.shell(),
        profile: Profile {
            name: full_name.as_deref().map(Name::new),
            username: Name::new(&user.username),
            email: user.email.as_deref().map(|email| (Name::new(email), user.email_verified)),
        },
        changes: may_change.then(|| changes.each_ref().map(|address| Link::own(address))),
        apps: apps.collect(),
        sessions: live.collect(),
        end_all: Link::own(&end_all),
        hidden: vec![Hidden { name: "csrf", value: &csrf }],
        done: query.get("done").and_then(done),
        back: back.as_ref().and_then(|(name, address)| Some((Name::new(name), Link::proven(address)?))),
    };
    Ok(context.page(view.page()))
}

fn app<'a>(
    context: &'a RealmContext,
    consent: &'a Consent,
    client: &'a Client,
    withdraw: &'a str,
) -> App<'a> {
    let settings = &client.settings;
    App {
        brand: Brand::new(&client.client_id, settings.name.as_deref(), settings.logo_uri.as_deref()),
        home: settings.client_uri.as_deref().and_then(Link::new),
        allowed: consent.scopes.iter().map(|scope| Name::new(scope_text(context, scope))).collect(),
        granted: Moment(consent.granted_at),
        action: Link::own(withdraw),
        id: &client.id,
    }
}

fn signed_in<'a>(one: &'a Session, here: &Session, end: &'a str) -> SignedIn<'a> {
    SignedIn {
        user_agent: &one.user_agent,
        address: Name::new(&one.address),
        started: Moment(one.started_at),
        seen: Moment(one.last_seen_at),
        this_one: one.id == here.id,
        action: Link::own(end),
        id: &one.id,
    }
}

/// Whether the person may change the own account, by the role that an app's token needs for it too.
///
/// # Errors
/// Trouble of ours.
pub(in crate::http) async fn may_change(context: &RealmContext, user: &User) -> Result<bool, Fault> {
    let held = context.app.store.roles_of_user(&user.realm_id, &user.id).await?;
    let all = &context.state.roles;
    Ok(allow(&all.effective(held.role_ids.iter().map(String::as_str)), all, Access::Change))
}

/// The app that sent the person here and asks them back: its name, and an address of its own.
async fn way_back(
    context: &RealmContext,
    referrer: Option<&Referrer>,
) -> Result<Option<(String, String)>, PageError> {
    let Some(Referrer { client_id, uri }) = referrer else { return Ok(None) };
    let entry = context.state.client(&context.app.store, client_id).await?;
    let Some(client) = entry.as_ref().map(|entry| &entry.client) else { return Ok(None) };
    let address = referrer::way_back(client, uri.as_deref(), context.app.rules.strictness);
    Ok(address.map(|address| (client.title().to_owned(), address.to_owned())))
}

fn done(word: &str) -> Option<Done> {
    match word {
        "withdraw" => Some(Done::Withdrawn),
        "end-session" => Some(Done::Ended),
        "saved" => Some(Done::Saved),
        _ => None,
    }
}

fn scope_text<'a>(context: &'a RealmContext, name: &'a str) -> &'a str {
    let known = context.state.scopes.iter().find(|scope| scope.name == name);
    known.and_then(|scope| scope.settings.consent_text.as_deref()).unwrap_or(name)
}

/// Takes a form of the page.
pub async fn act(
    context: RealmContext,
    headers: HeaderMap,
    path: Path<std::collections::HashMap<String, String>>,
    Form(form): Form,
) -> Response {
    let action = path.get("action").and_then(|word| {
        Action::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word)).ok()
    });
    let Some(action) = action else { return context.fail(&PageError::new(Trouble::Missing)) };
    submit(&context, &headers, action, form).await.unwrap_or_else(|error| context.fail(&error))
}

async fn submit(
    context: &RealmContext,
    headers: &HeaderMap,
    action: Action,
    form: Result<Params, ParamsError>,
) -> Result<Response, PageError> {
    let form = form.map_err(|why| PageError::new(Trouble::Request).detail(why.description()))?;
    let Some((session, user)) = sign_in::session(context, headers).await? else {
        return Err(PageError::new(Trouble::Expired).again(context.url("/account/")));
    };
    let proven = proves(context, &session, form.get("csrf").unwrap_or_default());
    if !proven || !context.is_same_origin(headers) {
        return Err(PageError::new(Trouble::Forged));
    }
    let id = form.get("id").unwrap_or_default();
    let (changes, word) = changes(context, action, id, &session, &user).await?;
    let ended_here = action == Action::EndAll || (action == Action::EndSession && id == session.id);
    let frames = if ended_here { goodbye::frames(context, &session.id).await? } else { Vec::new() };
    context.app.commit(changes).await?;
    if !ended_here {
        return Ok(see_other(&context.url(&format!("/account/?done={word}"))));
    }
    let response = match action {
        Action::EndAll => goodbye::everywhere(context, &frames),
        _ => goodbye::answer(context, None, &frames, None),
    };
    Ok(with_cookies(response, cookies::signed_out(context)))
}

async fn changes(
    context: &RealmContext,
    action: Action,
    id: &str,
    session: &Session,
    user: &User,
) -> Result<(Vec<Change>, &'static str), PageError> {
    let realm_id = context.state.realm.id.clone();
    let at = context.app.clock.now();
    let event = |kind| AuditEvent {
        user_id: Some(user.id.clone()),
        session_id: Some(session.id.clone()),
        ..audit(context, kind)
    };
    Ok(match action {
        Action::Withdraw => {
            let client = context.app.store.client_by_id(&realm_id, id).await?;
            let client_id = client.map(|client| client.client_id);
            let event = AuditEvent { client_id, ..event(AuditKind::RevokeGrant) };
            let user_id = user.id.clone();
            let withdraw = Change::WithdrawConsent { realm_id, user_id, client: id.to_owned(), at };
            (vec![withdraw, Change::Audit(event)], "withdraw")
        }
        Action::EndSession => {
            let own = context.app.store.session_by_id(&realm_id, id).await?;
            if !own.is_some_and(|one| one.user_id == user.id && one.ended_at.is_none()) {
                return Err(PageError::new(Trouble::Missing));
            }
            let event = AuditEvent { session_id: Some(id.to_owned()), ..event(AuditKind::Logout) };
            (
                vec![Change::EndSession { realm_id, id: id.to_owned(), at }, Change::Audit(event)],
                "end-session",
            )
        }
        Action::EndAll => {
            let end = Change::EndSessionsOfUser { realm_id, user_id: user.id.clone(), at };
            (vec![end, Change::Audit(event(AuditKind::Logout))], "end-session")
        }
    })
}

/// The page's token against forged forms: only who holds the server's key can make one for this session.
fn csrf(context: &RealmContext, session: &Session) -> String {
    context.app.vault.seal(&csrf_aad(context), session.id.as_bytes())
}

fn proves(context: &RealmContext, session: &Session, token: &str) -> bool {
    context
        .app
        .vault
        .open(&csrf_aad(context), token)
        .is_ok_and(|plain| plain.as_slice() == session.id.as_bytes())
}

fn csrf_aad(context: &RealmContext) -> String {
    format!("account form/{}", context.state.realm.id)
}
