//! One test binary over the whole server, in process. Each file is an endpoint; rows of the attack table are named by
//! their identifier.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod access_token;
mod account;
mod acr;
mod admin;
mod answers;
mod authorization_details;
mod backchannel_logout;
mod bounds;
mod certificate;
mod certs;
mod claims;
mod client_assertion;
mod client_secret;
mod code;
mod common;
mod database;
mod device;
mod dpop;
mod fapi2;
mod flow;
mod frontchannel_logout;
mod hearing;
mod introspect;
mod jarm;
mod jwt;
mod jwt_bearer;
mod kc_action;
mod key_rotation;
mod keycloak_import;
mod keycloak_start;
mod leaks;
mod lifetimes;
mod login_status;
mod logout;
mod machine;
mod no_console;
mod nodes;
mod oidcc;
mod oidcc_basic;
mod oidcc_config;
mod oidcc_dynamic;
mod oidcc_formpost;
mod opaque;
mod pages;
mod pairwise;
mod panics;
mod par;
mod password;
mod pending;
mod pkce;
mod plans;
#[path = "../support/postgres.rs"]
mod postgres;
mod redirect;
mod refresh;
mod registration;
mod request_object;
mod required_actions;
mod resource;
mod revoke;
mod rows;
mod sealed_secrets;
mod service;
mod sign_in;
mod signed_answers;
mod statements;
mod steps;
mod token;
mod token_exchange;
mod twice;
mod userinfo;
mod users;
