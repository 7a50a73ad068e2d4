//! Keycloak's standard token exchange: a switch there, one rule for every service here.

use std::collections::BTreeMap;

use super::attributes::EXCHANGE;
use crate::protocol::client::{ClientSettings, GrantType};
use crate::protocol::grants::token_exchange::ExchangeRule;

/// Whether refresh tokens may be had, in the session of the token that is exchanged.
const REFRESH: &str = "standard.token.exchange.enableRefreshRequestedTokenType";

/// The value of [`REFRESH`] that says yes.
const SAME_SESSION: &str = "SAME_SESSION";

/// What the switch says, if anything. It is read as a grant too, and gone then.
pub(super) fn asked(given: &BTreeMap<String, String>) -> Option<bool> {
    given.get(EXCHANGE).map(|on| on.eq_ignore_ascii_case("true"))
}

/// Makes the rule. A client that has others, for which Keycloak has no words, keeps those and gets none.
pub(super) fn read(asked: Option<bool>, given: &mut BTreeMap<String, String>, settings: &mut ClientSettings) {
    let was = plain(settings);
    if was.is_none() && !settings.exchange.is_empty() {
        return;
    }
    settings.exchange.clear();
    if !settings.grants.contains(&GrantType::TokenExchange) || !asked.unwrap_or(was.is_some()) {
        return;
    }
    let refreshes = given.remove(REFRESH).map(|kind| kind == SAME_SESSION).or(was).unwrap_or(false);
    settings.exchange.push(ExchangeRule::standard(refreshes));
    if refreshes && !super::interactive(settings) {
        settings.grants.insert(GrantType::RefreshToken);
    }
}

/// Whether refresh tokens may be had, when the switch says all that the client may exchange.
pub(super) fn plain(settings: &ClientSettings) -> Option<bool> {
    match settings.exchange.as_slice() {
        [only] if *only == ExchangeRule::standard(only.refresh_token) => Some(only.refresh_token),
        _ => None,
    }
}

/// What the rule says beside the switch.
pub(super) fn write(settings: &ClientSettings, all: &mut BTreeMap<String, String>) {
    if plain(settings) == Some(true) {
        all.insert(REFRESH.to_owned(), SAME_SESSION.to_owned());
    }
}
