//! What is driven, and what its limit is.

use serde_json::Value;

use crate::Outcome;
use crate::browser::{Browser, basic};
use crate::http::{Connection, encoded, get, post};
use crate::load::{Job, Tokens};
use crate::peer::Peer;

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// What the table calls it.
    pub(crate) name: &'static str,
    /// What it is measured by.
    pub(crate) limit: Limit,
}

/// The most that could be reached, measured in the same run on the same core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// The bare server at this address, with this request.
    Bare(Bare),
    /// So many signatures, commits and hashes, one after the other.
    Parts {
        /// RSA-2048 signatures.
        signatures: u32,
        /// Rows that a commit to the disk must have reached, shared by the connections that wait for it.
        commits: u32,
        /// Argon2id hashes of a password.
        hashes: u32,
    },
}

/// What the bare server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    /// Gives the metadata's bytes.
    Metadata,
    /// Gives the key set's bytes.
    KeySet,
    /// Parses the form, proves the secret, signs.
    Token(&'static str),
    /// Verifies a token from a form, reads a row, and answers with the token's claims.
    VerifyForm,
    /// Verifies a token from the header, reads a row, and answers with the token's claims.
    VerifyHeader,
    /// Verifies one after the other of many tokens from a form, reads nothing, and answers with the token's claims.
    VerifyManyForm,
    /// The same from the header.
    VerifyManyHeader,
}

const fn parts(signatures: u32, commits: u32, hashes: u32) -> Limit {
    Limit::Parts { signatures, commits, hashes }
}

/// Every operation, in the order of the table.
pub(crate) const OPERATIONS: [Operation; 14] = [
    Operation { name: "discovery", limit: Limit::Bare(Bare::Metadata) },
    Operation { name: "key set", limit: Limit::Bare(Bare::KeySet) },
    Operation { name: "client_credentials RS256", limit: Limit::Bare(Bare::Token("RS256")) },
    Operation { name: "client_credentials ES256", limit: Limit::Bare(Bare::Token("ES256")) },
    Operation { name: "client_credentials EdDSA", limit: Limit::Bare(Bare::Token("EdDSA")) },
    Operation { name: "introspection", limit: Limit::Bare(Bare::VerifyForm) },
    Operation { name: "userinfo", limit: Limit::Bare(Bare::VerifyHeader) },
    Operation { name: "introspection of many tokens", limit: Limit::Bare(Bare::VerifyManyForm) },
    Operation { name: "userinfo of many tokens", limit: Limit::Bare(Bare::VerifyManyHeader) },
    Operation { name: "refresh with rotation", limit: parts(2, 1, 0) },
    Operation { name: "token exchange", limit: parts(1, 1, 0) },
    Operation { name: "device flow", limit: parts(2, 3, 0) },
    Operation { name: "code flow with a session", limit: parts(2, 2, 0) },
    Operation { name: "code flow with sign-in", limit: parts(2, 3, 1) },
];

const GRANT: &str = "grant_type=client_credentials";

/// What a connection does for `operation` at this server; none if the server lacks it.
pub(crate) fn job(operation: &Operation, peer: &Peer) -> Outcome<Option<Job>> {
    if peer.lacks.iter().any(|name| name == operation.name) {
        return Ok(None);
    }
    let many = operation.name.ends_with("of many tokens");
    if many && !peer.name.starts_with("Vestibule") {
        return Ok(None);
    }
    let fixed = |request: Vec<u8>| Ok(Some(Job::Request(String::from_utf8(request)?)));
    let host = &peer.host;
    match operation.name {
        "discovery" => fixed(get(host, &peer.discovery, &[])),
        "key set" => peer.certs.as_ref().map_or(Ok(None), |path| fixed(get(host, path, &[]))),
        "introspection" => {
            let Some(path) = &peer.introspect else { return Ok(None) };
            let (basic, form) = peer.authenticated(&format!("token={}", encoded(&token(peer)?)));
            fixed(post(host, path, &header(&basic), &form))
        }
        "userinfo" => {
            let Some(path) = &peer.userinfo else { return Ok(None) };
            let bearer = Some(format!("Bearer {}", token(peer)?));
            fixed(get(host, path, &header(&bearer)))
        }
        "introspection of many tokens" => Ok(peer.introspect.clone().map(|path| {
            let (credential, form) = peer.authenticated("");
            let form = form.strip_prefix('&').map_or("token=".to_owned(), |form| format!("{form}&token="));
            Job::Tokens(Tokens { path, credential, form: Some(form), mint: None })
        })),
        "userinfo of many tokens" => Ok(peer
            .userinfo
            .clone()
            .map(|path| Job::Tokens(Tokens { path, credential: None, form: None, mint: None }))),
        "refresh with rotation" => Ok(peer.refresh.then_some(Job::Refresh)),
        "token exchange" => {
            let Some(more) = &peer.exchange else { return Ok(None) };
            let kind = encoded("urn:ietf:params:oauth:token-type:access_token");
            let (basic, form) = peer.authenticated(&format!(
                "grant_type={}&subject_token={}&subject_token_type={kind}{more}",
                encoded("urn:ietf:params:oauth:grant-type:token-exchange"),
                encoded(&token(peer)?)
            ));
            fixed(post(host, &peer.token, &header(&basic), &form))
        }
        "device flow" => Ok(peer.device.as_ref().map(|_| Job::Device)),
        "code flow with a session" => Ok(Some(Job::Flow)),
        "code flow with sign-in" => Ok(Some(Job::SignIn)),
        name => {
            let algorithm = name.rsplit_once(' ').map_or("", |(_, algorithm)| algorithm);
            let Some(how) = peer.client_credentials.get(algorithm) else { return Ok(None) };
            let (basic, form) = peer.authenticated(&how.form);
            fixed(post(host, &how.path, &header(&basic), &form))
        }
    }
}

/// What a connection does at the bare server.
pub(crate) fn bare_job(bare: Bare, host: &str) -> Outcome<Job> {
    let secret = Some(basic("service", "service-secret"));
    let mint = |algorithm: &str| post(host, &format!("/token/{algorithm}"), &header(&secret), GRANT);
    let many = |form: Option<String>| -> Outcome<Job> {
        let mint = Some(String::from_utf8(mint("RS256"))?);
        Ok(Job::Tokens(Tokens { path: "/verify".to_owned(), credential: None, form, mint }))
    };
    let request = match bare {
        Bare::VerifyManyForm => return many(Some("token=".to_owned())),
        Bare::VerifyManyHeader => return many(None),
        Bare::Metadata => get(host, "/metadata", &[]),
        Bare::KeySet => get(host, "/key-set", &[]),
        Bare::Token(algorithm) => mint(algorithm),
        Bare::VerifyForm => {
            let token = text(host, &mint("RS256"), "access_token")?;
            post(host, "/verify-and-read", &[], &format!("token={token}"))
        }
        Bare::VerifyHeader => {
            let bearer = Some(format!("Bearer {}", text(host, &mint("RS256"), "access_token")?));
            get(host, "/verify-and-read", &header(&bearer))
        }
    };
    Ok(Job::Request(String::from_utf8(request)?))
}

fn header(value: &Option<String>) -> Vec<(&str, &str)> {
    value.iter().map(|value| ("Authorization", value.as_str())).collect()
}

/// An access token of a person who signed in.
fn token(peer: &Peer) -> Outcome<String> {
    let tokens = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async { Browser::new(peer).flow().await })?;
    Ok(tokens.get("access_token").and_then(Value::as_str).ok_or("no access token")?.to_owned())
}

fn text(host: &str, request: &[u8], member: &str) -> Outcome<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(async { Connection::new(host).send(request).await?.text(member) })?)
}

/// What a connection does for the operation of this name at our own server, which lacks none.
pub(crate) fn named(name: &str, peer: &Peer) -> Outcome<Job> {
    let operation = OPERATIONS.iter().find(|operation| operation.name == name).ok_or("no such operation")?;
    Ok(job(operation, peer)?.ok_or("the server lacks it")?)
}
