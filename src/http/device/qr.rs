//! The QR code of the address that asks about a device: `GET …/device/qr.svg?user_code=WDJB-MJHT`.
//!
//! For the device's own screen (RFC 8628 §3.3.1): an app on a TV shows it in an `img` and needs no library for it. The
//! person's pages need none, since whoever sees them has a browser already. The picture follows from the code alone, so
//! it tells nobody whether there is such a code.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

use super::address;
use crate::http::context::RealmContext;
use crate::http::error::PageError;
use crate::http::pages::Trouble;
use crate::http::params::Query;
use crate::protocol::user_code::UserCode;
use crate::qr::Qr;

/// Answers with the picture, whatever app shows it.
pub async fn picture(context: RealmContext, Query(query): Query) -> Response {
    let code = query.ok().and_then(|query| UserCode::parse(query.get("user_code").unwrap_or_default()));
    let Some(code) = code else {
        let why = "user_code: the code as the device was given it";
        return context.fail(&PageError::new(Trouble::Request).detail(why));
    };
    let Some(qr) = Qr::new(&address(&context, &code)) else {
        return StatusCode::URI_TOO_LONG.into_response();
    };
    let headers = [
        (CONTENT_TYPE, "image/svg+xml"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (headers, qr.svg()).into_response()
}
