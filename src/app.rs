//! [`App`]: the one value that endpoints get.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use crate::at_hand::AtHand;
use crate::clock::Clock;
use crate::fetch::Fetcher;
use crate::key_sets::KeySets;
use crate::lockouts::Lockouts;
use crate::passwords::{ClientSecrets, Passwords, Profile};
use crate::protocol::certificate::ClientCertificates;
use crate::protocol::grants::password::PasswordGrant;
use crate::protocol::issuer::Hosts;
use crate::protocol::redirect_uri::Strictness;
use crate::realms::Realms;
use crate::store::{Change, Store, StoreError};
use crate::telemetry::Metrics;
use crate::turns::Turns;
use crate::vault::Vault;

/// Everything that an endpoint may need. One per server, shared by all requests.
#[derive(Debug)]
pub struct App {
    /// Records.
    pub store: Store,
    /// Realms as they are configured, in memory.
    pub realms: Realms,
    /// Time.
    pub clock: Clock,
    /// Seals what leaves the process and must come back unread.
    pub vault: Arc<Vault>,
    /// The bounded pool that hashes people's passwords.
    pub passwords: Passwords,
    /// Attempts to sign in to the same account take turns.
    pub sign_ins: Turns,
    /// Which waits of those who guess were written down.
    pub lockouts: Lockouts,
    /// Large bodies, which take many times their length of memory while they are read, come one after another.
    pub large_bodies: Semaphore,
    /// Changes of one realm's configuration take turns: each is made from what the one before left.
    pub configuring: Turns,
    /// Proves clients' secrets.
    pub client_secrets: ClientSecrets,
    /// The way out, to addresses that others name.
    pub fetcher: Fetcher,
    /// The keys that others publish.
    pub key_sets: KeySets,
    /// Which host names are ours, and which issuer each stands for.
    pub hosts: Hosts,
    /// What may be relaxed.
    pub rules: Rules,
    /// What a developer may copy of the realm files; nothing in production.
    pub at_hand: AtHand,
    /// Wakes the worker that tells clients of the end of sessions.
    pub logouts: Notify,
    /// Counters.
    pub metrics: Metrics,
}

/// What differs between `dev` and `serve`, and is not an address or a limit.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How redirect URIs are compared.
    pub strictness: Strictness,
    /// The cost of new password hashes.
    pub password_profile: Profile,
    /// For how long a sign-in that must wait is kept from its answer, so that guessing on costs the guesser time and the
    /// server none.
    pub pause: Duration,
    /// Whose password grants are taken.
    pub password_grant: PasswordGrant,
    /// Whether refusals explain themselves to a developer, and the sign-in page offers the demo users.
    pub helpful: bool,
    /// How clients are asked for certificates of their own; none when they are not.
    pub client_certificates: Option<ClientCertificates>,
    /// Path below which everything is served: empty, or `/auth`.
    pub base_path: String,
    /// Whether what is below it is served without it too.
    pub at_root_too: bool,
    /// The realm whose issuer is the base URL itself.
    pub root_realm: Option<String>,
    /// People whom the sign-in page of a demo realm offers by a button.
    pub personas: Vec<Persona>,
    /// Whether the page at `/` shows what is at hand: not to other machines, unless it is the demo realm.
    pub shows_at_hand: bool,
}

/// A demo user with the password that everybody may know.
#[derive(Clone, Debug)]
pub struct Persona {
    /// The realm.
    pub realm: String,
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

/// How handlers hold the [`App`].
pub type Shared = Arc<App>;

impl App {
    /// Commits `changes` in one transaction; a change of configuration holds on this node from here on.
    ///
    /// # Errors
    /// [`StoreError`], and then nothing was changed: what is committed is never told as failed.
    pub async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let configuration = changes.iter().any(Change::is_configuration);
        let ends_sessions = changes.iter().any(Change::ends_sessions);
        self.store.commit(changes).await?;
        if ends_sessions {
            self.logouts.notify_one();
        }
        if configuration {
            self.realms.refresh_or_forget(&self.store).await;
        }
        Ok(())
    }
}
