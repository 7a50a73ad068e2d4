//! Attempts at client secrets, and those that were wrong, counted in memory.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;

use crate::clock::Timestamp;
use crate::protocol::brake::{SECRET_RULE, SecretCounters, Tally, secret_counters};

/// Where an attempt at a secret comes from.
#[derive(Clone, Copy, Debug)]
pub struct Guess<'a> {
    /// The realm's identifier.
    pub realm_id: &'a str,
    /// The client that it is said to be, as it was sent.
    pub client_id: &'a str,
    /// The address that sent it.
    pub address: IpAddr,
    /// When.
    pub now: Timestamp,
}

impl Guess<'_> {
    pub(super) fn counters(&self) -> SecretCounters {
        secret_counters(self.realm_id, self.client_id, self.address)
    }
}

/// What became of an attempt at a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It is the client's secret.
    Right,
    /// It is not.
    Wrong,
    /// It was not looked at: too many wrong ones came from there.
    WaitUntil(Timestamp),
}

/// Counts that are kept; beyond it the ones that were looked at least go.
const MOST: usize = 20_000;

/// How often each client was guessed at from each network, and how much each network guessed.
///
/// They live in memory, and each node has its own. A row for each would let strangers write to the database as fast as they
/// can send, and what they buy is little: with n nodes an address has n times the guesses, and a restart gives it new ones,
/// which helps against a secret of a few words no more than a second address does. People's passwords are weaker, and are
/// counted in the store.
#[derive(Debug)]
pub(super) struct Guesses {
    tallies: Cache<String, Arc<Mutex<Tally>>>,
}

impl Guesses {
    pub(super) fn new() -> Self {
        Self { tallies: Cache::new(MOST) }
    }

    /// Counts an attempt, before its secret is looked at: side by side no more than allowed are let through.
    ///
    /// # Errors
    /// Until when to wait instead; then it was not counted.
    pub(super) fn count(&self, counters: &SecretCounters, now: Timestamp) -> Result<(), Timestamp> {
        let (client, address) = (self.tally(&counters.client.subject), self.tally(&counters.address.subject));
        // In this order everywhere.
        let (mut client, mut address) = (lock(&client), lock(&address));
        if let Some(until) = client.locked(now).max(address.locked(now)) {
            return Err(until);
        }
        client.count(counters.client.most, &SECRET_RULE, now);
        address.count(counters.address.most, &SECRET_RULE, now);
        Ok(())
    }

    /// The attempt was right: the client's count begins anew, and the address, which may guess at others, gets it back.
    pub(super) fn forgive(&self, counters: &SecretCounters) {
        *lock(&self.tally(&counters.client.subject)) = Tally::default();
        lock(&self.tally(&counters.address.subject)).give_back(counters.address.most);
    }

    /// The secret was not looked at after all.
    pub(super) fn give_back(&self, counters: &SecretCounters) {
        lock(&self.tally(&counters.client.subject)).give_back(counters.client.most);
        lock(&self.tally(&counters.address.subject)).give_back(counters.address.most);
    }

    fn tally(&self, subject: &str) -> Arc<Mutex<Tally>> {
        self.tallies
            .get_or_insert_with(subject, || Ok::<_, std::convert::Infallible>(Arc::default()))
            .unwrap_or_default()
    }
}

/// A count is whole after each step, so one that a panic left behind is as good as any.
fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(client: &str, address: &str) -> SecretCounters {
        secret_counters("r1", client, address.parse().unwrap())
    }

    #[test]
    fn c06_of_fifty_at_once_no_more_go_on_than_allowed() {
        let guesses = Guesses::new();
        let admitted = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..50)
                .map(|_| scope.spawn(|| guesses.count(&counters("app", "192.0.2.1"), Timestamp(0))))
                .collect();
            tries.into_iter().filter_map(|one| one.join().unwrap().ok()).count()
        });
        assert_eq!(admitted, 20);
        assert_eq!(guesses.count(&counters("app", "192.0.2.2"), Timestamp(0)), Ok(()), "another address");
        assert_eq!(guesses.count(&counters("web", "192.0.2.1"), Timestamp(0)), Ok(()), "another client");
    }

    #[test]
    fn c06_a_right_secret_forgives_what_its_client_counted_and_no_other() {
        let guesses = Guesses::new();
        let (app, web) = (counters("app", "192.0.2.1"), counters("web", "192.0.2.1"));
        (0..19).for_each(|_| guesses.count(&app, Timestamp(0)).unwrap());
        (0..20).for_each(|_| guesses.count(&web, Timestamp(0)).unwrap());
        guesses.count(&app, Timestamp(0)).unwrap();
        guesses.forgive(&app);
        (0..20).for_each(|_| guesses.count(&app, Timestamp(0)).unwrap());
        assert!(guesses.count(&web, Timestamp(0)).is_err());
        guesses.give_back(&web);
        assert_eq!(guesses.count(&web, Timestamp(0)), Ok(()), "one that was not looked at");
    }

    #[test]
    fn c06_one_address_has_two_hundred_for_all_clients() {
        let guesses = Guesses::new();
        let count = |client: usize| guesses.count(&counters(&client.to_string(), "192.0.2.1"), Timestamp(0));
        assert_eq!((0..300).filter(|client| count(*client).is_ok()).count(), 200);
    }
}
