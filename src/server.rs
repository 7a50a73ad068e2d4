//! The accept loop: connections, timeouts, limits, drain.
