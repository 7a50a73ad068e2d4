//! Extract and respond: no rules, no SQL.

pub mod assets;
pub mod host;
pub mod management;
pub mod pages;
pub mod params;
