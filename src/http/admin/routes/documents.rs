//! Routes of what is kept without effect, of events, and of what is not there.

use super::{Route, delete, get, post, put};
use crate::http::admin::{
    absent, client_policies, components, events, identity_providers, initial_access, localization,
    permissions,
};
use crate::protocol::admin::Permission::{
    AnyInRealm, CreateClient, ManageClients, ManageEvents, ManageIdentityProviders, ManageRealm, ViewClients,
    ViewEvents, ViewIdentityProviders, ViewRealm,
};

/// All of them.
pub(super) fn all() -> Vec<Route> {
    let mut routes = of_components();
    routes.extend(of_identity_providers());
    routes.extend(of_events());
    routes.extend(of_realm_settings());
    routes.extend(absent());
    routes
}

fn of_components() -> Vec<Route> {
    vec![
        get("/components", ViewRealm, components::list),
        post("/components", ManageRealm, components::create),
        get("/components/{component}", ViewRealm, components::read),
        put("/components/{component}", ManageRealm, components::update),
        delete("/components/{component}", ManageRealm, components::delete),
        get("/components/{component}/sub-component-types", ViewRealm, components::sub_types),
    ]
}

fn of_identity_providers() -> Vec<Route> {
    let one = "/identity-provider/instances/{alias}";
    let at = |path: &str| format!("{one}{path}");
    vec![
        get("/identity-provider/instances", ViewIdentityProviders, identity_providers::list),
        post("/identity-provider/instances", ManageIdentityProviders, identity_providers::create),
        post("/identity-provider/import-config", ManageIdentityProviders, identity_providers::import_config),
        get(one, ViewIdentityProviders, identity_providers::read),
        put(one, ManageIdentityProviders, identity_providers::update),
        delete(one, ManageIdentityProviders, identity_providers::delete),
        get(&at("/management/permissions"), ViewIdentityProviders, permissions::of_provider),
        put(&at("/management/permissions"), ManageIdentityProviders, permissions::of_provider),
        get(&at("/mapper-types"), ViewIdentityProviders, identity_providers::mapper_types),
        get(&at("/mappers"), ViewIdentityProviders, identity_providers::mappers),
        post(&at("/mappers"), ManageIdentityProviders, identity_providers::create_mapper),
        get(&at("/mappers/{mapper}"), ViewIdentityProviders, identity_providers::read_mapper),
        put(&at("/mappers/{mapper}"), ManageIdentityProviders, identity_providers::update_mapper),
        delete(&at("/mappers/{mapper}"), ManageIdentityProviders, identity_providers::delete_mapper),
    ]
}

fn of_events() -> Vec<Route> {
    vec![
        get("/events", ViewEvents, events::list),
        delete("/events", ManageEvents, events::clear_of_people),
        get("/admin-events", ViewEvents, events::of_admins),
        delete("/admin-events", ManageEvents, events::clear_of_admins),
        get("/events/config", ViewEvents, events::config),
        put("/events/config", ManageEvents, events::configure),
        get("/clients-initial-access", ViewClients, initial_access::list),
        post("/clients-initial-access", CreateClient, initial_access::create),
        delete("/clients-initial-access/{token}", ManageClients, initial_access::delete),
    ]
}

fn of_realm_settings() -> Vec<Route> {
    let texts = "/localization/{locale}";
    let text = "/localization/{locale}/{key}";
    vec![
        get("/client-policies/policies", ViewRealm, client_policies::policies),
        put("/client-policies/policies", ManageRealm, client_policies::keep_policies),
        get("/client-policies/profiles", ViewRealm, client_policies::profiles),
        put("/client-policies/profiles", ManageRealm, client_policies::keep_profiles),
        get("/localization", AnyInRealm, localization::locales),
        get(texts, AnyInRealm, localization::list),
        post(texts, ManageRealm, localization::add),
        delete(texts, ManageRealm, localization::delete),
        get(text, AnyInRealm, localization::read),
        put(text, ManageRealm, localization::put),
        delete(text, ManageRealm, localization::delete_one),
    ]
}

fn absent() -> Vec<Route> {
    vec![
        get("/organizations", ViewRealm, absent::organizations),
        post("/organizations", ManageRealm, absent::organizations),
        get("/organizations/{*rest}", ViewRealm, absent::organizations),
        post("/organizations/{*rest}", ManageRealm, absent::organizations),
        put("/organizations/{*rest}", ManageRealm, absent::organizations),
        delete("/organizations/{*rest}", ManageRealm, absent::organizations),
        get("/client-registration-policy/providers", ViewRealm, absent::registration_policies),
        post("/testSMTPConnection", ManageRealm, absent::mail),
    ]
}
