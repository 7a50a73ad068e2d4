//! What an account asks of its person at the sign-in (required actions, by Keycloak's name): a device set up, terms
//! accepted, a profile completed. Each is done before the next is asked, and nothing of it lasts when the password, or the
//! account, is not what it was.

use std::borrow::Cow;

use axum::response::Response;
use serde_json::Value;

use super::second::{self, Asked, proof};
use super::step_page::Problem;
use super::{Progress, answer, audit, kc_action};
use crate::http::context::RealmContext;
use crate::http::error::{Fault, PageError};
use crate::http::pages::{CodeProblem, Trouble};
use crate::http::params::Params;
use crate::http::pending::{Half, PendingRequest};
use crate::keycloak::Beside;
use crate::protocol::account::{Flaw, Profile, completed};
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::credential::Credential;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::otp::{self, DeviceKey};
use crate::protocol::sign_in_step::{CONFIGURE_TOTP, Step, TERMS, UPDATE_PROFILE};
use crate::protocol::user::User;
use crate::secrets;
use crate::store::{Change, REALM_CHANGED, StoreError};

/// The attribute of a person that says when they accepted the terms, by Keycloak's name: seconds since 1970.
const ACCEPTED: &str = "terms_and_conditions";

/// Most characters of what a person calls a device.
const LONGEST_LABEL: usize = 64;

/// The pending request with the key of the device that is being set up, which stays the same until it is.
pub(super) fn with_key<'a>(pending: &'a PendingRequest, step: &Step) -> Cow<'a, PendingRequest> {
    match &pending.half {
        Some(half) if *step == Step::SetUpDevice && half.device.is_none() => {
            let device = Some(DeviceKey::new(secrets::random_bytes()));
            Cow::Owned(PendingRequest { half: Some(Half { device, ..half.clone() }), ..pending.clone() })
        }
        _ => Cow::Borrowed(pending),
    }
}

/// The realm's terms: the text `termsText` of its own, in the realm's language or any.
pub(super) async fn terms(context: &RealmContext) -> Result<Option<String>, PageError> {
    let id = &context.state.realm.id;
    let record = context.app.store.keycloak_record(id, Beside::Realm.kind(), id).await?;
    let content = record.map(|record| record.content).unwrap_or_default();
    let texts = content.get("localizationTexts").and_then(Value::as_object);
    let own = content.get("defaultLocale").and_then(Value::as_str).unwrap_or("en");
    let text = |texts: &Value| texts.get("termsText")?.as_str().map(str::to_owned);
    let preferred = texts.and_then(|texts| texts.get(own)).and_then(text);
    Ok(preferred.or_else(|| texts?.values().find_map(text)).filter(|text| !text.trim().is_empty()))
}

/// Takes a code of the device that is being set up, and keeps the device. Its person has shown a code then.
pub(super) async fn set_up(
    asked: Asked<'_>,
    devices: &[Credential],
    form: &Params,
) -> Result<Response, PageError> {
    let (context, half) = (asked.context, asked.half);
    let Some(key) = &half.device else { return asked.again(&Step::SetUpDevice, None).await };
    let label = form.get("userLabel").map(str::trim).filter(|label| !label.is_empty());
    let label = label.map(|label| label.chars().filter(|c| !c.is_control()).take(LONGEST_LABEL).collect());
    let now = context.app.clock.now();
    let mut device = key.credential(&asked.user, label, now);
    device.priority = devices.iter().map(|one| one.priority).max().unwrap_or_default().saturating_add(10);
    let typed = form.get("totp").unwrap_or_default();
    let right = otp::check(&device, &key.secret(), typed, now);
    let wrong = Some(Problem::Code(CodeProblem::Wrong));
    let Some(right) = right else { return asked.again(&Step::SetUpDevice, wrong).await };
    // Of requests with the same code side by side, one sets it up.
    let spent = context.app.store.spend(&context.state.realm.id, &[right.spend]).await?;
    if spent.is_some() {
        return asked.again(&Step::SetUpDevice, wrong).await;
    }
    device.secret = context.app.vault.seal(&device.place(), key.secret().as_bytes());
    let user = without(&asked.user, CONFIGURE_TOTP);
    let changes = vec![Change::PutCredential(device)];
    let half = Half { code_proven: true, device: None, ..half.clone() };
    done(asked, half, user, changes, AuditKind::UpdateTotp).await
}

/// Takes the person's yes to the terms. A no ends the sign-in, as an app is told.
pub(super) async fn accept(asked: Asked<'_>, form: &Params) -> Result<Response, PageError> {
    if form.get("accept").is_none() || form.get("cancel").is_some() {
        return refuse(&asked).await;
    }
    let mut user = without(&asked.user, TERMS);
    user.attributes.insert(ACCEPTED.to_owned(), vec![asked.context.app.clock.now().0.to_string()]);
    let half = asked.half.clone();
    done(asked, half, user, Vec::new(), AuditKind::CustomRequiredAction).await
}

async fn refuse(asked: &Asked<'_>) -> Result<Response, PageError> {
    let (context, pending) = (asked.context, asked.pending);
    let event = AuditEvent {
        error: Some("rejected_by_user".into()),
        user_id: Some(asked.user.id.clone()),
        ..audit(context, AuditKind::LoginError)
    };
    let event = Change::Audit(event);
    let Some(parameters) = &pending.parameters else {
        context.app.commit(vec![event]).await?;
        let pending = PendingRequest { half: None, ..pending.clone() };
        return super::advance(context, asked.headers, &pending, Progress::default()).await;
    };
    let entry = super::client(context, parameters).await?;
    let client = entry.as_ref().map(|entry| &entry.client).ok_or_else(|| PageError::new(Trouble::Client))?;
    let request = super::proven_request(context, client, parameters);
    let request = request.ok_or_else(|| PageError::new(Trouble::Expired))?;
    let progress = Progress { changes: vec![event], after_form: true, ..Progress::default() };
    let error = OAuthError::new(ErrorCode::AccessDenied, "The person refused the terms");
    answer::refuse(context, client, &request.target, &error, progress).await
}

/// Takes names and address.
pub(super) async fn complete(asked: Asked<'_>, form: &Params) -> Result<Response, PageError> {
    let text = |name| form.get(name).unwrap_or_default().to_owned();
    let typed = Profile { first_name: text("firstName"), last_name: text("lastName"), email: text("email") };
    let user = match completed(&asked.user, &typed) {
        Ok(user) => without(&user, UPDATE_PROFILE),
        Err(flaws) => {
            return asked.again(&Step::CompleteProfile, Some(Problem::Profile(typed, flaws))).await;
        }
    };
    let changes = changes(&asked, &user, Vec::new(), AuditKind::UpdateProfile);
    match asked.context.app.commit(changes).await {
        Ok(()) => {
            let half = asked.half.clone();
            second::go_on_as(asked, half, user).await
        }
        Err(StoreError::Conflict { what: "email" | "user name" }) => {
            let problem = Problem::Profile(typed, vec![Flaw::of_taken_email()]);
            asked.again(&Step::CompleteProfile, Some(problem)).await
        }
        Err(error) => Err(moved(error)),
    }
}

/// `user` of whom `action` is asked no more.
fn without(user: &User, action: &str) -> User {
    let mut user = user.clone();
    user.required_actions.retain(|one| one != action);
    user
}

/// Commits what was done, and goes on with the person as they are then.
async fn done(
    asked: Asked<'_>,
    half: Half,
    user: User,
    more: Vec<Change>,
    kind: AuditKind,
) -> Result<Response, PageError> {
    asked.context.app.commit(changes(&asked, &user, more, kind)).await.map_err(moved)?;
    second::go_on_as(asked, half, user).await
}

/// The account as it becomes, where it is still what was read, and the password the one that was right.
fn changes(asked: &Asked<'_>, user: &User, more: Vec<Change>, kind: AuditKind) -> Vec<Change> {
    let event = AuditEvent { user_id: Some(user.id.clone()), ..audit(asked.context, kind) };
    let mut changes = vec![
        Change::ProvePassword(proof(&asked.user, asked.half)),
        Change::ExpectUser(Box::new(asked.user.clone())),
        Change::PutUser(Box::new(user.clone())),
    ];
    changes.extend(kc_action::held(&asked.user, asked.half));
    if asked.context.state.realm.settings.login_with_email && user.email != asked.user.email {
        let (realm_id, user_id) = (user.realm_id.clone(), user.id.clone());
        changes.push(Change::ExpectOwnLogins { realm_id, user_id });
    }
    changes.extend(more);
    changes.push(Change::Audit(event));
    changes
}

/// Somebody changed the account meanwhile: begin anew.
fn moved(error: StoreError) -> PageError {
    match error {
        StoreError::Conflict { what: REALM_CHANGED | "password" | "session" } => {
            PageError::new(Trouble::Expired)
        }
        error => PageError::from(Fault::from(error)),
    }
}

/// What an account lacks that cannot be done here, in words where there are some, and by the names that operators know.
pub(super) fn named(missing: &[String]) -> String {
    let words = |action: &String| match action.as_str() {
        "VERIFY_EMAIL" | "UPDATE_EMAIL" => format!("a confirmed e-mail address ({action})"),
        "VERIFY_PROFILE" => format!("a complete profile ({action})"),
        "webauthn-register" | "webauthn-register-passwordless" => format!("a security key ({action})"),
        "CONFIGURE_RECOVERY_AUTHN_CODES" => format!("recovery codes ({action})"),
        _ => action.clone(),
    };
    missing.iter().map(words).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn what_is_missing_is_told_in_words_and_by_its_name() {
        let missing = ["VERIFY_EMAIL", "terms_of_tomorrow"].map(str::to_owned);
        assert_eq!(named(&missing), "a confirmed e-mail address (VERIFY_EMAIL), terms_of_tomorrow");
    }
}
