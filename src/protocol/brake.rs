//! The brake on guessing passwords and client secrets: what is counted, and when one must wait.
//!
//! Attempts are counted before the password is looked at, and forgotten when it was right, so that attempts side by
//! side cannot slip through between a look and a count (attacks U02). Names that nobody has are counted like others,
//! so that waiting tells nothing about who exists.

use std::net::IpAddr;

use super::realm::BruteForce;
use crate::clock::Timestamp;

/// Something that is counted, with the number of failures it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The key of the count.
    pub subject: String,
    /// More failures than this, and one must wait.
    pub most: i64,
}

/// What an attempt to sign in as `name` (canonical) from `address` counts towards. A browser in which this person
/// signed in before has a count of its own, so that nobody else's guesses hold it up, be they made next door behind
/// the same address: nobody can lock a person out (attacks U04).
#[must_use]
pub fn counters(name: &str, address: IpAddr, known_browser: bool, rule: &BruteForce) -> Vec<Counter> {
    let account = account(name);
    if known_browser {
        return vec![Counter { subject: format!("{account}/known"), most: rule.max_failures }];
    }
    let network = network(address);
    vec![
        Counter { subject: format!("{account}/{network}"), most: rule.max_failures },
        address_counter(&network, rule),
        Counter { subject: account, most: rule.max_account_failures },
    ]
}

/// How many attempts at one account may be under way at once from one network: side by side, right passwords must not
/// use up what wrong ones are allowed.
#[must_use]
pub fn side_by_side(rule: &BruteForce) -> usize {
    if rule.max_failures > 2 { 2 } else { 1 }
}

/// What a right password takes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgiven {
    /// The counts of the account, which begin anew.
    pub forgotten: [String; 3],
    /// The address's, which gives this attempt back and keeps those for other names: an office signs in from one address
    /// all day.
    pub given_back: Option<Counter>,
}

/// What a right password forgives, of the attempt that `counters` counted.
#[must_use]
pub fn forgiven(name: &str, address: IpAddr, known_browser: bool, rule: &BruteForce) -> Forgiven {
    let account = account(name);
    let network = network(address);
    Forgiven {
        given_back: (!known_browser).then(|| address_counter(&network, rule)),
        forgotten: [format!("{account}/known"), format!("{account}/{network}"), account],
    }
}

fn address_counter(network: &str, rule: &BruteForce) -> Counter {
    Counter { subject: format!("address/{network}"), most: rule.max_address_failures }
}

/// What a person's attempt to name a device by its user code counts towards. A person is counted, and not the session,
/// of which anybody who can sign in may have many.
///
/// All who guess together have 1,000 wrong codes in an hour of the clock, and one more after each wait: the chance to hit a
/// certain code while it is good stays below 2⁻²³ (attacks D02, RFC 8628 §5.1). That count begins anew each hour, so that
/// the typing mistakes of a busy realm do not add up.
#[must_use]
pub fn device_counters(user_id: &str, address: IpAddr, now: Timestamp) -> Vec<Counter> {
    let hour = now.0.div_euclid(DEVICE_RULE.window);
    vec![
        Counter { subject: format!("device/user/{user_id}"), most: 10 },
        Counter { subject: format!("device/address/{}", network(address)), most: 100 },
        Counter { subject: format!("device/hour/{hour}"), most: 1_000 },
    ]
}

/// The waits after wrong user codes. They are no setting: what they guard does not depend on the realm's passwords.
pub const DEVICE_RULE: BruteForce = BruteForce {
    max_failures: 10,
    max_account_failures: 10,
    max_address_failures: 100,
    wait: 60,
    max_wait: 900,
    window: 3_600,
};

/// What a wrong secret of a client counts towards. An address alone is held up, never a client: nobody can lock another's
/// service out by guessing at it (attacks C06).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretCounters {
    /// For this client from this address.
    pub client: Counter,
    /// From this address, for any client of any realm.
    pub address: Counter,
}

/// What an attempt to be `client_id` from `address` counts towards. The identifier is taken as it was sent, so that one
/// that nobody has counts alike.
#[must_use]
pub fn secret_counters(realm_id: &str, client_id: &str, address: IpAddr) -> SecretCounters {
    let network = network(address);
    let client_id = crate::secrets::fingerprint(client_id);
    SecretCounters {
        client: Counter {
            subject: format!("{realm_id}/{client_id}/{network}"),
            most: SECRET_RULE.max_failures,
        },
        address: Counter { subject: network, most: SECRET_RULE.max_address_failures },
    }
}

/// The waits after wrong client secrets. They are no setting, and short: programs repeat a mistake all day, and one that is
/// put right must not wait long.
pub const SECRET_RULE: BruteForce = BruteForce {
    max_failures: 20,
    max_account_failures: 20,
    max_address_failures: 200,
    wait: 10,
    max_wait: 60,
    window: 3_600,
};

/// A count that lives in memory, by the same rule as those in the store: an attempt that uses up what is allowed goes on,
/// those after it wait; after a wait one goes on, and the next wait is twice as long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    count: i64,
    locked_until: Timestamp,
    expires_at: Timestamp,
}

impl Tally {
    /// Until when further attempts are refused, if they are.
    #[must_use]
    pub fn locked(&self, now: Timestamp) -> Option<Timestamp> {
        (self.locked_until > now).then_some(self.locked_until)
    }

    /// Counts an attempt that goes on, where `most` are allowed.
    pub fn count(&mut self, most: i64, rule: &BruteForce, now: Timestamp) {
        self.count = if self.expires_at <= now { 1 } else { self.count.saturating_add(1) };
        self.expires_at = now.plus(rule.window);
        if let Some(seconds) = wait(self.count.saturating_add(1), most, rule) {
            self.locked_until = now.plus(seconds);
        }
    }

    /// Takes an attempt back. The next is not one too many then, unless there were too many before.
    pub fn give_back(&mut self, most: i64) {
        self.count = self.count.saturating_sub(1).max(0);
        if self.count < most {
            self.locked_until = Timestamp::default();
        }
    }
}

/// The key of the count of wrong passwords for an account (canonical name) from anywhere. A name can be as long as a form
/// field; its key need not be.
#[must_use]
pub fn account(name: &str) -> String {
    format!("account/{}", crate::secrets::fingerprint(name))
}

/// An IPv4 address, or the /64 of an IPv6 address, since one subscriber has all of it.
#[must_use]
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// How long to wait after `count` failures where `most` are allowed: nothing, then `wait` seconds, doubled by each
/// further failure up to `max_wait`.
#[must_use]
pub fn wait(count: i64, most: i64, rule: &BruteForce) -> Option<i64> {
    let over = count.saturating_sub(most).clamp(0, 63);
    let doublings = u32::try_from(over).ok()?.checked_sub(1)?;
    Some(rule.wait.saturating_mul(2_i64.saturating_pow(doublings)).min(rule.max_wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        let rule = BruteForce { wait: 30, max_wait: 900, ..BruteForce::default() };
        let waits = (4..12).map(|count| wait(count, 5, &rule)).collect::<Vec<_>>();
        let expected = [None, None, Some(30), Some(60), Some(120), Some(240), Some(480), Some(900)];
        assert_eq!(waits, expected);
        assert_eq!(wait(i64::MAX, 5, &rule), Some(900));
    }

    #[test]
    fn one_subscriber_is_one_address() {
        for (a, b, same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ] {
            assert_eq!(network(a.parse().unwrap()) == network(b.parse().unwrap()), same, "{a} {b}");
        }
    }

    #[test]
    fn d02_guessing_user_codes_is_counted_by_person_by_address_and_for_all() {
        let subjects = |user, address: &str, now| {
            let counters = device_counters(user, address.parse().unwrap(), Timestamp(now));
            counters.into_iter().map(|counter| counter.subject).collect::<Vec<_>>()
        };
        let one = subjects("alice", "192.0.2.1", 7_200);
        let other = subjects("bob", "192.0.2.1", 10_799);
        assert_eq!((other[0] == one[0], &other[1..]), (false, &one[1..]));
        assert_ne!(subjects("alice", "192.0.2.1", 10_800)[2], one[2], "the next hour");
    }

    #[test]
    fn c06_a_tally_waits_as_the_store_does() {
        let (rule, mut tally) = (BruteForce { wait: 30, max_wait: 100, ..SECRET_RULE }, Tally::default());
        for at in 0..3 {
            assert_eq!(tally.locked(Timestamp(at)), None, "attempt {at}");
            tally.count(3, &rule, Timestamp(at));
        }
        for (at, wait) in [(2, 30), (32, 60), (92, 100), (192, 100)] {
            assert_eq!(tally.locked(Timestamp(at)), (at == 2).then_some(Timestamp(32)), "{at}");
            if at > 2 {
                tally.count(3, &rule, Timestamp(at));
            }
            assert_eq!(tally.locked(Timestamp(at)), Some(Timestamp(at + wait)), "{at}");
            assert_eq!(tally.locked(Timestamp(at + wait)), None, "{at}");
        }
        tally.count(3, &rule, Timestamp(192 + rule.window));
        assert_eq!(tally.locked(Timestamp(192 + rule.window)), None, "what is old is forgotten");
        let mut last = Tally::default();
        (0..3).for_each(|_| last.count(3, &rule, Timestamp(0)));
        last.give_back(3);
        assert_eq!(last.locked(Timestamp(0)), None, "one that was given back is not one too many");
    }

    #[test]
    fn c06_guesses_at_a_secret_hold_up_an_address_and_no_client() {
        let counters =
            |realm, client, address: &str| secret_counters(realm, client, address.parse().unwrap());
        let one = counters("r1", "app", "192.0.2.1");
        for (case, realm, client, address, same) in [
            ("another client", "r1", "web", "192.0.2.1", (false, true)),
            ("another realm", "r2", "app", "192.0.2.1", (false, true)),
            ("another address", "r1", "app", "192.0.2.2", (false, false)),
        ] {
            let other = counters(realm, client, address);
            assert_eq!((other.client == one.client, other.address == one.address), same, "{case}");
        }
        assert!(counters("r1", &"x".repeat(10_000), "2001:db8::1").client.subject.len() < 100);
    }

    #[test]
    fn u04_a_known_browser_is_not_held_up_by_others() {
        let rule = BruteForce::default();
        let address = "192.0.2.1".parse().unwrap();
        let subjects = |known| {
            let counters = counters("alice", address, known, &rule);
            counters.into_iter().map(|counter| counter.subject).collect::<Vec<_>>()
        };
        let (known, unknown) = (subjects(true), subjects(false));
        assert_eq!((known.len(), unknown.len()), (1, 3));
        assert!(!unknown.contains(&known[0]), "no count is shared");
        let forgiven = |known| forgiven("alice", address, known, &rule);
        let kept = |subject: &&String| !forgiven(false).forgotten.contains(subject);
        let kept: Vec<&String> = known.iter().chain(&unknown).filter(kept).collect();
        assert_eq!(kept, ["address/192.0.2.1"]);
        assert_eq!(forgiven(false).given_back.map(|counter| counter.subject).as_ref(), Some(kept[0]));
        assert_eq!(forgiven(true).given_back, None, "a known browser's attempt was not counted there");
    }
}
