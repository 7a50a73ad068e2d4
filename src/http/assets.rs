//! The files that pages load: one style sheet and one icon, inside the binary.
//!
//! Each is served at an address with a fingerprint of its content, so that a browser may keep it for ever and
//! never shows a page with the style of another version.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The route of every asset, for the route table.
pub const ROUTE: &str = "/resources/{fingerprint}/{file}";

const STYLESHEET: &str = include_str!("../../templates/vestibule.css");
const ICON: &str = include_str!("../../templates/vestibule.svg");

const KEEP: &str = "public, max-age=31536000, immutable";
/// During a rolling upgrade a page of one version may ask a node of another for its style.
const OTHER_VERSION: &str = "no-store";

struct Asset {
    file: &'static str,
    media_type: &'static str,
    content: &'static str,
    path: String,
    fingerprint: String,
}

impl Asset {
    fn new(file: &'static str, media_type: &'static str, content: &'static str) -> Self {
        let hash = digest(&SHA256, content.as_bytes());
        let fingerprint: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { file, media_type, content, path: format!("/resources/{fingerprint}/{file}"), fingerprint }
    }
}

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("vestibule.css", "text/css; charset=utf-8", STYLESHEET));
static TAB_ICON: LazyLock<Asset> = LazyLock::new(|| Asset::new("vestibule.svg", "image/svg+xml", ICON));

/// The style sheet's path below the base path, with the fingerprint of its content.
#[must_use]
pub fn stylesheet_path() -> &'static str {
    &STYLE.path
}

/// The tab icon's path below the base path, with the fingerprint of its content.
#[must_use]
pub fn icon_path() -> &'static str {
    &TAB_ICON.path
}

/// The style sheet itself, for tools that show pages without a server.
#[must_use]
pub fn stylesheet() -> &'static str {
    STYLESHEET
}

/// Answers [`ROUTE`]: the file with a year's freshness, or 404.
pub async fn serve(Path((fingerprint, file)): Path<(String, String)>) -> Response {
    let Some(asset) = [&*STYLE, &*TAB_ICON].into_iter().find(|asset| asset.file == file) else {
        return (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")]).into_response();
    };
    let freshness = if asset.fingerprint == fingerprint { KEEP } else { OTHER_VERSION };
    let headers = [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CACHE_CONTROL, freshness),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    (headers, asset.content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(fingerprint: &str, file: &str) -> (StatusCode, String) {
        let answer = serve(Path((fingerprint.to_owned(), file.to_owned()))).await;
        let freshness = answer.headers()[header::CACHE_CONTROL].to_str().unwrap().to_owned();
        (answer.status(), freshness)
    }

    #[tokio::test]
    async fn only_the_fingerprinted_address_is_kept_for_ever() {
        let right = stylesheet_path().split('/').nth(2).unwrap();
        assert_eq!(ask(right, "vestibule.css").await, (StatusCode::OK, KEEP.to_owned()));
        assert_eq!(ask("0000000000000000", "vestibule.css").await, (StatusCode::OK, "no-store".to_owned()));
        assert_eq!(ask(right, "other.css").await, (StatusCode::NOT_FOUND, "no-store".to_owned()));
    }

    #[test]
    fn the_style_sheet_loads_nothing_else() {
        assert!(!STYLESHEET.contains("url(") && !STYLESHEET.contains("@import"));
    }
}
