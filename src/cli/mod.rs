//! Arguments to one function of the library.

pub mod healthcheck;
