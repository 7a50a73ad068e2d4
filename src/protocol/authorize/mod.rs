//! The authorization request (OpenID Connect Core §3.1.2, RFC 6749 §4.1.1): reading it, and deciding what comes next.
//!
//! A request is read in two steps. [`Target::prove`] settles where an answer may go; until it has, a refusal is a page.
//! [`AuthorizationRequest::read`] settles the rest; its refusals go to the target. [`decide`] is run when the request
//! arrives and again after each page, so that no page can be skipped: the state is in the records, not in the flow.

mod answer;
mod decision;
mod kc_action;
mod request;

pub use answer::{Answer, Delivery, NoTarget, ResponseMode, SIGNED_FOR, Target};
pub use decision::{Decision, Facts, acr, decide, is_for_the_same, is_surely_reached};
pub use kc_action::{Outcome, is_fresh};
pub use request::{AuthorizationRequest, Prompt, RequestParameters};

#[cfg(test)]
mod tests;
