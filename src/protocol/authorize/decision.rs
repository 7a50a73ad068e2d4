//! What comes next for a request, given what is known at the moment.

use super::kc_action::is_fresh;
use super::{AuthorizationRequest, Prompt};
use crate::clock::Timestamp;
use crate::protocol::acr::{self, Verdict};
use crate::protocol::client::Client;
use crate::protocol::consent::Consent;
use crate::protocol::error::ErrorCode;
use crate::protocol::realm::RealmSettings;
use crate::protocol::session::Session;

/// What is known when a request is decided.
pub struct Facts<'a> {
    /// When the request arrived.
    pub received_at: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// The browser's session, if its user is enabled.
    pub session: Option<&'a Session>,
    /// Whether that session's last sign-in was made on the page of this very request. Times alone cannot say: they
    /// are whole seconds, and a request may arrive in the second of an earlier sign-in.
    pub signed_in_here: bool,
    /// Whom the client believes to be signed in: the subject of a verified `id_token_hint`.
    pub hinted_subject: Option<&'a str>,
    /// The scopes that need consent.
    pub asks: &'a [String],
    /// Whether something is asked in detail, which a person allows anew each time.
    pub asks_details: bool,
    /// What the user allowed this client before.
    pub consent: Option<&'a Consent>,
    /// Whether the person has just pressed "yes" on the consent page of this request.
    pub consented_now: bool,
    /// Whether what the app asked the person to do is over.
    pub acted: bool,
}

impl Facts<'_> {
    /// Whether `session` is of a sign-in that was made for this request.
    fn signed_in_for_this(&self, session: &Session) -> bool {
        self.signed_in_here || session.auth_time > self.received_at
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Show the sign-in page.
    SignIn {
        /// Somebody is signed in, and the page is for them alone: they must prove it again. Else anybody may sign in.
        again: bool,
    },
    /// Show the page of what the app asks the person to do ([`AuthorizationRequest::action`]).
    Act,
    /// Show the consent page.
    AskConsent,
    /// Issue a code.
    Issue,
    /// Refuse, to the client.
    Refuse(ErrorCode),
}

/// Decides what comes next (OpenID Connect Core §3.1.2.3 and §3.1.2.4).
#[must_use]
pub fn decide(
    request: &AuthorizationRequest,
    client: &Client,
    settings: &RealmSettings,
    facts: &Facts<'_>,
) -> Decision {
    let silent = request.is_silent();
    if request.acr.as_ref().is_some_and(|wish| wish.is_beyond(settings)) {
        return Decision::Refuse(ErrorCode::UnmetAuthenticationRequirements);
    }
    let session = facts.session.filter(|session| session.is_live(settings, facts.now));
    let Some(session) = session else {
        return if silent {
            Decision::Refuse(ErrorCode::LoginRequired)
        } else {
            Decision::SignIn { again: false }
        };
    };
    let signed_in_for_this = facts.signed_in_for_this(session);
    let other_person = facts.hinted_subject.is_some_and(|subject| subject != session.user_id)
        || !request.claims.allows_subject(&session.user_id);
    if other_person && (silent || signed_in_for_this) {
        return Decision::Refuse(ErrorCode::LoginRequired);
    }
    let verdict = judge(request, session, settings, facts);
    if verdict == Verdict::Unmet {
        return Decision::Refuse(ErrorCode::UnmetAuthenticationRequirements);
    }
    let acts = request.action.is_some() && !facts.acted;
    if acts && silent {
        return Decision::Refuse(ErrorCode::InteractionRequired);
    }
    let stale = acts && !is_fresh(session, facts.now);
    let again = verdict == Verdict::ProveAgain || stale || must_prove_again(request, session, facts.now);
    if other_person || (!signed_in_for_this && again) {
        return if silent {
            Decision::Refuse(ErrorCode::LoginRequired)
        } else {
            Decision::SignIn { again: is_for_the_same(request, session, facts.hinted_subject) }
        };
    }
    if acts {
        return Decision::Act;
    }
    if must_ask_consent(request, client, facts) {
        return if silent { Decision::Refuse(ErrorCode::ConsentRequired) } else { Decision::AskConsent };
    }
    Decision::Issue
}

/// Whether a sign-in page shown to the person of `session` is for that person alone: not when the client believes
/// somebody else to be here, nor when the person is to choose (`prompt=select_account`).
#[must_use]
pub fn is_for_the_same(
    request: &AuthorizationRequest,
    session: &Session,
    hinted_subject: Option<&str>,
) -> bool {
    !request.prompt.contains(&Prompt::SelectAccount)
        && hinted_subject.is_none_or(|subject| subject == session.user_id)
        && request.claims.allows_subject(&session.user_id)
}

/// The `acr` that tokens of this request will tell of `session`, once [`decide`] says [`Decision::Issue`].
#[must_use]
pub fn acr(
    request: &AuthorizationRequest,
    session: &Session,
    settings: &RealmSettings,
    facts: &Facts<'_>,
) -> String {
    match judge(request, session, settings, facts) {
        Verdict::Tell(acr) => acr.to_owned(),
        Verdict::ProveAgain | Verdict::Unmet => session.acr.clone(),
    }
}

fn judge<'a>(
    request: &'a AuthorizationRequest,
    session: &'a Session,
    settings: &RealmSettings,
    facts: &Facts<'_>,
) -> Verdict<'a> {
    let moment = (facts.signed_in_for_this(session), request.is_silent());
    acr::judge(request.acr.as_ref(), session, settings, facts.now, moment)
}

fn must_prove_again(request: &AuthorizationRequest, session: &Session, now: Timestamp) -> bool {
    request.prompt.contains(&Prompt::Login)
        || request.prompt.contains(&Prompt::SelectAccount)
        || request.max_age.is_some_and(|max_age| now.since(session.auth_time) >= max_age)
}

fn must_ask_consent(request: &AuthorizationRequest, client: &Client, facts: &Facts<'_>) -> bool {
    if facts.consented_now {
        return false;
    }
    let remembered = facts.consent.filter(|_| is_surely_reached(client, request));
    let allowed = |scope: &String| remembered.is_some_and(|consent| consent.scopes.contains(scope));
    request.prompt.contains(&Prompt::Consent)
        || (client.settings.consent
            && (facts.asks_details || remembered.is_none() || !facts.asks.iter().all(allowed)))
}

/// Whether the answer reaches this client and no other app: a confidential one must prove itself for its tokens, and an
/// https address is one host's. A scheme or a loopback port can be taken by any app of the device, so what was allowed
/// to one is asked anew of the next (OAuth 2.1 §7.3.1).
#[must_use]
pub fn is_surely_reached(client: &Client, request: &AuthorizationRequest) -> bool {
    !client.is_public() || request.target.redirect_uri().starts_with("https://")
}
