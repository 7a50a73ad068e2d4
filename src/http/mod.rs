//! Extract and respond: no rules, no SQL. The whole route table is on this screen.

pub mod account;
pub mod admin;
pub mod assets;
pub mod bearer;
pub mod certificate;
mod client_assertion;
pub mod client_auth;
mod client_keys;
pub mod context;
pub mod cookies;
pub mod cors;
pub mod device;
pub mod dpop;
pub mod error;
pub mod failure;
pub mod goodbye;
pub mod grants;
pub mod host;
pub mod management;
pub mod no_console;
pub mod oidc;
pub mod pages;
pub mod params;
pub mod pending;
mod request_object;
mod service_account;
pub mod sign_in;
pub mod tokens;
pub mod welcome;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::{MethodRouter, any, get, post};
use tower::ServiceExt;

use crate::app::Shared;
use crate::server::Endpoints;
use context::{RealmContext, ServerContext};
use oidc::{
    adapters, at_hand, authorize, certs, device_authorization, discovery, elsewhere, introspect,
    login_status, logout, par, realm, register, registration_access, revoke, token, userinfo,
};
use sign_in::{authenticate, consent};

/// Every address of the server, and the shorter way to its public documents.
pub fn endpoints(app: &Shared) -> Endpoints {
    Endpoints {
        router: router(Arc::clone(app)),
        at_hand: Some(at_hand::documents(Arc::clone(app))),
        apology: Some(failure::apology(app)),
        roomy: &admin::TAKE_REALMS,
    }
}

/// Every address of the server, below its base path.
fn router(app: Shared) -> Router {
    let again = Arc::default();
    let other = move |context: ServerContext, request: Request| async move {
        lenient(&context, &again, request).await
    };
    routes(&app).fallback(other).with_state(app)
}

fn routes(app: &Shared) -> Router<Shared> {
    let mut routes = Router::new()
        .route("/", get(welcome::welcome))
        .route(assets::ROUTE, get(assets::serve))
        .route("/.well-known/openid-configuration/realms/{realm}", get(discovery::metadata))
        .route("/.well-known/oauth-authorization-server/realms/{realm}", get(discovery::metadata))
        .route("/realms/{realm}", get(realm::published).options(cors::preflight_public))
        .route("/admin", get(no_console::of_server))
        .route("/admin/", get(no_console::of_server))
        .route("/console", get(no_console::of_server))
        .route("/console/", get(no_console::of_server))
        .route("/admin/{realm}/console", get(no_console::of_realm))
        .route("/admin/{realm}/console/", get(no_console::of_realm))
        .merge(realm_routes("/realms/{realm}"))
        .merge(admin::router());
    if app.rules.root_realm.is_some() {
        routes = routes.merge(realm_routes(""));
    }
    let base = app.hosts.base_path().to_owned();
    // A nested `/` is the path itself; people and probes write it with a slash at its end too.
    let below = |routes| Router::new().nest(&base, routes).route(&format!("{base}/"), get(welcome::welcome));
    let routes = match (base.is_empty(), app.rules.at_root_too) {
        (true, _) => routes,
        (false, true) => routes.clone().merge(below(routes)),
        (false, false) => below(routes),
    };
    let routes = if base.is_empty() { routes } else { routes.merge(inserted(&base)) };
    routes.method_not_allowed_fallback(no_method)
}

/// Metadata at the host's root, with the path of the issuer behind the well-known part (RFC 8414 §3.1), for issuers below
/// `base`.
fn inserted(base: &str) -> Router<Shared> {
    let of = |name: &str| format!("/.well-known/{name}{base}/realms/{{realm}}");
    Router::new()
        .route(&of("openid-configuration"), get(discovery::metadata))
        .route(&of("oauth-authorization-server"), get(discovery::metadata))
}

/// Looks once more for an address that no route has, without doubled and trailing slashes: Keycloak's admin clients put one
/// between a base address that ends in one and a path that begins with one. What else is spelled so is not there. The routes
/// to look in `again` are made when they are needed first: they take some 200 KB, and few need them.
async fn lenient(context: &ServerContext, again: &OnceLock<Router>, mut request: Request) -> Response {
    let asked = request.extensions().get::<OriginalUri>().map_or(request.uri(), |uri| &uri.0);
    let base_path = context.app.hosts.base_path();
    let meant = without_spare_slashes(asked).filter(|uri| uri != asked && is_for_programs(base_path, uri));
    let Some(meant) = meant else { return context.missing(request.headers()) };
    *request.uri_mut() = meant;
    let again = again.get_or_init(|| {
        let app = &context.app;
        routes(app).fallback(missing).with_state(Arc::clone(app))
    });
    again.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
}

/// Whether the address is one that such clients call: of the admin API, or where they get a token for it.
fn is_for_programs(base_path: &str, uri: &Uri) -> bool {
    let path = uri.path().strip_prefix(base_path).unwrap_or(uri.path());
    let of_realm = path.starts_with("/realms/");
    path.starts_with("/admin/")
        || (of_realm && path.ends_with("/protocol/openid-connect/token"))
        || (of_realm && path.ends_with("/.well-known/openid-configuration"))
}

fn without_spare_slashes(uri: &Uri) -> Option<Uri> {
    let parts: Vec<&str> = uri.path().split('/').filter(|part| !part.is_empty()).collect();
    let path = format!("/{}", parts.join("/"));
    let path = uri.query().map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    let mut whole = uri.clone().into_parts();
    whole.path_and_query = Some(path.parse().ok()?);
    Uri::from_parts(whole).ok()
}

/// Every address of one realm, below its issuer, whose path is `issuer`.
fn realm_routes(issuer: &str) -> Router<Shared> {
    let public = || get(discovery::metadata).options(cors::preflight_public);
    Below { path: issuer, routes: Router::new() }
        .route("/.well-known/openid-configuration", public())
        .route("/.well-known/oauth-authorization-server", public())
        .route("/protocol/openid-connect/certs", get(certs::certs).options(cors::preflight_public))
        .route("/protocol/openid-connect/auth", get(authorize::authorize).post(authorize::authorize))
        .route("/protocol/openid-connect/registrations", get(elsewhere::registrations))
        .route("/protocol/openid-connect/forgot-credentials", get(elsewhere::forgot_credentials))
        .route("/protocol/openid-connect/ext/par/request", post(par::push).options(cors::preflight))
        .route(
            "/protocol/openid-connect/auth/device",
            post(device_authorization::authorize).options(cors::preflight),
        )
        .route("/protocol/openid-connect/token", post(token::token).options(cors::preflight))
        .route("/protocol/openid-connect/revoke", post(revoke::revoke).options(cors::preflight))
        .route("/protocol/openid-connect/token/introspect", post(introspect::introspect))
        .route(
            "/protocol/openid-connect/userinfo",
            get(userinfo::userinfo).post(userinfo::userinfo).options(cors::preflight),
        )
        .route("/protocol/openid-connect/logout", get(logout::logout).post(logout::logout))
        .route("/protocol/openid-connect/login-status-iframe.html", get(login_status::frame))
        .route("/protocol/openid-connect/login-status-iframe.html/init", get(login_status::init))
        .route("/protocol/openid-connect/3p-cookies/step1.html", get(login_status::third_party_cookies))
        .route("/protocol/openid-connect/3p-cookies/step2.html", get(login_status::third_party_cookies))
        .route("/clients-registrations/openid-connect", post(register::create))
        .route(
            "/clients-registrations/openid-connect/{client_id}",
            get(registration_access::read)
                .put(registration_access::update)
                .delete(registration_access::delete),
        )
        .route("/clients-registrations/default", any(adapters::registration))
        .route("/clients-registrations/default/{client_id}", any(adapters::registration))
        .route("/clients-managements/register-node", post(adapters::node))
        .route("/clients-managements/unregister-node", post(adapters::node))
        .route("/login-actions/authenticate", get(authenticate::get).post(authenticate::post))
        .route("/login-actions/consent", get(consent::get).post(consent::post))
        .route("/login-actions/registration", get(elsewhere::registrations).post(elsewhere::registrations))
        .route(
            "/login-actions/reset-credentials",
            get(elsewhere::forgot_credentials).post(elsewhere::forgot_credentials),
        )
        .route("/device", get(device::show).post(device::submit))
        .route("/device/confirm", get(device::answer::get).post(device::answer::post))
        .route("/device/qr.svg", get(device::qr::picture))
        .route("/account", get(account::show).post(account::update).options(cors::preflight))
        .route("/account/", get(account::show).post(account::update).options(cors::preflight))
        .route("/account/{action}", post(account::act))
        .route("/account/change/{what}", get(account::change))
        .routes
}

/// Routes below a path. A nested router would do the same at a price: it takes each request's address apart.
struct Below<'a> {
    path: &'a str,
    routes: Router<Shared>,
}

impl Below<'_> {
    fn route(self, path: &str, methods: MethodRouter<Shared>) -> Self {
        Self { routes: self.routes.route(&format!("{}{path}", self.path), methods), ..self }
    }
}

/// The path of a realm on this server, for forms: `/realms/main`.
fn realm_path(context: &RealmContext) -> &str {
    context.issuer.strip_prefix(context.base.origin()).unwrap_or_default()
}

async fn missing(context: ServerContext, headers: HeaderMap) -> Response {
    context.missing(&headers)
}

async fn no_method(context: ServerContext, headers: HeaderMap) -> Response {
    context.no_method(&headers)
}
