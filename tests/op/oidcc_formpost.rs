//! The conformance suite's Form Post Basic plan: every module of the Basic plan, answered by a form that posts itself
//! to the redirect URI.

crate::oidcc_plan!(Some("form_post"));
