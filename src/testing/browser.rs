//! A scripted browser: cookies, redirects and forms, without pictures.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::server::{ClientCertificate, Guarded, Peer};

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body as text.
    pub body: String,
}

impl Reply {
    /// `Location`, or nothing.
    #[must_use]
    pub fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    /// A header as text, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON; `null` when it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A parameter of the `Location`'s query or fragment.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let (_, after) = self.location().split_once(['?', '#'])?;
        let after = after.replace('#', "&");
        form_urlencoded::parse(after.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The address that the page's first form posts to.
    #[must_use]
    pub fn form_action(&self) -> String {
        attribute(self.first_form(), "action").unwrap_or_default()
    }

    /// Names and values of the hidden fields of the page's first form.
    #[must_use]
    pub fn hidden_fields(&self) -> Vec<(String, String)> {
        self.first_form()
            .split("<input")
            .skip(1)
            .filter_map(|rest| rest.split('>').next())
            .filter(|tag| tag.contains("type=\"hidden\""))
            .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default())))
            .collect()
    }

    fn first_form(&self) -> &str {
        let (_, after) = self.body.split_once("<form").unwrap_or_default();
        after.split("</form>").next().unwrap_or_default()
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next().map(unescape)
}

fn unescape(text: &str) -> String {
    text.replace("&#38;", "&")
        .replace("&amp;", "&")
        .replace("&#34;", "\"")
        .replace("&quot;", "\"")
        .replace("&#61;", "=")
}

/// A browser with its own cookies.
#[derive(Clone, Debug)]
pub struct Browser {
    /// The servers that its requests go to, each in its turn.
    nodes: Vec<Guarded>,
    requests: Arc<AtomicUsize>,
    origin: String,
    cookies: BTreeMap<String, String>,
    /// Headers that every request carries.
    pub headers: Vec<(String, String)>,
    /// The certificate that its connections are made with.
    pub certificate: Option<ClientCertificate>,
    /// The address that its requests come from; none for that of this machine.
    pub address: Option<IpAddr>,
}

impl Browser {
    pub(super) fn new(nodes: Vec<Guarded>, origin: String) -> Self {
        let requests = Arc::default();
        Self {
            nodes,
            requests,
            origin,
            cookies: BTreeMap::new(),
            headers: Vec::new(),
            certificate: None,
            address: None,
        }
    }

    /// The cookies by name.
    #[must_use]
    pub fn cookies(&self) -> &BTreeMap<String, String> {
        &self.cookies
    }

    /// Puts a cookie into the jar.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Closes the browser: what lived until then is gone.
    pub fn forget_cookies(&mut self) {
        self.cookies.clear();
    }

    /// `GET`, without following a redirect.
    pub async fn get(&mut self, address: &str) -> Reply {
        self.send(Method::GET, address, None, &[]).await
    }

    /// `POST` of a form, without following a redirect.
    pub async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(
            Method::POST,
            address,
            Some(body),
            &[(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")],
        )
        .await
    }

    /// `GET`, and on through every redirect that stays on this server.
    pub async fn open(&mut self, address: &str) -> Reply {
        let reply = self.get(address).await;
        self.follow(reply).await
    }

    /// Goes on through every redirect that stays on this server, at most ten.
    pub async fn follow(&mut self, mut reply: Reply) -> Reply {
        for _ in 0..10 {
            let location = reply.location().to_owned();
            let here = location.starts_with('/') || location.starts_with(&format!("{}/", self.origin));
            if !reply.status.is_redirection() || !here {
                break;
            }
            reply = self.get(&location).await;
        }
        reply
    }

    /// Fills in the page's first form (hidden fields kept) and goes on until the answer leaves this server or is a page.
    pub async fn submit(&mut self, page: &Reply, fields: &[(&str, &str)]) -> Reply {
        let hidden = page.hidden_fields();
        let mut all: Vec<(&str, &str)> =
            hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        all.extend_from_slice(fields);
        let reply = self.post(&page.form_action(), &all).await;
        self.follow(reply).await
    }

    /// Any request. `address` is absolute, or a path on this server.
    pub async fn send(
        &mut self,
        method: Method,
        address: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let path = address.strip_prefix(self.origin.as_str()).unwrap_or(address);
        let host = self.origin.split_once("://").map_or("", |(_, host)| host);
        let mut request = Request::builder().method(method).uri(if path.is_empty() { "/" } else { path });
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request = request.header(HOST, host);
        }
        if !self.cookies.is_empty() {
            let jar = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
            request = request.header(COOKIE, jar.join("; "));
        }
        if let Some(certificate) = &self.certificate {
            request = request.extension(certificate.clone());
        }
        if let Some(address) = self.address {
            request = request.extension(Peer(SocketAddr::new(address, 0)));
        }
        for (name, value) in
            self.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).chain(headers.iter().copied())
        {
            request = request.header(name, value);
        }
        let request = match request.body(body.map_or_else(Body::empty, Body::from)) {
            Ok(request) => request,
            Err(error) => {
                return Reply {
                    status: StatusCode::BAD_REQUEST,
                    headers: HeaderMap::new(),
                    body: error.to_string(),
                };
            }
        };
        let turn = self.requests.fetch_add(1, Ordering::Relaxed) % self.nodes.len().max(1);
        let response = match self.nodes.get(turn).cloned() {
            Some(node) => node.oneshot(request).await.unwrap_or_else(|never| match never {}),
            None => axum::response::Response::default(),
        };
        let (parts, body) = response.into_parts();
        self.keep_cookies(&parts.headers);
        let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let pair = cookie.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else { continue };
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
