//! What the OpenID Foundation's modules for the FAPI 2.0 Security Profile ask of a provider (conformance.md 2.8), as far as
//! it shows in process. Each test has the name of its module, `fapi2-security-profile-final-` left out.

mod clients;
mod codes;
mod par;
mod proofs;
mod requests;
mod scene;
