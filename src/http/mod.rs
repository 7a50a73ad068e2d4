//! Extract and respond: no rules, no SQL.

pub mod host;
pub mod params;
