//! From records to the pages of a sign-in.

use axum::http::HeaderMap;
use axum::response::Response;

use super::with_cookies;
use crate::http::context::RealmContext;
use crate::http::cookies::{self, Kind};
use crate::http::pages::{
    Asker, Brand, Consent, Destination, Detail, Entry, FormPost, Hidden, Link, LoginProblem, Name, Page,
    Persona, Username,
};
use crate::http::pending::{PendingRequest, Sealed};
use crate::protocol::authorization_details::sentence;
use crate::protocol::authorize::{AuthorizationRequest, is_surely_reached};
use crate::protocol::client::Client;
use crate::protocol::scope::Granted;
use crate::protocol::session::Session;
use crate::protocol::user::User;
use crate::secrets;

/// What the sign-in page shows beyond the realm.
#[derive(Default)]
pub(super) struct Login<'a> {
    /// Who asks.
    pub(super) client: Option<&'a Client>,
    /// What was asked.
    pub(super) request: Option<&'a AuthorizationRequest>,
    /// Whether the page is for the person who is signed in alone.
    pub(super) again: bool,
    /// What the person typed the last time.
    pub(super) typed: Option<&'a str>,
    /// Whether "remember me" was ticked.
    pub(super) remember: bool,
    /// What went wrong the last time.
    pub(super) problem: Option<LoginProblem>,
}

impl Login<'_> {
    /// The page, for `user` when somebody is signed in already.
    pub(super) fn render(
        &self,
        context: &RealmContext,
        headers: &HeaderMap,
        pending: &PendingRequest,
        user: Option<&User>,
    ) -> Response {
        let sealed = pending.seal(context, headers);
        let action = action(context, "authenticate", self.client, &sealed.code);
        let mut view = crate::http::pages::Login::new(context.shell(), Link::own(&action));
        view.client = self.client.map(asker);
        view.destination = self.request.and_then(|request| Destination::of(request.target.redirect_uri()));
        view.username = match (user.filter(|_| self.again), self.typed, self.request) {
            (Some(user), _, _) => Username::Fixed(Entry::from(user.username.as_str())),
            (None, Some(typed), _) => Username::Open(Entry::from(typed)),
            (None, None, Some(request)) => {
                Username::Open(Entry::from(request.login_hint.as_deref().unwrap_or_default()))
            }
            (None, None, None) => Username::Open(Entry::default()),
        };
        let elsewhere = choose_account(context, pending, &sealed);
        view.switch_account = matches!(view.username, Username::Fixed(_)).then(|| Link::own(&elsewhere));
        view.remember = context.state.realm.settings.remember_me.then_some(self.remember);
        view.problem = self.problem;
        let personas = if context.app.rules.helpful { context.app.rules.personas.as_slice() } else { &[] };
        view.personas = personas
            .iter()
            .filter(|persona| persona.realm == context.realm())
            .map(|persona| Persona { username: &persona.username })
            .collect();
        let page = onward(context, self.client, view.page());
        with_cookies(context.page(page), sealed.cookie.into_iter().collect())
    }
}

/// The consent page.
pub(super) fn consent(
    context: &RealmContext,
    headers: &HeaderMap,
    pending: &PendingRequest,
    client: &Client,
    (session, user): &(Session, User),
    request: &AuthorizationRequest,
    granted: &Granted<'_>,
) -> Response {
    let asked = Some(super::consent::question(session, client, granted));
    let sealed = PendingRequest { asked, ..pending.clone() }.seal(context, headers);
    let elsewhere = choose_account(context, pending, &sealed);
    let action = action(context, "consent", Some(client), &sealed.code);
    let Some(destination) = Destination::of(request.target.redirect_uri()) else {
        return context.fail(&crate::http::error::PageError::new(crate::http::pages::Trouble::Redirect));
    };
    let details = details(context, granted);
    let shown = user.full_name().unwrap_or_else(|| user.username.clone());
    let view = Consent {
        shell: context.shell(),
        client: asker(client),
        user: Name::new(&shown),
        switch_account: Some(Link::own(&elsewhere)),
        asks: granted.needs_consent().into_iter().map(|(_, text)| Name::new(text)).collect(),
        details: details.iter().map(|(sentence, lines)| Detail::new(sentence, lines)).collect(),
        remembered: details.is_empty() && is_surely_reached(client, request),
        destination,
        action: Link::own(&action),
        hidden: Vec::new(),
    };
    let page = onward(context, Some(client), view.page());
    with_cookies(context.page(page), sealed.cookie.into_iter().collect())
}

/// What is granted in detail, as the person reads it: a sentence, and names with values.
pub(in crate::http) fn details<'a>(
    context: &'a RealmContext,
    granted: &'a Granted<'_>,
) -> Vec<(&'a str, Vec<(String, String)>)> {
    let settings = &context.state.realm.settings;
    granted.details.iter().map(|detail| (sentence(detail, settings), detail.lines())).collect()
}

/// The page that posts an answer to the client.
pub(super) fn form_post(
    context: &RealmContext,
    client: &Client,
    action: &str,
    fields: &[(&'static str, String)],
) -> Response {
    let nonce = secrets::random_token();
    let Some(target) = Link::new(action) else {
        return context.fail(&crate::http::error::PageError::new(crate::http::pages::Trouble::Redirect));
    };
    let view = FormPost {
        shell: context.shell(),
        client: Name::new(client.title()),
        target,
        fields: fields.iter().map(|(name, value)| Hidden { name, value }).collect(),
        nonce: &nonce,
    };
    context.page(onward(context, Some(client), view.page()))
}

/// Lets the journey after the form lead through the client's callback to where that callback redirects: to any page
/// in development, to the client's registered origins in production. Chromium holds each of these hops against the
/// page's `form-action`.
pub(super) fn onward(context: &RealmContext, client: Option<&Client>, page: Page) -> Page {
    if context.app.rules.helpful {
        return page.leading_anywhere();
    }
    let settings = client.map(|client| &client.settings);
    let registered =
        settings.iter().flat_map(|settings| settings.redirect_uris.iter().chain(&settings.web_origins));
    registered.filter_map(|uri| Destination::of(uri)).fold(page, |page, origin| page.leading_to(&origin))
}

/// Keycloak's form of the address, which scripts take from the page as it stands or apart. `session_code` carries the
/// request; nothing reads the rest, which says nothing either: the same for each request, so that answers can be compared.
fn action(context: &RealmContext, step: &str, client: Option<&Client>, code: &str) -> String {
    let path = crate::http::realm_path(context);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("session_code", code);
    if let Some(client) = client {
        query.append_pair("execution", &context.state.realm.id);
        query.append_pair("client_id", &client.client_id);
        query.append_pair("tab_id", &client.id);
    }
    format!("{path}/login-actions/{step}?{}", query.finish())
}

/// Where a form of the sign-in is posted, and where somebody else goes on with the request instead.
pub(super) fn actions(
    context: &RealmContext,
    pending: &PendingRequest,
    client: Option<&Client>,
    shown: &Sealed,
) -> (String, String) {
    (action(context, "authenticate", client, &shown.code), choose_account(context, pending, shown))
}

/// Where somebody else goes on with the request.
pub(in crate::http) fn choose_account(
    context: &RealmContext,
    pending: &PendingRequest,
    shown: &Sealed,
) -> String {
    let pending = pending.choosing_account(context.app.clock.now());
    action(context, "authenticate", None, &shown.beside(context, &pending))
}

/// Where the consent page of a pending request is.
pub(super) fn consent_address(context: &RealmContext, code: &str) -> String {
    action(context, "consent", None, code)
}

/// A client as pages present it.
pub(in crate::http) fn asker(client: &Client) -> Asker<'_> {
    let settings = &client.settings;
    let mut asker =
        Asker::new(Brand::new(&client.client_id, settings.name.as_deref(), settings.logo_uri.as_deref()));
    asker.home = settings.client_uri.as_deref().and_then(Link::new);
    asker.policy = settings.policy_uri.as_deref().and_then(Link::new);
    asker.terms = settings.tos_uri.as_deref().and_then(Link::new);
    asker
}

/// Whether this browser says that `user` signed in here before.
pub(super) fn knows(context: &RealmContext, headers: &HeaderMap, user: &User) -> bool {
    cookies::read(context, headers, Kind::Remember)
        .and_then(|sealed| context.app.vault.open(&known_browser(context), &sealed).ok())
        .is_some_and(|plain| plain.as_slice() == user.id.as_bytes())
}

/// What the cookie of a known browser is sealed for.
pub(super) fn known_browser(context: &RealmContext) -> String {
    format!("known browser/{}", context.state.realm.id)
}
