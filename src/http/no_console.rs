//! `/admin/`, `/console/` and `/admin/{realm}/console/`: where people look for a console. A page says how a realm is looked
//! after without one.
//!
//! In production it names no administrator and no realm but the one of its address, whose metadata is public.

use axum::response::{IntoResponse, Response};

use super::context::{Described, ServerContext};
use super::pages::{Entry, Link, Name, NoConsole, Shell};
use crate::app::App;
use crate::protocol::built_in::MASTER;
use crate::protocol::issuer::Base;

/// The page of the server as a whole.
pub async fn of_server(context: ServerContext) -> Response {
    let app = &context.app;
    let (file, api) = (file(app, None), api(app, &context.base, None));
    let overview = format!("{}/", app.hosts.base_path());
    let view = NoConsole {
        shell: Shell::server(app.hosts.base_path()),
        realm: None,
        known_administrator: demo_administrator(app).is_some(),
        strict: !app.rules.helpful,
        file: lines(&file),
        api: lines(&api),
        account: None,
        overview: app.rules.helpful.then(|| Link::own(&overview)),
    };
    view.page().over_https(context.base.is_secure()).into_response()
}

/// The page of a realm.
pub async fn of_realm(Described(context): Described) -> Response {
    let app = &context.app;
    let name = context.realm();
    let (file, api) = (file(app, Some(name)), api(app, &context.base, Some(name)));
    let (account, overview) = (context.url("/account/"), format!("{}/", app.hosts.base_path()));
    let view = NoConsole {
        shell: context.shell(),
        realm: Some(Name::new(name)),
        known_administrator: demo_administrator(app).is_some(),
        strict: !app.rules.helpful,
        file: lines(&file),
        api: lines(&api),
        account: Some(Link::own(&account)),
        overview: app.rules.helpful.then(|| Link::own(&overview)),
    };
    context.page(view.page())
}

fn lines(all: &[String]) -> Vec<Entry<'_>> {
    all.iter().map(|line| Entry::from(line.as_str())).collect()
}

/// Commands that bring a realm to what its file says.
fn file(app: &App, realm: Option<&str>) -> Vec<String> {
    let realm = realm.unwrap_or("REALM");
    if app.rules.helpful {
        vec![
            format!("vestibule export {realm} --minimal --with-secrets > {realm}.toml"),
            format!("vestibule dev --import-realm {realm}.toml --watch"),
        ]
    } else {
        vec![
            format!("vestibule export {realm} --config vestibule.toml > {realm}.toml"),
            format!("vestibule plan {realm}.toml --config vestibule.toml"),
            format!("vestibule apply {realm}.toml --config vestibule.toml"),
        ]
    }
}

/// Commands that ask the admin API: the grant and the secret are the person's own, unless the demo realm has them.
fn api(app: &App, base: &Base, realm: Option<&str>) -> Vec<String> {
    let grant = match demo_administrator(app) {
        _ if !app.rules.helpful => "-u CLIENT_ID:CLIENT_SECRET -d grant_type=client_credentials".to_owned(),
        Some((username, password)) => password_grant(username, password),
        None => password_grant("USERNAME", "PASSWORD"),
    };
    let token = app.hosts.issuer(base, MASTER);
    let about = realm.map(|realm| format!("/{realm}")).unwrap_or_default();
    let bootstrap = match demo_administrator(app) {
        _ if !app.rules.helpful => {
            Some("vestibule bootstrap-admin service --client-id CLIENT_ID --config vestibule.toml")
        }
        Some(_) => None,
        None => Some("vestibule bootstrap-admin user"),
    };
    let commands = [
        format!("TOKEN=$(curl -s {token}/protocol/openid-connect/token {grant} | jq -r .access_token)"),
        format!("curl -s -H \"Authorization: Bearer $TOKEN\" {base}/admin/realms{about}"),
    ];
    bootstrap.map(str::to_owned).into_iter().chain(commands).collect()
}

fn password_grant(username: &str, password: &str) -> String {
    format!("-d grant_type=password -d client_id=admin-cli -d username={username} -d password={password}")
}

/// The administrator of the demo realms, whose password everybody may read.
fn demo_administrator(app: &App) -> Option<(&str, &str)> {
    let personas = app.rules.personas.iter().filter(|_| app.rules.helpful);
    let mut of_master = personas.filter(|persona| persona.realm == MASTER);
    of_master.next().map(|persona| (persona.username.as_str(), persona.password.as_str()))
}
