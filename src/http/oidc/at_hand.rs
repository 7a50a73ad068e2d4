//! The shorter way to the metadata and the key set of a realm that is in memory: around the router, with the same answer.
//! Whatever is unusual about a request is left to the routes.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;

use super::certs::document;
use crate::app::{App, Shared};
use crate::http::host;
use crate::server::AtHand;
use crate::telemetry::metrics::Route;

const METADATA: &str = "/.well-known/openid-configuration";
const KEY_SET: &str = "/protocol/openid-connect/certs";

/// Answers requests for public documents that are in memory.
pub fn documents(app: Shared) -> AtHand {
    let realms = format!("{}/realms/", app.hosts.base_path());
    let route = |document: &str| Route::known(format!("{realms}{{realm}}{document}"));
    let (metadata, key_set) = (route(METADATA), route(KEY_SET));
    Arc::new(move |peer, parts| {
        if parts.method != Method::GET {
            return None;
        }
        let below = parts.uri.path().strip_prefix(realms.as_str())?;
        let (realm, wanted) = below.split_at_checked(below.find('/')?)?;
        match wanted {
            METADATA => Some((metadata.clone(), of_realm(&app, realm, peer, parts, true)?)),
            KEY_SET => Some((key_set.clone(), of_realm(&app, realm, peer, parts, false)?)),
            _ => None,
        }
    })
}

/// The metadata or the key set of the realm whose name stands in the address. A name that is escaped there is none that
/// the memory knows.
fn of_realm(app: &App, realm: &str, peer: IpAddr, parts: &Parts, metadata: bool) -> Option<Response> {
    let base = host::base(&app.hosts, peer, parts).ok()?;
    let state = app.realms.at_hand(realm)?;
    if !metadata {
        return Some(document(&parts.headers, &state.key_set));
    }
    if host::back_channel(&app.hosts, peer, parts).is_some() {
        return None;
    }
    let issuer = app.hosts.issuer(&base, &state.realm.name);
    Some(document(&parts.headers, &state.documents.get(&issuer)?))
}
