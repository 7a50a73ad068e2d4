//! Extract and respond: no rules, no SQL.
