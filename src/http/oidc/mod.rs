//! The protocol's endpoints, one file each. Each reads: load, decide, commit, respond.

pub mod adapters;
pub mod at_hand;
pub mod authorize;
pub mod certs;
pub mod device_authorization;
pub mod discovery;
pub mod elsewhere;
pub mod introspect;
pub mod login_status;
pub mod logout;
pub mod par;
pub mod realm;
pub mod register;
pub mod registration_access;
pub mod revoke;
pub mod token;
pub mod userinfo;
