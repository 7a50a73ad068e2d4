//! The accept loop: connections, timeouts, limits, drain.

use thiserror::Error;

/// A request's body did not arrive within its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the body of the request did not arrive in time")]
pub struct BodyTimeout;
