//! One test binary over the whole server, in process. Each file is an endpoint; rows of the attack table are named by
//! their identifier.

mod flow;
mod introspect;
