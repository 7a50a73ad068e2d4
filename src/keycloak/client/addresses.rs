//! A client's addresses: relative ones hang on `rootUrl`, several share one attribute.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::filled;
use super::super::record::Kept;
use super::super::representation::ClientRepresentation;
use super::attributes::{FRONTCHANNEL, POST_LOGOUT};
use crate::protocol::client::ClientSettings;

/// Whether the signed-out page is to load an address of the client.
pub(super) const SWITCH: &str = "frontchannelLogout";
const REDIRECT_URIS: &str = "redirectUris";

pub(super) fn read(
    client: &ClientRepresentation,
    given: &mut BTreeMap<String, String>,
    settings: &mut ClientSettings,
    kept: &mut Kept,
) {
    let root = client.root_url.as_deref().filter(|root| is_web(root));
    if let Some(uris) = &client.redirect_uris {
        let resolved: Vec<String> = uris.iter().map(|uri| resolve(root, uri)).collect();
        let written = if resolved == *uris { Value::Null } else { uris.clone().into() };
        kept.insert(REDIRECT_URIS.to_owned(), written);
        settings.redirect_uris = resolved;
    }
    if let Some(origins) = &client.web_origins {
        settings.web_origins = origins.iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect();
    }
    if let Some(home) = &client.base_url {
        let home = filled(Some(home));
        settings.client_uri = home.clone().filter(|home| is_web(home));
        // A relative one is no address that people could be shown.
        let relative = home.filter(|home| !is_web(home));
        kept.insert("baseUrl".to_owned(), relative.map_or(Value::Null, Value::from));
    }
    if let Some(uris) = given.remove(POST_LOGOUT) {
        settings.post_logout_redirect_uris = list(&uris).map(|uri| resolve(root, &uri)).collect();
    }
    let frontchannel = given.remove(FRONTCHANNEL).and_then(|uri| filled(Some(&uri)));
    match (client.frontchannel_logout, frontchannel) {
        (Some(false), uri) => {
            settings.frontchannel_logout_uri = None;
            given.extend(uri.map(|uri| (FRONTCHANNEL.to_owned(), uri)));
        }
        (_, Some(uri)) => settings.frontchannel_logout_uri = Some(uri),
        (_, None) => {}
    }
    // The switch may be on before there is an address.
    let on = client.frontchannel_logout == Some(true) && settings.frontchannel_logout_uri.is_none();
    if client.frontchannel_logout.is_some() {
        kept.insert(SWITCH.to_owned(), if on { true.into() } else { Value::Null });
    }
}

/// The redirect URIs as they were written, as long as they still mean what the record says.
pub(super) fn write(settings: &ClientSettings, kept: &mut Kept) -> Vec<String> {
    let written: Option<Vec<String>> =
        kept.remove(REDIRECT_URIS).and_then(|uris| serde_json::from_value(uris).ok());
    let root = kept.get("rootUrl").and_then(Value::as_str).filter(|root| is_web(root));
    let same = |uris: &Vec<String>| {
        uris.iter().map(|uri| resolve(root, uri)).collect::<Vec<_>>() == settings.redirect_uris
    };
    written.filter(same).unwrap_or_else(|| settings.redirect_uris.clone())
}

/// Addresses that share an attribute.
pub(super) fn list(joined: &str) -> impl Iterator<Item = String> {
    joined.split("##").map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned)
}

fn resolve(root: Option<&str>, uri: &str) -> String {
    match root {
        Some(root) if uri.starts_with('/') => format!("{}{uri}", root.trim_end_matches('/')),
        _ => uri.to_owned(),
    }
}

fn is_web(uri: &str) -> bool {
    uri.starts_with("https://") || uri.starts_with("http://")
}
