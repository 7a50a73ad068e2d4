//! Hashing of what people choose: passwords, and client secrets that were not drawn at random.
//!
//! Owns the hash's form and cost, and the bounded pool that pays it. Leaves password policy, lockout and storage to
//! the callers.
//!
//! A hash costs 19 MiB and some 18 ms of one core on purpose, so the pool is the one ceiling of password sign-ins:
//! `concurrent` hashes at a time, `queued` callers that wait, and [`PasswordError::Busy`] (503) for everyone beyond.
//! Turns go round by where callers come from, so that a flood from some addresses holds up nobody at another.
//! The turn moves into the hashing thread, since dropping a request does not stop the hash it began.

mod client_secrets;
mod guesses;
mod line;
mod queue;
mod rooms;
mod scheme;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use queue::{MOST_WAIT, Queue};
use rooms::Rooms;

pub use client_secrets::ClientSecrets;
pub use guesses::{Guess, Tried};
pub use scheme::{Cost, Pbkdf2Digest, Scheme, SchemeError};

use crate::secrets::{Secret, random_bytes};
use crate::threads::Threads;

/// The longest password that is hashed, in bytes: well above the 64 characters of NIST SP 800-63B §3.1.1.2, and too
/// short to be a weapon.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// How much hashing a server does at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Hashes at a time; each takes 19 MiB and a core. At least one.
    pub concurrent: usize,
    /// Callers that wait for their turn.
    pub queued: usize,
}

impl Default for Limits {
    /// As many as there are cores, and 512 waiting. One that waits costs some kilobytes and sends nothing more; one that
    /// is sent away comes back at once, with a page to be made for it.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { concurrent: cores, queued: 512 }
    }
}

/// What a new hash costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Argon2id with 19 MiB, two passes, one lane: OWASP's first choice.
    #[default]
    Standard,
    /// Argon2id with a hundredth of it, for the users of `dev` and of tests. The low cost stands in the hash, so a
    /// server of the standard profile replaces it at the next sign-in.
    Development,
}

/// What became of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is the right one.
    pub matches: bool,
    /// Whether it is right, and its hash is weaker than the server's profile, or foreign: hash it anew and store that.
    pub rehash: bool,
    /// Why the stored hash could not be used, for the log; the password did not match then. It took as long as any
    /// other.
    pub unusable: Option<SchemeError>,
}

/// Why there is no answer about a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The pool and its queue are full, or the turn did not come in time: 503, try again shortly.
    #[error("too many passwords are being checked at once")]
    Busy,
    /// Over [`MAX_PASSWORD_BYTES`]: 400. Nothing was hashed.
    #[error("the password is longer than {MAX_PASSWORD_BYTES} bytes")]
    TooLong,
    /// The hash could not be computed: no memory, or a runtime that is going down.
    #[error("the password could not be hashed")]
    Failed,
}

/// The pool. Clones share it.
#[derive(Clone, Debug)]
pub struct Passwords {
    profile: Profile,
    queue: Queue,
    hashers: Arc<Threads>,
    rooms: Arc<Rooms>,
    /// Hashes made so far.
    made: Arc<AtomicU64>,
}

impl Passwords {
    /// A pool with these bounds and the standard profile.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self::with_profile(limits, Profile::Standard)
    }

    /// A pool with these bounds, whose unknown users and outdated hashes are measured against `profile`.
    #[must_use]
    pub fn with_profile(limits: Limits, profile: Profile) -> Self {
        let rooms = Arc::new(Rooms::default());
        let kept = Arc::clone(&rooms);
        let hashers = Threads::new("hasher", limits.concurrent).at_rest(REST, move || kept.clear());
        Self {
            profile,
            queue: Queue::new(limits, MOST_WAIT),
            hashers: Arc::new(hashers),
            rooms,
            made: Arc::default(),
        }
    }

    /// The profile that hashes are measured against.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// How many hashes are at work and how many callers wait for their turn, for metrics.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        self.queue.load()
    }

    /// How many hashes were made so far, those against nobody's password included, for metrics.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// Hashes `password`, byte for byte as typed, with a fresh salt, into the text that [`Passwords::verify`] reads.
    ///
    /// # Errors
    /// [`PasswordError`]: too long, too busy, or failed.
    pub async fn hash(&self, profile: Profile, password: Secret) -> Result<String, PasswordError> {
        within_limit(&password)?;
        self.run(OURS, move |rooms| {
            Scheme::argon2id(profile.cost(), &random_bytes::<16>(), password.expose().as_bytes(), rooms)
                .map(|scheme| scheme.to_string())
        })
        .await?
        .map_err(|_| PasswordError::Failed)
    }

    /// Whether `password` belongs to the stored `hash`. With `None`, or a hash that cannot be used, it is checked
    /// against a hash that nobody has, so that an account without a password takes as long as one with another.
    ///
    /// # Errors
    /// [`PasswordError`]: too long, too busy, or failed.
    pub async fn verify(&self, hash: Option<&str>, password: &Secret) -> Result<Verdict, PasswordError> {
        self.verify_from(OURS, hash, password).await
    }

    /// As [`Passwords::verify`], for a caller from `place` (a network): places take turns, however many wait at each, and one
    /// with a right password comes before those that guess.
    ///
    /// # Errors
    /// As [`Passwords::verify`].
    pub async fn verify_from(
        &self,
        place: &str,
        hash: Option<&str>,
        password: &Secret,
    ) -> Result<Verdict, PasswordError> {
        within_limit(password)?;
        let parsed = hash.map(str::parse::<Scheme>).transpose();
        let unusable = parsed.as_ref().err().copied();
        let stored = parsed.ok().flatten();
        let (profile, password) = (self.profile, password.clone());
        self.run(place, move |rooms| {
            let Some(scheme) = stored else {
                dummy(profile).verify(password.expose().as_bytes(), rooms)?;
                return Ok(Verdict { matches: false, rehash: false, unusable });
            };
            let matches = scheme.verify(password.expose().as_bytes(), rooms)?;
            Ok(Verdict { matches, rehash: matches && scheme.is_weaker_than(profile.cost()), unusable })
        })
        .await?
        .map_err(|_: SchemeError| PasswordError::Failed)
        .inspect(|verdict| {
            if verdict.matches {
                self.queue.forgive(place);
            }
        })
    }

    /// Runs `work` on a thread of the pool when it is the turn of a caller from `place`.
    async fn run<T: Send + 'static>(
        &self,
        place: &str,
        work: impl FnOnce(&Rooms) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = self.queue.turn(place).await?;
        self.made.fetch_add(1, Ordering::Relaxed);
        let rooms = Arc::clone(&self.rooms);
        let outcome = self.hashers.run(move || {
            let outcome = work(&rooms);
            drop(turn);
            outcome
        });
        outcome.await.ok_or(PasswordError::Failed)
    }
}

/// How long the memory of hashes is kept after the last one.
const REST: Duration = Duration::from_secs(1);

/// The place of callers that come from no network: realm files, the admin API, clients' secrets.
const OURS: &str = "";

impl Profile {
    fn cost(self) -> scheme::Cost {
        match self {
            Self::Standard => scheme::Cost { memory_kib: 19_456, passes: 2, lanes: 1 },
            Self::Development => scheme::Cost { memory_kib: 256, passes: 1, lanes: 1 },
        }
    }
}

fn within_limit(password: &Secret) -> Result<(), PasswordError> {
    if password.expose().len() > MAX_PASSWORD_BYTES { Err(PasswordError::TooLong) } else { Ok(()) }
}

/// A hash of the profile's own cost that no password has: its salt and value are drawn at random.
fn dummy(profile: Profile) -> Scheme {
    static NOBODY: LazyLock<([u8; 16], [u8; 32])> = LazyLock::new(|| (random_bytes(), random_bytes()));
    Scheme::Argon2id { cost: profile.cost(), salt: NOBODY.0.to_vec(), hash: NOBODY.1.to_vec() }
}

#[cfg(test)]
mod tests;
