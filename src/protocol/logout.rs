//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): may it go ahead without a question, and where the
//! browser goes afterwards.

use thiserror::Error;

use super::client::Client;
use super::redirect_uri::{self, Strictness};
use super::session::Session;

/// What a genuine `id_token_hint` says; its expiry does not matter here (§2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// `sub`.
    pub subject: String,
    /// `sid`.
    pub session_id: Option<String>,
    /// `client_id` that it was issued to.
    pub client_id: String,
}

/// Whether the person must be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The hint is of this very session: go ahead.
    NotNeeded,
    /// Nobody knows whether the person wants this: ask (§2).
    Ask,
    /// There is no session in this browser.
    NobodySignedIn,
}

/// Decides whether to ask.
#[must_use]
pub fn question(session: Option<&Session>, hint: Option<&Hint>) -> Question {
    match (session, hint) {
        (None, _) => Question::NobodySignedIn,
        (Some(session), Some(hint)) if session.user_id == hint.subject => match &hint.session_id {
            Some(id) if *id != session.id => Question::Ask,
            _ => Question::NotNeeded,
        },
        (Some(_), _) => Question::Ask,
    }
}

/// The hint was issued to another client than `client_id` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("client_id is not that of the id_token_hint")]
pub struct OtherClient;

/// The `client_id` that the request is of, by its hint or its parameter.
///
/// # Errors
/// [`OtherClient`] when both are there and differ (§2).
pub fn named_client<'a>(
    hint: Option<&'a Hint>,
    client_id: Option<&'a str>,
) -> Result<Option<&'a str>, OtherClient> {
    match (hint.map(|hint| hint.client_id.as_str()), client_id) {
        (Some(hinted), Some(named)) if hinted != named => Err(OtherClient),
        (hinted, named) => Ok(hinted.or(named)),
    }
}

/// Where the browser goes after sign-out, proven to be registered; made by [`destination`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    uri: String,
    state: Option<String>,
}

/// Why there is no way back to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoDestination {
    /// Neither `id_token_hint` nor `client_id` says whose address it would be.
    ClientUnknown,
    /// The address is not registered for the client.
    Unregistered,
}

/// Proves `post_logout_redirect_uri` for `client` (§3). A registered `+` stands for the redirect URIs, as Keycloak's.
///
/// # Errors
/// [`NoDestination`].
pub fn destination(
    requested: &str,
    state: Option<&str>,
    client: Option<&Client>,
    strictness: Strictness,
) -> Result<Destination, NoDestination> {
    let client = client.ok_or(NoDestination::ClientUnknown)?;
    let settings = &client.settings;
    let own = settings.post_logout_redirect_uris.iter().filter(|uri| *uri != "+");
    let inherited = settings.post_logout_redirect_uris.iter().any(|uri| uri == "+");
    let mut all = own.chain(settings.redirect_uris.iter().filter(|_| inherited));
    if !all.any(|registered| redirect_uri::matches(registered, requested, strictness, settings.native)) {
        return Err(NoDestination::Unregistered);
    }
    Ok(Destination { uri: requested.to_owned(), state: state.map(str::to_owned) })
}

impl Destination {
    /// The address, with `state` and nothing else added (§3).
    #[must_use]
    pub fn address(&self) -> String {
        match &self.state {
            None => self.uri.clone(),
            Some(state) => {
                let separator = if self.uri.contains('?') { '&' } else { '?' };
                let state: String = form_urlencoded::byte_serialize(state.as_bytes()).collect();
                format!("{}{separator}state={state}", self.uri)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::protocol::client::ClientSettings;

    fn session() -> Session {
        Session {
            id: "sid-1".into(),
            realm_id: "r".into(),
            user_id: "alice".into(),
            auth_time: Timestamp(0),
            acr: "1".into(),
            remembered: false,
            started_at: Timestamp(0),
            last_seen_at: Timestamp(0),
            ended_at: None,
            address: String::new(),
            user_agent: String::new(),
        }
    }

    #[test]
    fn l02_who_is_asked() {
        let hint = |subject: &str, sid: Option<&str>| Hint {
            subject: subject.into(),
            session_id: sid.map(str::to_owned),
            client_id: "app".into(),
        };
        for (case, session, hint, expected) in [
            ("no hint", Some(session()), None, Question::Ask),
            (
                "hint of this session",
                Some(session()),
                Some(hint("alice", Some("sid-1"))),
                Question::NotNeeded,
            ),
            ("hint without sid", Some(session()), Some(hint("alice", None)), Question::NotNeeded),
            ("hint of another session", Some(session()), Some(hint("alice", Some("sid-2"))), Question::Ask),
            ("hint of another person", Some(session()), Some(hint("bob", Some("sid-1"))), Question::Ask),
            ("no session", None, Some(hint("alice", Some("sid-1"))), Question::NobodySignedIn),
        ] {
            assert_eq!(question(session.as_ref(), hint.as_ref()), expected, "{case}");
        }
    }

    #[test]
    fn l01e_hint_and_client_id_agree() {
        let hint =
            Hint { subject: "alice".into(), session_id: Some("sid-1".into()), client_id: "app".into() };
        for (case, hint, client_id, expected) in [
            ("both", Some(&hint), Some("app"), Ok(Some("app"))),
            ("hint alone", Some(&hint), None, Ok(Some("app"))),
            ("client_id alone", None, Some("other"), Ok(Some("other"))),
            ("they differ", Some(&hint), Some("other"), Err(OtherClient)),
            ("neither", None, None, Ok(None)),
        ] {
            assert_eq!(named_client(hint, client_id), expected, "{case}");
        }
    }

    #[test]
    fn l01_only_registered_addresses() {
        let client = |own: &[&str]| Client {
            id: "1".into(),
            realm_id: "r".into(),
            client_id: "app".into(),
            enabled: true,
            secret_hash: None,
            settings: ClientSettings {
                redirect_uris: vec!["https://app.example/cb".into()],
                post_logout_redirect_uris: own.iter().map(|uri| (*uri).to_owned()).collect(),
                ..ClientSettings::default()
            },
        };
        let bye = client(&["https://app.example/bye"]);
        for (case, requested, client, expected) in [
            ("registered", "https://app.example/bye", Some(&bye), Ok("https://app.example/bye?state=a+b")),
            ("a unregistered", "https://evil.test/", Some(&bye), Err(NoDestination::Unregistered)),
            ("a the redirect URI", "https://app.example/cb", Some(&bye), Err(NoDestination::Unregistered)),
            ("b query added", "https://app.example/bye?x=1", Some(&bye), Err(NoDestination::Unregistered)),
            ("d nobody's", "https://app.example/bye", None, Err(NoDestination::ClientUnknown)),
            ("plus", "https://app.example/cb", Some(&client(&["+"])), Ok("https://app.example/cb?state=a+b")),
        ] {
            let got = destination(requested, Some("a b"), client, Strictness::Serve).map(|d| d.address());
            assert_eq!(got.as_deref().map_err(|e| *e), expected, "{case}");
        }
    }
}
