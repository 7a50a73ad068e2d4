//! Which waits were written down: one event tells of each, however often somebody asks while it lasts.
//!
//! An attempt that must wait costs its sender nothing. If each left a row, a stranger would fill the table of events for
//! free. What is known here is of this process alone: after a restart, and on another node, a wait may be told once more.

use quick_cache::sync::Cache;

use crate::clock::Timestamp;

/// How many waits are known; beyond it, the ones that are asked for least go.
const REMEMBERED: usize = 4096;

/// The waits that an event has told of.
#[derive(Debug)]
pub struct Lockouts(Cache<(String, String, Timestamp), ()>);

impl Default for Lockouts {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl Lockouts {
    /// Whether nobody was told yet that `network` must wait in this realm until `until`; from now on somebody was.
    #[must_use]
    pub fn is_new(&self, realm_id: &str, network: &str, until: Timestamp) -> bool {
        let key = (realm_id.to_owned(), network.to_owned(), until);
        let mut is_new = false;
        let _: Result<(), ()> = self.0.get_or_insert_with(&key, || {
            is_new = true;
            Ok(())
        });
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r3_a_wait_is_new_once() {
        let lockouts = Lockouts::default();
        let rows =
            [("a", "192.0.2.1", 10), ("a", "192.0.2.1", 11), ("a", "192.0.2.2", 10), ("b", "192.0.2.1", 10)];
        for (realm, network, until) in rows {
            let is_new = || lockouts.is_new(realm, network, Timestamp(until));
            assert_eq!([is_new(), is_new(), is_new()], [true, false, false], "{realm} {network} {until}");
        }
    }

    #[test]
    fn what_is_known_is_bounded() {
        let lockouts = Lockouts::default();
        for until in 0..20_000 {
            assert!(lockouts.is_new("a", "192.0.2.1", Timestamp(until)));
        }
        assert!(lockouts.0.len() <= REMEMBERED, "{}", lockouts.0.len());
    }
}
