//! Who reads which realm into memory: one at a time each, so that a burst of first requests reads once. Nobody waits for
//! another realm, whose first keys may be in the making.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as Lock, PoisonError, Weak};

use tokio::sync::Mutex;

/// The turns of those who read, by the name of the realm.
#[derive(Debug, Default)]
pub(super) struct Loading(Lock<HashMap<String, Weak<Mutex<()>>>>);

impl Loading {
    /// The turn of whoever holds it locked. It is the same for all who ask about this realm at the same time.
    pub(super) fn of(&self, name: &str) -> Arc<Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Names come from outside: of those that nobody reads any more, nothing is kept.
        turns.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = turns.get(name).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        turns.insert(name.to_owned(), Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_one_realm_keeps_nobody_from_another() {
        let loading = Loading::default();
        let (main, again, other) = (loading.of("main"), loading.of("main"), loading.of("other"));
        let _reading = main.try_lock().unwrap();
        assert!(again.try_lock().is_err() && other.try_lock().is_ok());
    }

    #[test]
    fn names_that_nobody_reads_any_more_are_forgotten() {
        let loading = Loading::default();
        for name in 0..100 {
            drop(loading.of(&name.to_string()));
        }
        let _last = loading.of("main");
        assert_eq!(loading.0.lock().unwrap().len(), 1);
    }
}
