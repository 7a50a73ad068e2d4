//! Every route of the admin API with what it asks of its caller. A route cannot be written without naming that.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::Method;

use super::answer::Answer;
use super::call::{Call, ServerCall};
use super::{groups, keys, realms, server_info, sessions, users};
use crate::protocol::admin::Permission;
use crate::protocol::admin::Permission::{
    Administrator, AnyInRealm, Impersonate, ManageRealm, ManageUsers, QueryUsers, ViewRealm, ViewUsers,
};

type Pending = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What answers a route.
pub(super) enum Handler {
    /// About the server.
    Server(Arc<dyn Fn(ServerCall) -> Pending + Send + Sync>),
    /// About one realm.
    Realm(Arc<dyn Fn(Call) -> Pending + Send + Sync>),
}

/// A route.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path below the server's base, with the names of its parts in braces.
    pub path: String,
    /// What its caller must be allowed.
    pub permission: Permission,
    pub(super) handler: Handler,
}

/// Every route.
#[must_use]
pub fn table() -> Vec<Route> {
    let mut routes = vec![
        server(Method::GET, "/admin/serverinfo", Administrator, server_info::read),
        server(Method::GET, "/admin/realms", Administrator, realms::list),
    ];
    routes.extend(of_realms());
    routes.extend(of_users());
    routes.extend(of_groups());
    routes
}

fn of_realms() -> Vec<Route> {
    vec![
        get("", AnyInRealm, realms::read),
        get("/keys", ViewRealm, keys::list),
        post("/clear-realm-cache", ManageRealm, realms::clear_cache),
        post("/clear-user-cache", ManageRealm, realms::clear_cache),
        post("/clear-keys-cache", ManageRealm, realms::clear_cache),
        delete("/sessions/{session}", ManageUsers, sessions::end),
    ]
}

fn of_users() -> Vec<Route> {
    vec![
        get("/users", ViewUsers, users::list),
        get("/users/count", QueryUsers, users::count),
        get("/users/{user}/sessions", ViewUsers, sessions::of_user),
        post("/users/{user}/logout", ManageUsers, sessions::sign_out),
        put("/users/{user}/execute-actions-email", ManageUsers, users::mail),
        put("/users/{user}/send-verify-email", ManageUsers, users::mail),
        put("/users/{user}/reset-password-email", ManageUsers, users::mail),
        post("/users/{user}/impersonation", Impersonate, users::impersonate),
    ]
}

fn of_groups() -> Vec<Route> {
    vec![
        post("/groups", ManageUsers, groups::create),
        put("/groups/{group}", ManageUsers, groups::update),
        delete("/groups/{group}", ManageUsers, groups::delete),
    ]
}

fn get<F: Future<Output = Answer> + Send + 'static>(
    path: &str,
    permission: Permission,
    handler: fn(Call) -> F,
) -> Route {
    of_realm(Method::GET, path, permission, handler)
}

fn post<F: Future<Output = Answer> + Send + 'static>(
    path: &str,
    permission: Permission,
    handler: fn(Call) -> F,
) -> Route {
    of_realm(Method::POST, path, permission, handler)
}

fn put<F: Future<Output = Answer> + Send + 'static>(
    path: &str,
    permission: Permission,
    handler: fn(Call) -> F,
) -> Route {
    of_realm(Method::PUT, path, permission, handler)
}

fn delete<F: Future<Output = Answer> + Send + 'static>(
    path: &str,
    permission: Permission,
    handler: fn(Call) -> F,
) -> Route {
    of_realm(Method::DELETE, path, permission, handler)
}

/// A route below a realm.
fn of_realm<F: Future<Output = Answer> + Send + 'static>(
    method: Method,
    path: &str,
    permission: Permission,
    handler: fn(Call) -> F,
) -> Route {
    let path = format!("/admin/realms/{{realm}}{path}");
    Route { method, path, permission, handler: Handler::Realm(Arc::new(move |call| Box::pin(handler(call)))) }
}

/// A route above realms.
fn server<F: Future<Output = Answer> + Send + 'static>(
    method: Method,
    path: &str,
    permission: Permission,
    handler: fn(ServerCall) -> F,
) -> Route {
    let handler = Handler::Server(Arc::new(move |call| Box::pin(handler(call))));
    Route { method, path: path.to_owned(), permission, handler }
}
