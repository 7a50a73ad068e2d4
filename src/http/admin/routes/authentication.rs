//! Routes of authentication flows, their steps, and required actions.

use super::{Route, delete, get, post, put};
use crate::http::admin::{executions, flows, required_actions};
use crate::protocol::admin::Permission::{ManageRealm, ViewRealm};

/// All of them.
pub(super) fn all() -> Vec<Route> {
    let mut routes = of_flows();
    routes.extend(of_steps());
    routes.extend(of_actions());
    routes.extend(of_providers());
    routes
}

fn of_flows() -> Vec<Route> {
    let one = "/authentication/flows/{flow}";
    let at = |path: &str| format!("{one}{path}");
    vec![
        get("/authentication/flows", ViewRealm, flows::list),
        post("/authentication/flows", ManageRealm, flows::create),
        get(one, ViewRealm, flows::read),
        put(one, ManageRealm, flows::update),
        delete(one, ManageRealm, flows::delete),
        post(&at("/copy"), ManageRealm, flows::copy),
        get(&at("/executions"), ViewRealm, executions::list),
        put(&at("/executions"), ManageRealm, executions::update),
        post(&at("/executions/execution"), ManageRealm, executions::add_step),
        post(&at("/executions/flow"), ManageRealm, executions::add_flow),
    ]
}

fn of_steps() -> Vec<Route> {
    let one = "/authentication/executions/{execution}";
    let at = |path: &str| format!("{one}{path}");
    let config = "/authentication/config/{config}";
    vec![
        post("/authentication/executions", ManageRealm, executions::create),
        get(one, ViewRealm, executions::read),
        delete(one, ManageRealm, executions::delete),
        post(&at("/raise-priority"), ManageRealm, executions::raise),
        post(&at("/lower-priority"), ManageRealm, executions::lower),
        post(&at("/config"), ManageRealm, executions::configure),
        get(&at("/config/{config}"), ViewRealm, executions::read_config),
        get(config, ViewRealm, executions::read_config),
        put(config, ManageRealm, executions::update_config),
        delete(config, ManageRealm, executions::delete_config),
    ]
}

fn of_actions() -> Vec<Route> {
    let one = "/authentication/required-actions/{action}";
    let at = |path: &str| format!("{one}{path}");
    vec![
        get("/credential-registrators", ViewRealm, required_actions::credential_registrators),
        get("/authentication/required-actions", ViewRealm, required_actions::list),
        get(one, ViewRealm, required_actions::read),
        put(one, ManageRealm, required_actions::update),
        delete(one, ManageRealm, required_actions::delete),
        post(&at("/raise-priority"), ManageRealm, required_actions::raise),
        post(&at("/lower-priority"), ManageRealm, required_actions::lower),
        get(&at("/config"), ViewRealm, required_actions::config),
        put(&at("/config"), ManageRealm, required_actions::configure),
        delete(&at("/config"), ManageRealm, required_actions::clear_config),
        get(&at("/config-description"), ViewRealm, required_actions::config_description),
        post("/authentication/register-required-action", ManageRealm, required_actions::register),
        get("/authentication/unregistered-required-actions", ViewRealm, required_actions::unregistered),
    ]
}

fn of_providers() -> Vec<Route> {
    let at = |path: &str| format!("/authentication/{path}");
    vec![
        get(&at("authenticator-providers"), ViewRealm, flows::authenticators),
        get(&at("client-authenticator-providers"), ViewRealm, flows::client_authenticators),
        get(&at("form-providers"), ViewRealm, flows::forms),
        get(&at("form-action-providers"), ViewRealm, flows::form_actions),
        get(&at("config-description/{provider}"), ViewRealm, flows::config_description),
        get(&at("per-client-config-description"), ViewRealm, flows::client_config_description),
    ]
}
