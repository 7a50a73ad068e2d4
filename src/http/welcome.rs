//! `GET /` of a development server: what is here and how to try it. Production has no such page.

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::context::ServerContext;
use super::error::PageError;
use super::pages::{DemoClient, DemoRealm, DemoUser, Link, Name, Shell, Welcome};
use crate::realm_file;

/// Shows realms, demo clients and demo users.
pub async fn welcome(context: ServerContext, headers: HeaderMap) -> Response {
    let app = &context.app;
    if !app.rules.helpful {
        return context.missing(&headers);
    }
    let realms = match app.store.realms().await {
        Ok(realms) => realms,
        Err(error) => return context.fail_with_page(&PageError::from(error)),
    };
    let mut rows = Vec::new();
    for realm in realms.iter().filter(|realm| realm.enabled) {
        let issuer = app.hosts.issuer(&context.base, &realm.name);
        let below = |path: &str| format!("{issuer}{path}");
        let discovery = below("/.well-known/openid-configuration");
        let keys = below("/protocol/openid-connect/certs");
        let account = below("/account/");
        rows.push((realm.title().to_owned(), issuer, discovery, keys, account));
    }
    // The demo realm's file is what everybody may read; a realm of one's own is nobody's business here.
    let demo =
        if app.rules.personas.is_empty() { Vec::new() } else { realm_file::demo().unwrap_or_default() };
    let users = demo.iter().flat_map(|realm| realm.users.iter().map(move |user| (realm, user)));
    let users = users.map(|(realm, user)| {
        let password = user.password.as_ref().map(|password| password.expose()).unwrap_or_default();
        let roles = user.roles.as_deref().unwrap_or_default().join(", ");
        (user.username.as_str(), password, roles, realm.name.as_str())
    });
    let users = users.collect::<Vec<_>>();
    let administration = format!("{}/admin/", app.hosts.base_path());
    let view = Welcome {
        shell: Shell::server(app.hosts.base_path()),
        realms: rows
            .iter()
            .map(|(name, issuer, discovery, keys, account)| DemoRealm {
                name: Name::new(name),
                issuer,
                discovery: Link::own(discovery),
                keys: Link::own(keys),
                account: Link::own(account),
            })
            .collect(),
        clients: demo
            .iter()
            .flat_map(|realm| &realm.clients)
            .map(|client| DemoClient {
                id: Name::new(&client.id),
                secret: client.secret.as_ref().map(|secret| Name::new(secret.expose())),
                purpose: Name::new(client.description.as_deref().unwrap_or_default()),
            })
            .collect(),
        users: users
            .iter()
            .map(|(username, password, roles, realm)| DemoUser {
                username: Name::new(username),
                password: Name::new(password),
                roles: Name::new(roles),
                realm: Name::new(realm),
            })
            .collect(),
        administration: Link::own(&administration),
    };
    view.page().over_https(context.base.is_secure()).into_response()
}
