//! Every route of the admin API with what it asks of its caller. A route cannot be written without naming that.

mod authentication;
mod clients;
mod documents;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::{HeaderMap, Method};

use super::answer::Answer;
use super::call::{Call, ServerCall};
use super::{
    adapters, credentials, groups, identities, impersonation, keys, mail, mappings, permissions, profile,
    protection, realm_import, realms, roles, server_info, sessions, users,
};
use crate::http::context::RealmContext;
use crate::protocol::admin::Permission;
use crate::protocol::admin::Permission::{
    Administrator, AnyInRealm, CreateRealm, Impersonate, ManageClients, ManageRealm, ManageRoles,
    ManageUsers, QueryGroups, QueryUsers, ViewRealm, ViewRoles, ViewUsers,
};

type Pending = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What answers a route.
pub(super) enum Handler {
    /// About the server.
    Server(Arc<dyn Fn(ServerCall) -> Pending + Send + Sync>),
    /// About one realm.
    Realm(Arc<dyn Fn(Call) -> Pending + Send + Sync>),
    /// About one realm and the browser that asks, whose headers come along.
    Browser(Arc<dyn Fn(Call, RealmContext, HeaderMap) -> Pending + Send + Sync>),
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
        server(Method::POST, "/admin/realms", CreateRealm, realm_import::create),
    ];
    routes.extend(of_realms());
    routes.extend(of_users());
    routes.extend(of_credentials());
    routes.extend(of_groups());
    routes.extend(of_roles("/roles", ManageRealm));
    routes.extend(of_roles("/clients/{client}/roles", ManageClients));
    routes.extend(of_roles_by_id());
    routes.extend(of_mappings("/users/{user}"));
    routes.extend(of_mappings("/groups/{group}"));
    routes.extend(clients::all());
    routes.extend(authentication::all());
    routes.extend(documents::all());
    routes
}

fn of_realms() -> Vec<Route> {
    vec![
        get("", AnyInRealm, realms::read),
        put("", ManageRealm, realms::update),
        delete("", ManageRealm, realms::delete),
        get("/keys", ViewRealm, keys::list),
        post("/partialImport", ManageRealm, realm_import::partial_import),
        post("/partial-export", ManageRealm, realm_import::partial_export),
        post("/clear-realm-cache", ManageRealm, realms::clear_cache),
        post("/clear-user-cache", ManageRealm, realms::clear_cache),
        post("/clear-keys-cache", ManageRealm, realms::clear_cache),
        post("/clear-crl-cache", ManageRealm, realms::clear_cache),
        post("/push-revocation", ManageRealm, adapters::push_of_realm),
        post("/logout-all", ManageUsers, sessions::end_all),
        delete("/sessions/{session}", ManageUsers, sessions::end),
        get("/client-session-stats", ViewRealm, sessions::by_client),
        get("/attack-detection/brute-force/users/{user}", ViewUsers, protection::read),
        delete("/attack-detection/brute-force/users/{user}", ManageUsers, protection::forgive),
        delete("/attack-detection/brute-force/users", ManageUsers, protection::forgive_all),
    ]
}

fn of_users() -> Vec<Route> {
    vec![
        get("/users", ViewUsers, users::list),
        post("/users", ManageUsers, users::create),
        get("/users/count", QueryUsers, users::count),
        get("/users/profile", QueryUsers, profile::read),
        put("/users/profile", ManageRealm, profile::update),
        get("/users/profile/metadata", QueryUsers, profile::metadata),
        get("/users-management-permissions", ViewUsers, permissions::of_users),
        put("/users-management-permissions", ManageUsers, permissions::of_users),
        get("/users/{user}/unmanagedAttributes", ViewUsers, profile::unmanaged),
        get("/users/{user}", ViewUsers, users::read),
        put("/users/{user}", ManageUsers, users::update),
        delete("/users/{user}", ManageUsers, users::delete),
        get("/users/{user}/sessions", ViewUsers, sessions::of_user),
        get("/users/{user}/offline-sessions/{client}", ViewUsers, sessions::offline),
        post("/users/{user}/logout", ManageUsers, sessions::sign_out),
        get("/users/{user}/federated-identity", ViewUsers, identities::list),
        post("/users/{user}/federated-identity/{provider}", ManageUsers, identities::add),
        delete("/users/{user}/federated-identity/{provider}", ManageUsers, identities::remove),
        get("/users/{user}/consents", ViewUsers, identities::consents),
        delete("/users/{user}/consents/{client_id}", ManageUsers, identities::withdraw),
        get("/users/{user}/groups", ViewUsers, groups::of_user),
        get("/users/{user}/groups/count", ViewUsers, groups::count_of_user),
        put("/users/{user}/groups/{group}", ManageUsers, groups::join),
        delete("/users/{user}/groups/{group}", ManageUsers, groups::leave),
        put("/users/{user}/execute-actions-email", ManageUsers, mail::execute_actions),
        put("/users/{user}/send-verify-email", ManageUsers, mail::verify),
        put("/users/{user}/reset-password-email", ManageUsers, mail::reset_password),
        of_browser("/users/{user}/impersonation", Impersonate, impersonation::begin),
    ]
}

fn of_credentials() -> Vec<Route> {
    vec![
        put("/users/{user}/reset-password", ManageUsers, credentials::reset_password),
        get("/users/{user}/credentials", ViewUsers, credentials::list),
        get(
            "/users/{user}/configured-user-storage-credential-types",
            ViewUsers,
            credentials::stored_elsewhere,
        ),
        put("/users/{user}/disable-credential-types", ManageUsers, credentials::disable_types),
        delete("/users/{user}/credentials/{credential}", ManageUsers, credentials::delete),
        put("/users/{user}/credentials/{credential}/userLabel", ManageUsers, credentials::label),
        post("/users/{user}/credentials/{credential}/moveToFirst", ManageUsers, credentials::move_first),
        post(
            "/users/{user}/credentials/{credential}/moveAfter/{other}",
            ManageUsers,
            credentials::move_after,
        ),
    ]
}

fn of_groups() -> Vec<Route> {
    vec![
        get("/groups", QueryGroups, groups::list),
        post("/groups", ManageUsers, groups::create),
        get("/groups/count", QueryGroups, groups::count),
        get("/groups/{group}", ViewUsers, groups::read),
        put("/groups/{group}", ManageUsers, groups::update),
        delete("/groups/{group}", ManageUsers, groups::delete),
        get("/groups/{group}/children", QueryGroups, groups::children),
        post("/groups/{group}/children", ManageUsers, groups::create_child),
        get("/groups/{group}/members", ViewUsers, groups::members),
        put("/groups/{group}/members/{user}", ManageUsers, groups::join),
        delete("/groups/{group}/members/{user}", ManageUsers, groups::leave),
        get("/groups/{group}/management/permissions", ViewUsers, permissions::of_group),
        put("/groups/{group}/management/permissions", ManageUsers, permissions::of_group),
        get("/group-by-path/{*path}", QueryGroups, groups::by_path),
        get("/default-groups", ViewRealm, groups::defaults),
        put("/default-groups/{group}", ManageRealm, groups::add_default),
        delete("/default-groups/{group}", ManageRealm, groups::remove_default),
    ]
}

/// The roles of the realm, or of a client.
fn of_roles(below: &str, manage: Permission) -> Vec<Route> {
    let at = |path: &str| format!("{below}{path}");
    vec![
        get(&at(""), ViewRoles, roles::list),
        post(&at(""), manage, roles::create),
        get(&at("/{role}"), ViewRoles, roles::read),
        put(&at("/{role}"), manage, roles::update),
        delete(&at("/{role}"), manage, roles::delete),
        get(&at("/{role}/composites"), ViewRoles, roles::composites),
        post(&at("/{role}/composites"), manage, roles::add_composites),
        delete(&at("/{role}/composites"), manage, roles::remove_composites),
        get(&at("/{role}/composites/realm"), ViewRoles, roles::realm_composites),
        get(&at("/{role}/composites/clients/{of}"), ViewRoles, roles::composites),
        get(&at("/{role}/users"), ViewUsers, roles::users),
        get(&at("/{role}/groups"), ViewUsers, roles::groups),
        get(&at("/{role}/management/permissions"), ViewRoles, permissions::of_role),
        put(&at("/{role}/management/permissions"), manage, permissions::of_role),
    ]
}

fn of_roles_by_id() -> Vec<Route> {
    vec![
        get("/roles-by-id/{role_id}", ViewRoles, roles::read),
        put("/roles-by-id/{role_id}", ManageRoles, roles::update),
        delete("/roles-by-id/{role_id}", ManageRoles, roles::delete),
        get("/roles-by-id/{role_id}/composites", ViewRoles, roles::composites),
        post("/roles-by-id/{role_id}/composites", ManageRoles, roles::add_composites),
        delete("/roles-by-id/{role_id}/composites", ManageRoles, roles::remove_composites),
        get("/roles-by-id/{role_id}/composites/realm", ViewRoles, roles::realm_composites),
        get("/roles-by-id/{role_id}/composites/clients/{of}", ViewRoles, roles::composites),
        get("/roles-by-id/{role_id}/management/permissions", ViewRoles, permissions::of_role),
        put("/roles-by-id/{role_id}/management/permissions", ManageRoles, permissions::of_role),
    ]
}

/// The roles that users and groups were given.
fn of_mappings(below: &str) -> Vec<Route> {
    let mut routes = vec![get(&format!("{below}/role-mappings"), ViewUsers, mappings::all)];
    for container in ["realm", "clients/{client}"] {
        let at = format!("{below}/role-mappings/{container}");
        routes.extend([
            get(&at, ViewUsers, mappings::list),
            post(&at, ManageUsers, mappings::add),
            delete(&at, ManageUsers, mappings::remove),
            get(&format!("{at}/available"), ViewUsers, mappings::available),
            get(&format!("{at}/composite"), ViewUsers, mappings::composite),
        ]);
    }
    routes
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

/// A route below a realm that gives the browser cookies.
fn of_browser<F: Future<Output = Answer> + Send + 'static>(
    path: &str,
    permission: Permission,
    handler: fn(Call, RealmContext, HeaderMap) -> F,
) -> Route {
    let path = format!("/admin/realms/{{realm}}{path}");
    let handler =
        Handler::Browser(Arc::new(move |call, context, headers| Box::pin(handler(call, context, headers))));
    Route { method: Method::POST, path, permission, handler }
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
