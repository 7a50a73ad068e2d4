//! How a browser leaves a session: the page that lets apps hear of it in frames (Front-Channel Logout 1.0), and the way
//! on to the app.

use axum::response::Response;

use super::context::RealmContext;
use super::error::PageError;
use super::pages::{Link, Onward, SignedOut};
use super::sign_in::{asker, see_other};
use crate::protocol::client::Client;
use crate::protocol::frontchannel_logout;
use crate::protocol::logout::Destination;
use crate::secrets;

/// The addresses by which the apps of a session hear of its end in the browser. Asked before it ends.
///
/// # Errors
/// A page, when the database cannot say.
pub async fn frames(context: &RealmContext, session_id: &str) -> Result<Vec<String>, PageError> {
    let clients = context.app.store.clients_of_session(&context.state.realm.id, session_id).await?;
    let hears = clients.into_iter().filter_map(|(client, issuer)| {
        let address = client.settings.frontchannel_logout_uri.filter(|_| client.enabled)?;
        Some(frontchannel_logout::address(&address, &issuer, session_id))
    });
    Ok(hears.collect())
}

/// The answer after the session has ended: at once to `destination` when no app is to hear of it in a frame, else by the
/// page that loads the frames.
#[must_use]
pub fn answer(
    context: &RealmContext,
    client: Option<&Client>,
    frames: &[String],
    destination: Option<&Destination>,
) -> Response {
    leave(context, client, frames, destination, false)
}

/// The answer after every session of a person has ended, on the account page.
#[must_use]
pub fn everywhere(context: &RealmContext, frames: &[String]) -> Response {
    leave(context, None, frames, None, true)
}

fn leave(
    context: &RealmContext,
    client: Option<&Client>,
    frames: &[String],
    destination: Option<&Destination>,
    everywhere: bool,
) -> Response {
    let address = destination.map(Destination::address);
    let link = match &address {
        Some(address) if frames.is_empty() => return see_other(address),
        Some(address) => Link::proven(address),
        None => None,
    };
    let (nonce, account) = (secrets::random_token(), context.url("/account/"));
    let view = SignedOut {
        shell: context.shell(),
        client: client.map(asker),
        account: Link::own(&account),
        everywhere,
        frames: frames.iter().filter_map(|frame| Link::new(frame)).collect(),
        onward: link.as_ref().map(|link| Onward { link, nonce: &nonce }),
    };
    context.page(view.page())
}
