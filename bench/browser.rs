//! A person in front of a browser, as far as a sign-in needs one: cookies, redirects, forms that are filled in.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use serde_json::Value;

use crate::http::{Connection, encoded, get, json, post};
use crate::peer::{Peer, SignIn};

/// A browser with its cookies, and the application whose person uses it.
pub(crate) struct Browser<'a> {
    peer: &'a Peer,
    /// One for each host: some servers leave the signing in to an application of its own.
    connections: BTreeMap<String, Connection>,
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
        Self { peer, connections: BTreeMap::new(), cookies: BTreeMap::new() }
    }

    /// Forgets who is signed in.
    pub(crate) fn forget(&mut self) {
        self.cookies.clear();
    }

    /// One whole flow: authorization request, sign-in where the server asks for one, redemption. Gives the tokens.
    pub(crate) async fn flow(&mut self) -> Result<serde_json::Value, String> {
        let code = self.code().await?;
        self.token(&format!(
            "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={VERIFIER}",
            encoded(&code),
            encoded(&self.peer.redirect_uri)
        ))
        .await
    }

    /// A device's request, the person's yes in this browser, and the device's token.
    pub(crate) async fn device(&mut self) -> Result<serde_json::Value, String> {
        let peer = self.peer;
        let path = peer.device.as_deref().ok_or("no device endpoint")?;
        let asked = self.authenticated(path, &format!("scope={}", encoded(&peer.scope))).await?;
        let member =
            |name: &str| asked.get(name).and_then(Value::as_str).ok_or(format!("no {name}: {asked}"));
        let (code, address) = (member("device_code")?, member("verification_uri_complete")?);
        match self.follow(resolve("/", address)).await? {
            End::Page(_) => {}
            End::Callback(url) => return Err(format!("a device ended at {url}")),
        }
        let grant = encoded("urn:ietf:params:oauth:grant-type:device_code");
        self.token(&format!("grant_type={grant}&device_code={}", encoded(code))).await
    }

    /// A request to the token endpoint.
    pub(crate) async fn token(&mut self, form: &str) -> Result<Value, String> {
        self.authenticated(&self.peer.token, form).await
    }

    fn connection(&mut self, host: &str) -> &mut Connection {
        self.connections.entry(host.to_owned()).or_insert_with(|| Connection::new(host))
    }

    async fn authenticated(&mut self, path: &str, form: &str) -> Result<Value, String> {
        let (basic, form) = self.peer.authenticated(form);
        let headers: Vec<_> = basic.iter().map(|basic| ("Authorization", basic.as_str())).collect();
        let peer = self.peer;
        let answer = self.connection(&peer.host).send(&post(&peer.host, path, &headers, &form)).await?;
        if answer.status != 200 {
            return Err(format!("{path}: {} {}", answer.status, answer.body));
        }
        serde_json::from_str(&answer.body).map_err(|error| error.to_string())
    }

    /// The code at the end of an authorization request.
    async fn code(&mut self) -> Result<String, String> {
        if self.cookies.is_empty() {
            self.sign_in().await?;
        }
        match self.follow(self.authorize()).await? {
            End::Callback(url) => parameter(&url, "code").ok_or_else(|| format!("no code in {url}")),
            End::Page(page) => Err(format!("no form: {}", start(&page))),
        }
    }

    /// Types a wrong password for `user` from `address`, and gives the status of the answer.
    pub(crate) async fn guess(&mut self, user: &str, address: &str) -> Result<u16, String> {
        let (host, url, cookies) = (self.peer.host.clone(), self.authorize(), self.cookie_header());
        let from = ("X-Forwarded-For", address);
        let own = cookies.iter().map(|cookies| ("Cookie", cookies.as_str()));
        let request = get(&host, &url, &own.chain([from]).collect::<Vec<_>>());
        let answer = self.connection(&host).send(&request).await?;
        let (status, page) = (answer.status, answer.body.clone());
        let new: Vec<_> = answer.headers("set-cookie").map(str::to_owned).collect();
        new.iter().for_each(|cookie| keep(&mut self.cookies, cookie));
        let Some(form) = form(&page, user, "a wrong guess") else { return Ok(status) };
        let target = resolve(&url, &form.action);
        let path = split(&target).map_or(target.as_str(), |(_, path)| path);
        let fields = form.fields.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let cookies = self.cookie_header();
        let own = cookies.iter().map(|cookies| ("Cookie", cookies.as_str()));
        let headers = own.chain([from]).collect::<Vec<_>>();
        let request = post(&host, path, &headers, &fields.collect::<Vec<_>>().join("&"));
        self.connection(&host).status(&request).await
    }

    fn authorize(&self) -> String {
        let peer = self.peer;
        format!(
            "{}?response_type=code&client_id={}&redirect_uri={}&scope={}&state=af0ifjsldkj&nonce=n-0S6_WzA2Mj\
             &code_challenge={}&code_challenge_method=S256{}",
            peer.authorize,
            encoded(&peer.client_id),
            encoded(&peer.redirect_uri),
            encoded(&peer.scope),
            challenge(),
            peer.extra
        )
    }

    async fn sign_in(&mut self) -> Result<(), String> {
        let peer = self.peer;
        for SignIn { method, path, json: body } in &peer.sign_in {
            let cookies = self.cookie_header();
            let headers: Vec<_> = cookies.iter().map(|cookies| ("Cookie", cookies.as_str())).collect();
            let request = json(method, &peer.host, path, &headers, body);
            let answer = self.connection(&peer.host).send(&request).await?;
            if answer.status >= 400 {
                return Err(format!("{path}: {} {}", answer.status, answer.body));
            }
            let new: Vec<_> = answer.headers("set-cookie").map(str::to_owned).collect();
            new.iter().for_each(|cookie| keep(&mut self.cookies, cookie));
        }
        Ok(())
    }

    /// Goes where it is sent, and fills in the forms that it meets.
    async fn follow(&mut self, mut url: String) -> Result<End, String> {
        let peer = self.peer;
        let mut body: Option<String> = None;
        for _ in 0..20 {
            let cookies = self.cookie_header();
            let headers: Vec<_> = cookies.iter().map(|cookies| ("Cookie", cookies.as_str())).collect();
            let (host, path) = split(&url).unwrap_or((&peer.host, &url));
            let request = match &body {
                None => get(host, path, &headers),
                Some(form) => post(host, path, &headers, form),
            };
            let host = host.to_owned();
            let answer = self.connection(&host).send(&request).await?;
            let new: Vec<_> = answer.headers("set-cookie").map(str::to_owned).collect();
            let next = answer.headers("location").next().map(str::to_owned);
            let (status, page) = (answer.status, answer.body);
            new.iter().for_each(|cookie| keep(&mut self.cookies, cookie));
            match (status, next) {
                (300..400, Some(next)) if next.starts_with(&peer.redirect_uri) => {
                    return Ok(End::Callback(next));
                }
                (300..400, Some(next)) => {
                    url = resolve(&url, &next);
                    body = None;
                }
                (400.., _) => return Err(format!("{url}: {status} {}", start(&page))),
                _ => {
                    let Some(form) = form(&page, &peer.user, &peer.password) else {
                        return Ok(End::Page(page));
                    };
                    url = resolve(&url, &form.action);
                    let fields = form.fields.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
                    body = Some(fields.collect::<Vec<_>>().join("&"));
                }
            }
        }
        Err("the pages have no end".to_owned())
    }

    fn cookie_header(&self) -> Option<String> {
        let all = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        Some(all.collect::<Vec<_>>().join("; ")).filter(|all| !all.is_empty())
    }
}

/// Where following pages leads.
enum End {
    /// To the application.
    Callback(String),
    /// To a page without a form.
    Page(String),
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

/// Host and path of an absolute address.
fn split(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once("://")?;
    Some(rest.find('/').map_or((rest, "/"), |at| rest.split_at(at)))
}

/// Where `location` leads from `url`.
fn resolve(url: &str, location: &str) -> String {
    let (before_query, host) = (url.split('?').next().unwrap_or("/"), split(url).map(|(host, _)| host));
    let origin = host.map_or(String::new(), |host| format!("http://{host}"));
    match location.chars().next() {
        None => url.to_owned(),
        Some('/') => format!("{origin}{location}"),
        Some('?') => format!("{before_query}{location}"),
        Some(_) if split(location).is_some() => location.to_owned(),
        Some(_) => format!("{}/{location}", &before_query[..before_query.rfind('/').unwrap_or(0)]),
    }
}

fn start(page: &str) -> String {
    page.chars().take(300).collect()
}

/// The first form of a page that is posted, filled in: passwords with the person's, other empty texts with the user
/// name, hidden fields as they are, and the first button pressed. A fragment of a parser, enough for such pages.
fn form(page: &str, user: &str, password: &str) -> Option<Form> {
    let lower = page.to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = lower[from..].find("<form") {
        let begin = from + at;
        let end = lower[begin..].find("</form").map_or(lower.len(), |at| begin + at);
        let tag_end = begin + lower[begin..].find('>')?;
        let own = attributes(&page[begin..tag_end]);
        if own.get("method").is_some_and(|method| method.eq_ignore_ascii_case("post")) {
            let action = own.get("action").cloned().unwrap_or_default();
            return Some(Form { action, fields: fields(&page[tag_end..end], user, password) });
        }
        from = end;
    }
    None
}

fn fields(form: &str, user: &str, password: &str) -> Vec<(String, String)> {
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
            "password" => password.to_owned(),
            "text" | "email" if value.is_empty() => user.to_owned(),
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
