//! `GET /` of a development server: what is here and how to try it. Production has no such page.

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::context::ServerContext;
use super::error::PageError;
use super::pages::{DemoClient, DemoRealm, DemoSecret, DemoUser, Entry, Link, Name, Shell, Welcome};
use crate::at_hand::{ShownSecret, known};

/// Shows realms, and of those whose files the server was started with clients and people.
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
    let shown = match known(app).await {
        Ok(shown) if app.rules.shows_at_hand => shown,
        Ok(_) => Vec::new(),
        Err(error) => return context.fail_with_page(&PageError::from(error)),
    };
    let users = shown.iter().flat_map(|realm| realm.users.iter().map(move |user| (realm, user)));
    let users = users.map(|(realm, user)| (realm.name.as_str(), user, user.roles.join(", ")));
    let users = users.collect::<Vec<_>>();
    let clients = shown.iter().flat_map(|realm| realm.clients.iter().map(move |client| (realm, client)));
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
        clients: clients
            .map(|(realm, client)| DemoClient {
                id: Name::new(&client.id),
                secret: match &client.secret {
                    ShownSecret::Public => DemoSecret::Public,
                    ShownSecret::Key | ShownSecret::Secret(None) => DemoSecret::Untold,
                    ShownSecret::Secret(Some(secret)) => DemoSecret::Told(Name::new(secret.expose())),
                },
                purpose: Name::new(&client.purpose),
                redirects: client.redirect_uris.iter().map(|uri| Entry::from(uri.as_str())).collect(),
                realm: Name::new(&realm.name),
            })
            .collect(),
        users: users
            .iter()
            .map(|(realm, user, roles)| DemoUser {
                username: Name::new(&user.username),
                password: user.password.as_ref().map(|password| Name::new(password.expose())),
                roles: Name::new(roles),
                realm: Name::new(realm),
            })
            .collect(),
        several: shown.iter().filter(|realm| !realm.clients.is_empty()).count() > 1,
        any_loopback: !app.rules.personas.is_empty(),
        administration: Link::own(&administration),
    };
    view.page().over_https(context.base.is_secure()).into_response()
}
