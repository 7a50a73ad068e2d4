//! A person in front of a browser, as far as a sign-in needs one: cookies, redirects, forms that are filled in.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::http::{Connection, encoded, get, post};
use crate::peer::Peer;

/// A browser with its cookies, and the application whose person uses it.
pub(crate) struct Browser<'a> {
    peer: &'a Peer,
    connection: Connection,
    cookies: BTreeMap<String, String>,
}

/// What a page asks to be sent.
struct Form {
    action: String,
    fields: Vec<(String, String)>,
}

/// The verifier of every flow; how it is drawn is none of the server's cost.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXkx";

impl<'a> Browser<'a> {
    pub(crate) fn new(peer: &'a Peer) -> Self {
        Self { peer, connection: Connection::new(&peer.host), cookies: BTreeMap::new() }
    }

    /// Forgets who is signed in.
    pub(crate) fn forget(&mut self) {
        self.cookies.clear();
    }

    /// One whole flow: authorization request, sign-in where the server asks for one, redemption. Gives the tokens.
    pub(crate) async fn flow(&mut self) -> Result<serde_json::Value, String> {
        let code = self.code().await?;
        let (basic, form) = self.peer.authenticated(&format!(
            "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={VERIFIER}",
            encoded(&code),
            encoded(&self.peer.redirect_uri)
        ));
        let headers: Vec<_> = basic.iter().map(|basic| ("Authorization", basic.as_str())).collect();
        let request = post(&self.peer.host, &self.peer.token, &headers, &form);
        let answer = self.connection.send(&request).await?;
        if answer.status != 200 {
            return Err(format!("redemption: {} {}", answer.status, answer.body));
        }
        serde_json::from_str(&answer.body).map_err(|error| error.to_string())
    }

    /// The code at the end of an authorization request.
    async fn code(&mut self) -> Result<String, String> {
        let mut url = format!(
            "{}?response_type=code&client_id={}&redirect_uri={}&scope={}&state=af0ifjsldkj&nonce=n-0S6_WzA2Mj\
             &code_challenge={}&code_challenge_method=S256{}",
            self.peer.authorize,
            encoded(&self.peer.client_id),
            encoded(&self.peer.redirect_uri),
            encoded(&self.peer.scope),
            challenge(),
            self.peer.extra
        );
        let mut request = get(&self.peer.host, &url, &self.cookie_header());
        for _ in 0..20 {
            let answer = self.connection.send(&request).await?;
            for cookie in answer.headers("set-cookie") {
                keep(&mut self.cookies, cookie);
            }
            let next = answer.headers("location").next().map(str::to_owned);
            if let (300..400, Some(next)) = (answer.status, next) {
                if next.starts_with(&self.peer.redirect_uri) {
                    return parameter(&next, "code").ok_or_else(|| format!("no code in {next}"));
                }
                url = resolve(&url, &next);
                request = get(&self.peer.host, &url, &self.cookie_header());
            } else {
                let page = answer.body;
                let form = form(&page, self.peer).ok_or_else(|| format!("no form: {}", start(&page)))?;
                url = resolve(&url, &form.action);
                let fields = form.fields.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
                let body = fields.collect::<Vec<_>>().join("&");
                request = post(&self.peer.host, &url, &self.cookie_header(), &body);
            }
        }
        Err("the flow has no end".to_owned())
    }

    fn cookie_header(&self) -> Vec<(&'static str, &'static str)> {
        if self.cookies.is_empty() {
            return Vec::new();
        }
        let all = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        // A header for each request of a short run: leaking it keeps the request's type plain.
        vec![("Cookie", all.collect::<Vec<_>>().join("; ").leak())]
    }
}

fn challenge() -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, VERIFIER.as_bytes());
    URL_SAFE_NO_PAD.encode(digest)
}

/// `Authorization: Basic` of a client (RFC 6749 §2.3.1).
pub(crate) fn basic(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret))))
}

fn keep(cookies: &mut BTreeMap<String, String>, cookie: &str) {
    let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
    let Some((name, value)) = pair.split_once('=') else { return };
    let gone = value.is_empty() || attributes.to_ascii_lowercase().contains("max-age=0");
    if gone {
        cookies.remove(name.trim());
    } else {
        cookies.insert(name.trim().to_owned(), value.trim().to_owned());
    }
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    form_urlencoded::parse(query.as_bytes()).find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

/// Where `location` leads from `url`, as a path.
fn resolve(url: &str, location: &str) -> String {
    for scheme in ["http://", "https://"] {
        if let Some(rest) = location.strip_prefix(scheme) {
            return rest.find('/').map_or("/", |at| &rest[at..]).to_owned();
        }
    }
    let path = url.split('?').next().unwrap_or("/");
    match location.chars().next() {
        None => url.to_owned(),
        Some('/') => location.to_owned(),
        Some('?') => format!("{path}{location}"),
        Some(_) => format!("{}/{location}", &path[..path.rfind('/').unwrap_or(0)]),
    }
}

fn start(page: &str) -> String {
    page.chars().take(300).collect()
}

/// The first form of a page that is posted, filled in: passwords with the person's, other empty texts with the user
/// name, hidden fields as they are, and the first button pressed. A fragment of a parser, enough for such pages.
fn form(page: &str, peer: &Peer) -> Option<Form> {
    let lower = page.to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = lower[from..].find("<form") {
        let begin = from + at;
        let end = lower[begin..].find("</form").map_or(lower.len(), |at| begin + at);
        let tag_end = begin + lower[begin..].find('>')?;
        let own = attributes(&page[begin..tag_end]);
        if own.get("method").is_some_and(|method| method.eq_ignore_ascii_case("post")) {
            let action = own.get("action").cloned().unwrap_or_default();
            return Some(Form { action, fields: fields(&page[tag_end..end], peer) });
        }
        from = end;
    }
    None
}

fn fields(form: &str, peer: &Peer) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut pressed = false;
    for tag in form.split('<').filter(|tag| tag.starts_with("input") || tag.starts_with("button")) {
        let own = attributes(tag.split('>').next().unwrap_or_default());
        let Some(name) = own.get("name").cloned() else { continue };
        let kind =
            own.get("type").map_or(if tag.starts_with("button") { "submit" } else { "text" }, |kind| kind);
        let value = own.get("value").cloned().unwrap_or_default();
        let value = match kind {
            "submit" if pressed => continue,
            "checkbox" | "radio" if !own.contains_key("checked") => continue,
            "password" => peer.password.clone(),
            "text" | "email" if value.is_empty() => peer.user.clone(),
            _ => value,
        };
        pressed |= kind == "submit";
        fields.push((name, value));
    }
    fields
}

fn attributes(tag: &str) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    let mut rest = tag.split_once(char::is_whitespace).map_or("", |(_, rest)| rest).trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let name = rest[..end].trim_end_matches('/').to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (raw, after) = match quote {
                Some(quote) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
                None => after.split_at(after.find(char::is_whitespace).unwrap_or(after.len())),
            };
            value = raw
                .replace("&amp;", "&")
                .replace("&quot;", "\"")
                .replace("&#x2f;", "/")
                .replace("&#38;", "&");
            rest = after.trim_start();
        }
        if name.is_empty() {
            break;
        }
        attributes.insert(name, value);
    }
    attributes
}
