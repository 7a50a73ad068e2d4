//! The law: records and pure functions, with the specification's section beside each rule.
//!
//! Owns what is right and wrong in the protocol. Leaves to others how a request arrives (`http`), where records are
//! kept (`store`) and what time it is: nothing below names a server, a database or a clock's source.
//! Records live beside their rules: `Client` in `client.rs`, `AuthorizationCode` in `code.rs`, and so on.

pub mod access_token;
pub mod account;
pub mod acr;
pub mod admin;
pub mod audit;
pub mod authorization_details;
pub mod authorize;
pub mod backchannel_logout;
pub mod brake;
pub mod built_in;
pub mod claims;
pub mod claims_request;
pub mod client;
pub mod client_assertion;
pub mod client_auth;
pub mod code;
pub mod confirmation;
pub mod consent;
pub mod credential;
pub mod device_code;
pub mod discovery;
pub mod display;
pub mod dpop;
pub mod error;
pub mod forwarded;
pub mod frontchannel_logout;
pub mod grant;
pub mod grants;
pub mod id_token;
pub mod introspection;
pub mod issuer;
pub mod jwk;
pub mod jws;
pub mod key_rotation;
pub mod login_status;
pub mod logout;
pub mod logout_uri;
pub mod mapper;
pub mod outbound;
pub mod page_uri;
pub mod pkce;
pub mod profile;
pub mod pushed_request;
pub mod realm;
pub mod redirect_uri;
pub mod refresh;
pub mod register;
pub mod request_object;
pub mod resource;
pub mod revocation;
pub mod role;
pub mod scope;
pub mod session;
pub mod spend;
pub mod standing;
pub mod subject;
pub mod token_draft;
pub mod token_response;
pub mod trusted_issuer;
pub mod user;
pub mod user_code;
pub mod web_origin;
