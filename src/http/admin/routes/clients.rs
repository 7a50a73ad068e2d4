//! Routes of clients and of client scopes.

use super::{Route, delete, get, post, put};
use crate::http::admin::clients::{account, certificates, describe, evaluate, scopes, secrets, sessions};
use crate::http::admin::{adapters, client_scopes, clients, permissions, protocol_mappers, scope_mappings};
use crate::protocol::admin::Permission::{CreateClient, ManageClients, QueryClients, ViewClients};

/// All of them.
pub(super) fn all() -> Vec<Route> {
    let mut routes = of_clients();
    routes.extend(of_client());
    routes.extend(of_keys());
    routes.extend(of_adapters());
    routes.extend(of_evaluation());
    routes.extend(of_scopes());
    for carrier in ["/clients/{client}", "/client-scopes/{scope}"] {
        routes.extend(of_mappers(carrier));
        routes.extend(of_scope_mappings(carrier));
    }
    routes
}

fn of_clients() -> Vec<Route> {
    vec![
        get("/clients", QueryClients, clients::list),
        post("/clients", CreateClient, clients::create),
        post("/client-description-converter", ManageClients, describe::convert),
        get("/clients/{client}", ViewClients, clients::read),
        put("/clients/{client}", ManageClients, clients::update),
        delete("/clients/{client}", ManageClients, clients::delete),
    ]
}

fn of_client() -> Vec<Route> {
    vec![
        get("/clients/{client}/client-secret", ViewClients, secrets::read),
        post("/clients/{client}/client-secret", ManageClients, secrets::regenerate),
        get("/clients/{client}/client-secret/rotated", ViewClients, secrets::rotated),
        delete("/clients/{client}/client-secret/rotated", ManageClients, secrets::rotated),
        post("/clients/{client}/registration-access-token", ManageClients, secrets::registration_token),
        get("/clients/{client}/service-account-user", ViewClients, account::user),
        get("/clients/{client}/installation/providers/{provider}", ViewClients, account::installation),
        get("/clients/{client}/user-sessions", ViewClients, sessions::list),
        get("/clients/{client}/session-count", ViewClients, sessions::count),
        get("/clients/{client}/offline-sessions", ViewClients, sessions::offline),
        get("/clients/{client}/offline-session-count", ViewClients, sessions::offline_count),
        get("/clients/{client}/default-client-scopes", ViewClients, scopes::default),
        put("/clients/{client}/default-client-scopes/{scope}", ManageClients, scopes::add_default),
        delete("/clients/{client}/default-client-scopes/{scope}", ManageClients, scopes::remove_default),
        get("/clients/{client}/optional-client-scopes", ViewClients, scopes::optional),
        put("/clients/{client}/optional-client-scopes/{scope}", ManageClients, scopes::add_optional),
        delete("/clients/{client}/optional-client-scopes/{scope}", ManageClients, scopes::remove_optional),
    ]
}

fn of_keys() -> Vec<Route> {
    let one = "/clients/{client}/certificates/{attribute}";
    let at = |path: &str| format!("{one}{path}");
    vec![
        get(one, ViewClients, certificates::read),
        post(&at("/generate"), ManageClients, certificates::generate),
        post(&at("/upload"), ManageClients, certificates::upload),
        post(&at("/upload-certificate"), ManageClients, certificates::upload_certificate),
        post(&at("/download"), ManageClients, certificates::store),
        post(&at("/generate-and-download"), ManageClients, certificates::store),
    ]
}

fn of_adapters() -> Vec<Route> {
    let at = |path: &str| format!("/clients/{{client}}{path}");
    vec![
        post(&at("/push-revocation"), ManageClients, adapters::push_of_client),
        post(&at("/nodes"), ManageClients, adapters::add_node),
        delete(&at("/nodes/{node}"), ManageClients, adapters::remove_node),
        get(&at("/test-nodes-available"), ManageClients, adapters::answering),
        get(&at("/management/permissions"), ViewClients, permissions::of_client),
        put(&at("/management/permissions"), ManageClients, permissions::of_client),
    ]
}

fn of_evaluation() -> Vec<Route> {
    let at = |path: &str| format!("/clients/{{client}}/evaluate-scopes/{path}");
    vec![
        get(&at("generate-example-access-token"), ViewClients, evaluate::access),
        get(&at("generate-example-id-token"), ViewClients, evaluate::id),
        get(&at("generate-example-userinfo"), ViewClients, evaluate::userinfo),
        get(&at("protocol-mappers"), ViewClients, evaluate::mappers),
        get(&at("scope-mappings/{container}/granted"), ViewClients, evaluate::shown_roles),
        get(&at("scope-mappings/{container}/not-granted"), ViewClients, evaluate::hidden_roles),
    ]
}

fn of_scopes() -> Vec<Route> {
    vec![
        get("/client-scopes", ViewClients, client_scopes::list),
        post("/client-scopes", ManageClients, client_scopes::create),
        get("/client-scopes/{scope}", ViewClients, client_scopes::read),
        put("/client-scopes/{scope}", ManageClients, client_scopes::update),
        delete("/client-scopes/{scope}", ManageClients, client_scopes::delete),
        get("/default-default-client-scopes", ViewClients, scopes::realm_default),
        put("/default-default-client-scopes/{scope}", ManageClients, scopes::add_realm_default),
        delete("/default-default-client-scopes/{scope}", ManageClients, scopes::remove_realm_default),
        get("/default-optional-client-scopes", ViewClients, scopes::realm_optional),
        put("/default-optional-client-scopes/{scope}", ManageClients, scopes::add_realm_optional),
        delete("/default-optional-client-scopes/{scope}", ManageClients, scopes::remove_realm_optional),
    ]
}

fn of_mappers(carrier: &str) -> Vec<Route> {
    let at = |path: &str| format!("{carrier}/protocol-mappers/{path}");
    vec![
        get(&at("models"), ViewClients, protocol_mappers::list),
        post(&at("models"), ManageClients, protocol_mappers::create),
        post(&at("add-models"), ManageClients, protocol_mappers::create_all),
        get(&at("protocol/{protocol}"), ViewClients, protocol_mappers::of_protocol),
        get(&at("models/{mapper}"), ViewClients, protocol_mappers::read),
        put(&at("models/{mapper}"), ManageClients, protocol_mappers::update),
        delete(&at("models/{mapper}"), ManageClients, protocol_mappers::delete),
    ]
}

fn of_scope_mappings(carrier: &str) -> Vec<Route> {
    let mut routes = vec![get(&format!("{carrier}/scope-mappings"), ViewClients, scope_mappings::all)];
    for container in ["realm", "clients/{of}"] {
        let at = format!("{carrier}/scope-mappings/{container}");
        routes.extend([
            get(&at, ViewClients, scope_mappings::list),
            post(&at, ManageClients, scope_mappings::add),
            delete(&at, ManageClients, scope_mappings::remove),
            get(&format!("{at}/available"), ViewClients, scope_mappings::available),
            get(&format!("{at}/composite"), ViewClients, scope_mappings::composite),
        ]);
    }
    routes
}
